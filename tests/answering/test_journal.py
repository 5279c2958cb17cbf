"""What the journal keeps and finds."""

from __future__ import annotations

import gzip
from dataclasses import replace
from datetime import UTC, datetime
from typing import NamedTuple

import pytest

from aimyproxy.answering.journal import Entry, Journal
from aimyproxy.answering.misses import Miss
from aimyproxy.exchange import Body, Request, Response

AT = datetime(2026, 11, 24, tzinfo=UTC)


class Kept(NamedTuple):
    request: Request


def entry(number, event="start", user="7", miss=None, status=200, size=10):
    request = Request("POST", "/", (), Body("json", {"action": event, "n": number}))
    conversation = ("telegram", "bot", user) if user else None
    moment = AT.timestamp()
    kept = Kept(request)
    return Entry(number, moment, event, conversation, kept, status, (), b'{"a": 1}', "exact #1", 0.5, size, miss)


def filled(*entries, **limits):
    journal = Journal(**limits)
    for one in entries:
        journal.add(one)
    return journal


def test_an_entry_shows_what_was_asked_and_answered():
    """The variables of the request, the response as it was sent, or none where there was none."""
    assert entry(3).at == AT
    assert entry(3).variables == {"action": "start", "n": 3}
    assert entry(3).response == Response(200, (), Body("json", {"a": 1}))
    assert entry(3, status=None).response is None


def test_a_compressed_answer_is_shown_decoded():
    """As a recording keeps it: the bytes tell nobody anything."""
    headers = (("Content-Encoding", "gzip"),)
    shown = replace(entry(1), headers=headers, body=gzip.compress(b'{"a": 1}')).response
    assert shown == Response(200, headers, Body("json", {"a": 1}))


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        ({}, [1, 2, 3, 4]),
        ({"event": "order"}, [2, 4]),
        ({"user": "8"}, [3]),
        ({"missed": True}, [2]),
        ({"missed": False, "after": 1}, [3, 4]),
        ({"event": "order", "user": "7"}, [2]),
    ],
)
def test_entries_are_found_by_what_they_are(wanted, numbers):
    """All that is asked for has to hold."""
    miss = Miss("order", None, "because", (), "do this")
    journal = filled(entry(1), entry(2, "order", miss=miss), entry(3, user="8"), entry(4, "order", user=None))
    assert [one.number for one in journal.entries(**wanted)] == numbers


def test_the_oldest_entries_go_first():
    """By number and by bytes; the latest stays, however large."""
    few = filled(*map(entry, range(1, 6)), most=2)
    small = filled(*map(entry, range(1, 6)), most_bytes=25)
    huge = filled(entry(1), entry(2, size=1000), most_bytes=25)
    assert [[one.number for one in journal.entries()] for journal in (few, small, huge)] == [[4, 5], [4, 5], [2]]


def test_numbers_go_on_when_the_journal_is_cleared():
    """So that nobody mistakes a new entry for an old one; and its room is free again."""
    journal = Journal(most_bytes=25)
    for _ in range(2):
        journal.add(entry(0))
    journal.clear()
    assert journal.entries() == []
    for _ in range(2):
        journal.add(entry(0))
    assert [one.number for one in journal.entries()] == [3, 4]
    assert journal.total == 4
