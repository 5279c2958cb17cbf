"""Replies as bytes."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime

import pytest

from aimyproxy.mockserver.heard import Heard
from aimyproxy.mockserver.messages import Reply
from aimyproxy.mockserver.wire import Wire

REPLY = Reply(201, (("x-a", "Иван"), ("x-a", "caf\udce9")), b"body", "exact; exchange=1")


def heard(method="POST", *, old=False):
    return Heard(method, b"/", [], old=old)


def parts(spelled):
    head, _, body = spelled.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    return first, [line.split(b": ", 1) for line in lines], body


def test_a_reply_is_spelled_with_its_length_and_its_source():
    """Headers in their order, with the very bytes; the same again from what is remembered."""
    wire = Wire()
    for _ in range(2):
        first, headers, body = parts(wire.spelled(REPLY, heard(), last=False))
        assert (first, body) == (b"HTTP/1.1 201 Created", b"body")
        assert headers[:3] == [
            [b"x-a", "Иван".encode()],
            [b"x-a", b"caf\xe9"],
            [b"Aimyproxy-Answer", b"exact; exchange=1"],
        ]
        assert headers[4:] == [[b"Content-Length", b"4"]]


@pytest.mark.parametrize("status", [204, 304])
def test_some_statuses_have_no_body(status):
    """HTTP says so; a length would be wrong too."""
    _, headers, body = parts(Wire().spelled(REPLY._replace(status=status), heard(), last=False))
    assert body == b""
    assert b"Content-Length" not in dict(headers)


def test_a_head_is_a_reply_without_its_body():
    """With the length that it would have."""
    _, headers, body = parts(Wire().spelled(REPLY, heard("HEAD"), last=False))
    assert (dict(headers)[b"Content-Length"], body) == (b"4", b"")


@pytest.mark.parametrize(
    ("last", "old", "said"), [(True, False, b"close"), (True, True, b"close"), (False, True, b"keep-alive")]
)
def test_it_says_what_becomes_of_the_connection(last, old, said):
    """Where the bot doesn't know that by itself."""
    _, headers, _ = parts(Wire().spelled(REPLY, heard(old=old), last=last))
    assert dict(headers)[b"Connection"] == said


def test_nothing_can_be_smuggled_into_a_head():
    """Nor is a status without a name a problem."""
    odd = Reply(599, (("a b", "1"), ("a", "1\r\nb: 2"), ("c", "\x00"), ("d", "1")), b"", "miss")
    first, headers, _ = parts(Wire().spelled(odd, heard(), last=False))
    assert first == b"HTTP/1.1 599 "
    assert [name for name, _ in headers] == [b"d", b"Aimyproxy-Answer", b"Date", b"Content-Length"]


def test_the_date_is_that_of_the_last_tick(monkeypatch):
    """Spelled once a second for all replies."""
    wire = Wire()
    monkeypatch.setattr(time, "time", lambda: 1_800_000_000.7)
    wire.tick()
    _, headers, _ = parts(wire.spelled(REPLY, heard(), last=False))
    assert parsedate_to_datetime(dict(headers)[b"Date"].decode()).timestamp() == 1_800_000_000


def test_not_all_heads_are_remembered():
    """Whatever a target answers: neither long ones nor many."""
    wire = Wire()
    for number in range(5000):
        wire.head(Reply(200, (("x", str(number)),), b"", "forward"), heard(), last=False)
        wire.head(Reply(200, (("x", str(number) * 3000),), b"", "forward"), heard(), last=False)
    assert sum(map(len, wire._heads.values())) < 1_000_000
