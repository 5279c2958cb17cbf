from __future__ import annotations

import asyncio
import json

import pytest

from aimyproxy.answering.index import Index
from aimyproxy.answering.journal import Journal
from aimyproxy.answering.mocks import Mock
from aimyproxy.answering.replayer import Replayer
from aimyproxy.exchange import Body, Response
from aimyproxy.mockserver.app import App
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


def ask(replayer, body, on_miss=None, limit=10_000):
    """Status, headers and body of the reply, and what the observer saw."""
    observer, messages = Remembering(), []

    async def send(message):
        messages.append(message)

    app = App(replayer, on_miss or Explain(), observer, Journal(), limit)
    asyncio.run(app({**scope(), "path": "/"}, receiving(part(body)), send))
    start, content = messages
    return start["status"], dict(start["headers"]), content["body"], observer


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
