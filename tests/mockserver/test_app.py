from __future__ import annotations

import asyncio
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
from aimyproxy.mockserver.onmiss import Empty, Explain
from tests.builders import START, exchange
from tests.mockserver.observers import Remembering
from tests.mockserver.test_messages import part, receiving, scope


class Broken:
    def answer(self, _request):
        raise ZeroDivisionError("a bug")


def serving(*exchanges, mock=None):
    mocks = [Mock.parse(3, mock)] if mock else []
    return Replayer(Index.build(enumerate(exchanges, 1), mocks), "shop")


class Unreachable:
    async def reply(self, _request, _raw, _miss):
        raise AssertionError("nobody was to be asked")


def ask(replayer, body, on_miss=None, limit=10_000, fault=None):
    """Status, headers and body of the reply, and what the observer saw."""
    observer, messages = Remembering(), []

    async def send(message):
        messages.append(message)

    trouble = Trouble(faults=Faults([("*", Fault.parse(fault))] if fault else ()), slow_seconds=0)
    app = App(replayer, on_miss or Explain(), observer, Journal(), limit, trouble=trouble)
    asyncio.run(app({**scope(), "path": "/"}, receiving(part(body)), send))
    start, *content = messages
    return start["status"], dict(start["headers"]), b"".join(part["body"] for part in content), observer


def test_an_answer_is_served_and_told():
    """With its source in the header and on the terminal."""
    status, headers, body, observer = ask(serving(exchange()), json.dumps(START).encode())
    assert (status, headers[b"Aimyproxy-Answer"]) == (200, b"exact; exchange=1")
    assert headers[b"content-type"] == b"text/html; charset=utf-8"
    assert json.loads(body) == {**START, "greeting": "Привет"}
    [served] = observer.all
    assert (served.event, served.source, served.status, served.miss) == ("start", "exact #1", 200, None)
    assert 0 <= served.milliseconds < 1000


def test_a_mock_may_take_its_time():
    """As many milliseconds as it says."""
    mock = {"event": "start", "answer": {"hi": 1}, "delay_ms": 30, "status": 202}
    status, headers, body, observer = ask(serving(mock=mock), b'{"action": "start"}')
    assert (status, headers[b"Aimyproxy-Answer"], body) == (202, b"mock; mock=3", b'{"hi":1}')
    assert observer.all[0].milliseconds >= 29


def test_a_miss_is_a_404_that_explains_itself():
    """In the body and to the observer."""
    status, headers, body, observer = ask(serving(exchange()), b'{"action": "strat"}')
    assert (status, headers[b"Aimyproxy-Answer"]) == (404, b"miss")
    assert json.loads(body)["nearest"][0]["exchange"] == 1
    assert observer.all[0].miss.document() == json.loads(body)


def test_a_miss_may_be_an_empty_object():
    """The bot goes on; the observer still hears of the miss."""
    status, headers, body, observer = ask(serving(), b'{"action": "start"}', Empty())
    assert (status, headers[b"Aimyproxy-Answer"], body) == (200, b"miss", b"{}\n")
    assert observer.all[0].miss


@pytest.mark.parametrize("fault", ["503", "garbage", "empty"])
def test_what_a_fault_spoils_is_not_asked_of_the_target(fault):
    """Which might take a payment; the miss is known all the same."""
    status, headers, _, observer = ask(serving(), b'{"action": "pay"}', Unreachable(), fault=fault)
    assert (status, headers[b"content-type"]) == (503 if fault == "503" else 200, b"application/json")
    assert [(entry.source, entry.miss is not None) for entry in observer.all] == [(f"fault {fault}", True)]


def test_a_slow_miss_is_asked_of_the_target():
    """It is the answer that comes slowly."""
    _, headers, body, observer = ask(serving(), b'{"action": "pay"}', Empty(), fault="slow")
    assert (headers[b"Aimyproxy-Answer"], body) == (b"fault; kind=slow", b"{}\n")
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
    observer, journal = Remembering(), Journal()
    body = json.dumps(START).encode()
    app = App(
        serving(exchange()), Explain(), observer, journal, trouble=Trouble(faults=Faults([("*", Fault("reset"))]))
    )
    with pytest.raises(KeyError, match="extensions"):
        # No uvicorn is there to be reset.
        asyncio.run(app({**scope(), "path": "/"}, receiving(part(body)), None))
    [entry] = journal.entries()
    assert (entry.status, entry.headers, entry.body, entry.response) == (None, (), b"", None)
    assert (entry.source, entry.size) == ("fault reset", len(body))


def test_too_large_a_request_is_refused():
    """And the connection ends, so that the rest need not be read."""
    status, headers, body, observer = ask(serving(), b"x" * 101, limit=100)
    assert (status, headers[b"connection"]) == (413, b"close")
    assert json.loads(body) == {"error": "the request is larger than 100 bytes"}
    assert [served.source for served in observer.all] == ["error"]


def test_the_bot_never_sees_a_traceback():
    """A bug of ours is a 500 in JSON, and told on the terminal with its place."""
    status, headers, body, observer = ask(Broken(), b"{}")
    assert (status, headers[b"content-type"]) == (500, b"application/json")
    assert b"a bug" not in body
    [message] = observer.bad
    assert "ZeroDivisionError: a bug (test_app.py:" in message


@pytest.mark.parametrize("status", [101, 600, 999])
def test_a_status_that_http_servers_do_not_send_is_a_500(status):
    """It says which one was recorded."""
    replayer = serving(exchange(answered=Response(status, (), Body("text", "odd"))))
    got, headers, body, _ = ask(replayer, json.dumps(START).encode())
    assert (got, headers[b"Aimyproxy-Answer"]) == (500, b"exact; exchange=1")
    assert str(status).encode() in body


def test_only_http_is_served():
    """A WebSocket or the lifespan protocol is nobody's business here."""
    app = App(serving(), Explain(), Remembering(), Journal())
    asyncio.run(app({"type": "lifespan"}, receiving(), None))


def test_a_bot_that_hung_up_gets_nothing():
    """There is nobody to answer."""
    observer = Remembering()
    app = App(serving(), Explain(), observer, Journal())
    asyncio.run(app(scope(), receiving({"type": "http.disconnect"}), None))
    assert not observer.all
