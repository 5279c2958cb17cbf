from __future__ import annotations

import asyncio
import gzip
import json

import pytest

from aimyproxy.answering.faults import Fault, Faults
from aimyproxy.answering.index import Index
from aimyproxy.answering.journal import Journal
from aimyproxy.answering.mocks import Mock
from aimyproxy.answering.replayer import Replayer
from aimyproxy.exchange import Body, Response
from aimyproxy.mockserver.app import App
from aimyproxy.mockserver.faulty import Trouble
from aimyproxy.mockserver.heard import Heard
from aimyproxy.mockserver.messages import Reply
from aimyproxy.mockserver.onmiss import Empty, Explain
from tests.builders import START, exchange
from tests.mockserver.observers import Remembering


class Broken:
    redactor = None

    def answer(self, _request, _raw):
        raise ZeroDivisionError("a bug")


def serving(*exchanges, mock=None):
    mocks = [Mock.parse(3, mock)] if mock else []
    return Replayer(Index.build(enumerate(exchanges, 1), mocks), "shop")


class Unreachable:
    def reply(self, _request, _raw, _miss):
        raise AssertionError("nobody was to be asked")


class Late:
    """A target that answers, but not at once."""

    async def reply(self, request, raw, _miss):
        await asyncio.sleep(0)
        return Reply(201, (("x-asked", f"{request.method} {request.path}"),), raw, "forward")


class Line:
    """A connection: what was sent over it, and what was to be."""

    def __init__(self):
        self.reply = None
        self.sent = b""
        self.was_reset = False

    def head(self, _heard, reply):
        self.reply = reply
        return b"head "

    async def send(self, data):
        self.sent += data

    def reset(self):
        self.was_reset = True


def ask(replayer, body, on_miss=None, limit=10_000, fault=None, coding=""):
    """Status, headers and body of the reply, and what the observer saw."""
    observer, line = Remembering(), Line()

    async def served():
        trouble = Trouble(faults=Faults([("*", Fault.parse(fault))] if fault else ()), slow_seconds=0)
        app = App(replayer, on_miss or Explain(), observer, Journal(), trouble=trouble)
        answer = app.answer(Heard("POST", b"/", [], body, coding, limit), line)
        if isinstance(answer, Reply):
            return answer, answer.body
        await answer
        return line.reply, line.sent.removeprefix(b"head ")

    reply, content = asyncio.run(served())
    return reply.status, dict([*reply.headers, ("Aimyproxy-Answer", reply.source)]), content, observer


def test_an_answer_is_served_and_told():
    """With its source in the header and on the terminal."""
    status, headers, body, observer = ask(serving(exchange()), json.dumps(START).encode())
    assert (status, headers["Aimyproxy-Answer"]) == (200, "exact; exchange=1")
    assert headers["content-type"] == "text/html; charset=utf-8"
    assert json.loads(body) == {**START, "greeting": "Привет"}
    [served] = observer.all
    assert (served.event, served.source, served.status, served.miss) == ("start", "exact #1", 200, None)
    assert 0 <= served.milliseconds < 1000


def test_a_mock_may_take_its_time():
    """As many milliseconds as it says."""
    mock = {"event": "start", "answer": {"hi": 1}, "delay_ms": 30, "status": 202}
    status, headers, body, observer = ask(serving(mock=mock), b'{"action": "start"}')
    assert (status, headers["Aimyproxy-Answer"], body) == (202, "mock; mock=3", b'{"hi":1}')
    assert observer.all[0].milliseconds >= 29


def test_a_miss_is_a_404_that_explains_itself():
    """In the body and to the observer."""
    status, headers, body, observer = ask(serving(exchange()), b'{"action": "strat"}')
    assert (status, headers["Aimyproxy-Answer"]) == (404, "miss")
    assert json.loads(body)["nearest"][0]["exchange"] == 1
    assert observer.all[0].miss.document() == json.loads(body)


def test_a_miss_may_be_an_empty_object():
    """The bot goes on; the observer still hears of the miss."""
    status, headers, body, observer = ask(serving(), b'{"action": "start"}', Empty())
    assert (status, headers["Aimyproxy-Answer"], body) == (200, "miss", b"{}\n")
    assert observer.all[0].miss


@pytest.mark.parametrize("fault", ["503", "garbage", "empty"])
def test_what_a_fault_spoils_is_not_asked_of_the_target(fault):
    """Which might take a payment; the miss is known all the same."""
    status, headers, _, observer = ask(serving(), b'{"action": "pay"}', Unreachable(), fault=fault)
    assert (status, headers["content-type"]) == (503 if fault == "503" else 200, "application/json")
    assert [(entry.source, entry.miss is not None) for entry in observer.all] == [(f"fault {fault}", True)]


def test_a_slow_miss_is_asked_of_the_target():
    """It is the answer that comes slowly."""
    _, headers, body, observer = ask(serving(), b'{"action": "pay"}', Empty(), fault="slow")
    assert (headers["Aimyproxy-Answer"], body) == ("fault; kind=slow", b"{}\n")
    assert observer.all[0].source == "fault slow"


@pytest.mark.parametrize(("fault", "struck"), [("500:0", "mock 3 over exact #1"), ("500", "fault 500")])
def test_a_mock_that_is_only_a_fault_spoils_nothing_else(fault, struck):
    """Where it doesn't strike, the recording answers as without it."""
    replayer = serving(exchange(), mock={"event": "start", "fault": fault})
    status, _, body, observer = ask(replayer, json.dumps(START).encode())
    assert observer.all[0].source == struck
    assert (status, json.loads(body).get("greeting")) == ((200, "Привет") if "mock" in struck else (500, None))


def test_who_got_no_answer_is_journalled_without_one():
    """Neither status nor headers nor bytes."""
    journal, line = Journal(), Line()
    body = json.dumps(START).encode()

    async def served():
        trouble = Trouble(faults=Faults([("*", Fault("reset"))]))
        app = App(serving(exchange()), Explain(), Remembering(), journal, trouble=trouble)
        await app.answer(Heard("POST", b"/", [], body, size=20), line)

    asyncio.run(served())
    assert (line.was_reset, line.sent) == (True, b"")
    [entry] = journal.entries()
    assert (entry.status, entry.headers, entry.body, entry.response) == (None, (), b"", None)
    assert (entry.source, entry.size) == ("fault reset", 20)


def test_the_target_may_take_its_time():
    """The reply is sent when it is there."""
    status, headers, body, observer = ask(serving(), b'{"action": "new"}', Late())
    assert (status, headers["x-asked"], body) == (201, "POST /", b'{"action": "new"}')
    assert [(entry.source, entry.status, entry.miss is not None) for entry in observer.all] == [("forward", 201, True)]


def test_what_decompresses_to_too_much_is_refused():
    """And not kept."""
    status, _, body, observer = ask(serving(), gzip.compress(b"x" * 101), limit=100, coding="gzip")
    assert status == 413
    assert json.loads(body) == {"error": "the request is larger than 100 bytes"}
    assert [(served.source, served.request.body.kind) for served in observer.all] == [("error", "absent")]


def test_the_bot_never_sees_a_traceback():
    """A bug of ours is a 500 in JSON, and told on the terminal with its place."""
    status, headers, body, observer = ask(Broken(), b"{}")
    assert (status, headers["content-type"]) == (500, "application/json")
    assert b"a bug" not in body
    [message] = observer.bad
    assert "ZeroDivisionError: a bug (test_app.py:" in message


@pytest.mark.parametrize("status", [101, 600, 999])
def test_a_status_that_http_servers_do_not_send_is_a_500(status):
    """It says which one was recorded."""
    replayer = serving(exchange(answered=Response(status, (), Body("text", "odd"))))
    got, headers, body, _ = ask(replayer, json.dumps(START).encode())
    assert (got, headers["Aimyproxy-Answer"]) == (500, "exact; exchange=1")
    assert str(status).encode() in body
