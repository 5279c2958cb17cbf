"""The admin surface without a server; the end-to-end tests ask it over a socket."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import urlencode

import orjson
import pytest

from aimyproxy.admin.hosts import Hosts
from aimyproxy.admin.metrics import Metrics
from aimyproxy.admin.surface import Surface
from aimyproxy.answering.index import Index
from aimyproxy.answering.journal import Entry, Journal
from aimyproxy.answering.missed import MissedEvents
from aimyproxy.answering.replayer import Replayer
from aimyproxy.exchange import Body, Request
from aimyproxy.mockserver.admin import Admin, State, document
from tests.builders import exchange

AT = datetime(2026, 11, 24, tzinfo=UTC)


class Kept(NamedTuple):
    request: Request


class Files:
    """A recording's files, as they are now: an index, or trouble."""

    def __init__(self, found):
        self.found = found

    def reload(self, take):
        if isinstance(self.found, Exception):
            raise self.found
        take(self.found)
        return self.found


def entry(number, headers=(), answered=()):
    request = Request("POST", "/caf\udce9", headers, Body("json", {"action": "start"}))
    return Entry(number, AT.timestamp(), "start", None, Kept(request), 200, answered, b"{}", "forward", 0.5, 10)


def surface(found=None, entries=()):
    journal = Journal()
    for one in entries:
        journal.add(one)
    replayer = Replayer(Index.build(enumerate([exchange()], 1), []))
    state = State("shop", replayer, journal, MissedEvents(), Files(found), Metrics())
    hosts = Hosts("127.0.0.1", "127.0.0.1", 9090)
    return Surface(Admin(state).routes, "tökén", hosts, lambda: True, print), state


def ask(admin, path, method="GET", query=b"", authorization="Bearer tökén", **headers):
    """Status, headers and bytes of the reply."""
    messages = []

    async def send(message):
        messages.append(message)

    given = {"host": "127.0.0.1:9090", "authorization": authorization, **headers}
    pairs = [(name.encode(), value.encode()) for name, value in given.items() if value]
    scope = {"type": "http", "path": path, "method": method, "query_string": query, "headers": pairs}
    asyncio.run(admin(scope, None, send))
    return messages[0]["status"], dict(messages[0]["headers"]), messages[1]["body"]


def test_the_token_is_asked_for_in_any_spelling_of_bearer():
    """And in no other scheme; what is missing is said as HTTP says it."""
    admin, _ = surface()
    assert ask(admin, "/health", authorization="bearer  tökén")[0] == 200
    for wrong in ("tökén", "Basic tökén", "Bearer", "Bearer tökén2", "Bearer toke"):
        status, headers, _ = ask(admin, "/health", authorization=wrong)
        assert (status, headers[b"www-authenticate"]) == (401, b"Bearer")


def test_what_has_no_such_method_says_which_it_has():
    """In the header Allow."""
    admin, _ = surface()
    for path, allowed in (("/requests", b"GET, HEAD, DELETE"), ("/requests/1", b"GET, HEAD"), ("/reload", b"POST")):
        status, headers, _ = ask(admin, path, "OPTIONS")
        assert (status, headers[b"allow"]) == (405, allowed)


@pytest.mark.parametrize("name", ["эхо", "a b", "a&b", "x" * 5000])
def test_any_event_can_be_asked_for(name):
    """Percent-encoded."""
    admin, state = surface(entries=[entry(1)])
    state.journal.add(Entry(2, AT.timestamp(), name, None, entry(2).kept, 200, (), b"{}", "usual #1", 0.5, 10))
    status, _, body = ask(admin, "/requests", query=urlencode({"event": name}).encode())
    assert status == 200
    assert [one["event"] for one in json.loads(body)["requests"]] == [name]


def test_what_is_not_utf_8_is_shown_as_a_recording_keeps_it():
    """So that every JSON parser reads it."""
    odd = (("x", "caf\udce9"),)
    shown = orjson.loads(orjson.dumps(document(entry(1, odd, odd))))
    assert shown["request"]["path"] == "/café"
    assert shown["request"]["headers"] == shown["response"]["headers"] == [["x", "café"]]


@pytest.mark.parametrize("trouble", [OSError("disk"), ValueError("digits"), RecursionError("deep")])
def test_files_that_can_not_be_loaded_change_nothing(trouble):
    """Whatever is wrong with them."""
    admin, state = surface(trouble)
    before = state.replayer.index
    status, _, body = ask(admin, "/reload", "POST")
    assert (status, json.loads(body)["error"]) == (422, f"{trouble} What was good before stays in use.")
    assert state.replayer.index is before


def test_files_that_can_be_loaded_answer_from_now_on():
    """With the summary of what they hold."""
    index = Index.build(enumerate([exchange(), exchange()], 1), [])
    admin, state = surface(index)
    status, _, body = ask(admin, "/reload", "POST")
    assert (status, json.loads(body)) == (200, {"loaded": "2 exchanges, 0 mocks, 1 event", "warnings": []})
    assert state.replayer.index.exchanges == 2
