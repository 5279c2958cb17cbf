"""Messages that are read whole: whatever comes, bot, webhook and addons see what they see without that."""

from __future__ import annotations

from collections import deque
from types import SimpleNamespace

import pytest
from h11._receivebuffer import ReceiveBuffer
from hypothesis import given, settings
from hypothesis import strategies as st
from mitmproxy import http
from mitmproxy.connection import Client, ConnectionState, Server
from mitmproxy.proxy import commands, context, events
from mitmproxy.proxy.mode_specs import ProxyMode

from aimyproxy.proxy import whole
from aimyproxy.proxy.layers import HttpLayer

OPTIONS = SimpleNamespace(
    body_size_limit=None,
    connection_strategy="lazy",
    keep_host_header=False,
    rawtcp=False,
    store_streamed_bodies=False,
    stream_large_bodies=None,
    validate_inbound_headers=True,
    websocket=False,
)
MOST = 40
"""The most bytes that a body may have here."""


class Wire:
    """A bot's connection through our layers, and what all see of it."""

    def __init__(self, *, by_whole):
        self.bot = Client(peername=("127.0.0.1", 1), sockname=("127.0.0.1", 2), timestamp_start=1)
        self.bot.state = ConnectionState.OPEN
        self.bot.proxy_mode = ProxyMode.parse("reverse:http://webhook:81")
        surroundings = context.Context(self.bot, OPTIONS)
        surroundings.server = Server(address=("webhook", 81))
        self.webhooks = []
        self.over = set()
        self.said = {}
        self.seen = []
        self.layer = HttpLayer(surroundings, MOST, self.over.__contains__, whole=by_whole)
        self.feed(events.Start())

    def feed(self, event):
        pending = deque([event])
        while pending:
            event = pending.popleft()
            for command in self.layer.handle_event(event):
                if answer := self._done(command):
                    pending.append(answer)
            if isinstance(event, events.ConnectionClosed) and event.connection.state is ConnectionState.CLOSED:
                event.connection.timestamp_end = 1

    def hear(self, connection, data):
        """Something comes from the bot, or from the webhook that was connected last."""
        connection = connection or (self.webhooks[-1] if self.webhooks else None)
        if connection and connection.state & ConnectionState.CAN_READ:
            self.feed(events.DataReceived(connection, data))

    def end(self, whose):
        """The bot or the webhook sends no more."""
        connection = self.bot if whose.startswith("bot") else self.webhooks[-1] if self.webhooks else None
        if connection and connection.state & ConnectionState.CAN_READ:
            connection.state &= ~ConnectionState.CAN_READ
            self.feed(events.ConnectionClosed(connection))

    def _done(self, command):
        if isinstance(command, commands.SendData):
            if command.connection.state & ConnectionState.CAN_WRITE:
                self.said[self._name(command.connection)] = (
                    self.said.get(self._name(command.connection), b"") + command.data
                )
        elif isinstance(command, commands.OpenConnection):
            self.webhooks.append(command.connection)
            command.connection.state = ConnectionState.OPEN
            command.connection.timestamp_start = 1
            return events.OpenConnectionCompleted(command, None)
        elif isinstance(command, commands.StartHook):
            self.seen.append(hook(command))
            interfere(command)
            return events.HookCompleted(command) if command.blocking else None
        elif isinstance(command, commands.CloseConnection):
            return self._closed(command)
        return None

    def _closed(self, command):
        half = getattr(command, "half_close", False)
        connection = command.connection
        self.seen.append(("half-closed" if half else "closed", self._name(connection)))
        was_read = connection.state & ConnectionState.CAN_READ
        connection.state &= ~ConnectionState.CAN_WRITE if half else ConnectionState.CLOSED
        if connection.state is ConnectionState.CLOSED:
            if was_read:
                return events.ConnectionClosed(connection)
            connection.timestamp_end = 1
        return None

    def _name(self, connection):
        return "bot" if connection is self.bot else f"webhook {self.webhooks.index(connection)}"


def hook(command):
    """What an addon sees at a hook."""
    flow = command.flow
    request, response = flow.request.data, flow.response and flow.response.data
    return (
        command.name,
        (request.method, request.scheme, request.host, request.port, request.path, request.authority),
        (request.http_version, request.headers.fields, request.content if command.name != "requestheaders" else None),
        response and (response.status_code, response.reason, response.http_version, response.headers.fields),
        response and command.name == "response" and response.content,
        flow.error and flow.error.msg,
        flow.live,
    )


def interfere(command):
    """What our addons do to some flows: answer in the webhook's place, and end the bot's connection."""
    flow = command.flow
    if command.name == "request" and flow.request.path == "/refused":
        flow.response = http.Response.make(403, b"no", {"Connection": "close"})
    if command.name == "response" and flow.request.path == "/last":
        flow.response.headers["Connection"] = "close"


LINES = (
    b"Host: bot",
    b"host: elsewhere:8",
    b"Content-Type: application/json",
    b"Connection: close",
    b"Connection: keep-alive",
    b"connection: Keep-Alive",
    b"Connection: keep-alive, x",
    b"Expect: 100-continue",
    b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: gzip",
    b"Content-Length: 3",
    b"content-length: +2",
    b"Upgrade: websocket",
    b"X-Empty:",
    b"X-Spaces:  a b \t",
    b" folded",
    b"Bad Name: x",
    b"NoColon",
    b"X-High: \xd0\x98",
    b"X-Null: \0",
    b"Set-Cookie: a=b",
)
PLAIN_LINES = (
    b"Content-Type: application/json",
    b"connection: Keep-Alive",
    b"X-Empty:",
    b"X-Spaces:  a b \t",
    b"X-High: \xd0\x98",
)
# Some bodies are too large.
SIZES = st.sampled_from((1, 1, MOST))
FRAMED = st.sampled_from(("right", "right", "right", "short", "long", "none", "chunked"))


@st.composite
def messages(draw, starts):
    """A message's bytes in pieces; every other one is plain and in one piece."""
    odd = draw(st.booleans())
    start = draw(st.sampled_from(starts if odd else starts[:4]))
    lines = [b"Host: bot", *draw(st.lists(st.sampled_from(LINES if odd else PLAIN_LINES), max_size=3))]
    body, framed = draw(st.binary(max_size=6)) * draw(SIZES), draw(FRAMED) if odd else "right"
    if framed == "chunked":
        lines.append(b"Transfer-Encoding: chunked")
        body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body) if body else b"0\r\n\r\n"
    elif framed != "none":
        lines.append(b"Content-Length: %d" % max(0, len(body) + {"right": 0, "short": 1, "long": -1}[framed]))
    message = (b"\n" if odd and draw(st.booleans()) else b"\r\n").join([start, *lines, b"", body])
    if odd and draw(st.booleans()):
        place = draw(st.integers(0, len(message) - 1))
        message = message[:place] + draw(st.binary(max_size=2)) + message[place + 1 :]
    cuts = sorted(draw(st.lists(st.integers(0, len(message)), max_size=2))) if odd else []
    return [message[one:other] for one, other in zip([0, *cuts], [*cuts, len(message)], strict=True) if one < other]


REQUESTS = messages(
    (
        b"POST / HTTP/1.1",
        b"POST /hook?a=1 HTTP/1.1",
        b"POST /last HTTP/1.1",
        b"POST /refused HTTP/1.1",
        b"GET / HTTP/1.1",
        b"HEAD / HTTP/1.1",
        b"CONNECT a:1 HTTP/1.1",
        b"POST http://a/ HTTP/1.1",
        b"POST / HTTP/1.0",
        b"OPTIONS * HTTP/1.1",
        b"post /\xd0\x98 HTTP/1.1",
    )
)
RESPONSES = messages(
    (
        b"HTTP/1.1 200 OK",
        b"HTTP/1.1 200",
        b"HTTP/1.1 200 ",
        b"HTTP/1.1 204 No Content",
        b"HTTP/1.1 500 Internal  Server Error",
        b"HTTP/1.1 304 Not Modified",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK",
        b"HTTP/1.1 101 Switching Protocols",
        b"HTTP/1.0 200 OK",
        b"HTTP/1.1 1000 What",
    )
)
ROUNDS = st.lists(
    st.tuples(
        REQUESTS,
        RESPONSES,
        st.sampled_from(("", "", "", "bot", "webhook", "bot, before", "webhook, before", "over", "early")),
    ),
    min_size=1,
    max_size=3,
)


def played(rounds, *, by_whole):
    """What bot, webhook and addons saw."""
    wire = Wire(by_whole=by_whole)
    try:
        for request, response, happens in rounds:
            if happens == "over":
                wire.over.update(wire.webhooks)
            sides = (
                [(None, response), (wire.bot, request)]
                if happens == "early"
                else [(wire.bot, request), (None, response)]
            )
            for side, pieces in sides:
                if side is None and happens.endswith("before"):
                    wire.end(happens)
                for piece in pieces:
                    wire.hear(side, piece)
            if happens in ("bot", "webhook"):
                wire.end(happens)
    except Exception as error:  # mitmproxy's own: its connection handler logs them
        wire.seen.append(("crashed", type(error)))
    return wire.said, wire.seen, [connection.state for connection in (wire.bot, *wire.webhooks)]


# A round takes a millisecond, and oddities have to meet.
@settings(max_examples=10 * settings.default.max_examples)
@given(ROUNDS)
def test_nobody_notices_that_a_message_is_read_whole(rounds):
    """Bytes to either side, what each addon sees, and when connections are closed: all the same, whatever comes."""
    assert played(rounds, by_whole=True) == played(rounds, by_whole=False)


def test_what_is_plain_is_read_whole():
    """Else the comparison above would compare nothing."""
    request = whole.read_request(b"POST /a?b=1 HTTP/1.1\r\nHost: x\r\nX-Y:  z \r\nContent-Length: 2\r\n\r\n{}")
    assert request.data.headers.fields == ((b"Host", b"x"), (b"X-Y", b"z"), (b"Content-Length", b"2"))
    assert (request.method, request.path, request.raw_content) == ("POST", "/a?b=1", b"{}")
    response = whole.read_response(b"HTTP/1.1 404 Not Found\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n")
    assert (response.status_code, response.reason, response.raw_content) == (404, "Not Found", b"")


@pytest.mark.parametrize(
    "line",
    [
        b"Connection: close",
        b"Content-Length: 2",
        b"Content-Length: 02",
        b"Expect: 100-continue",
        b"Transfer-Encoding: chunked",
        b"Host: y",
        b" folded",
        b"Bad Name: x",
        b"X: \0",
        b"X: a\rb",
    ],
)
def test_what_asks_for_more_is_left_to_mitmproxy(line):
    """There is no second reading of what could be read in two ways."""
    plain = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"
    assert whole.read_request(plain)
    assert whole.read_request(plain.replace(b"Host: x", b"Host: x\r\n" + line)) is None
    assert whole.read_request(plain + b"P") is None
    assert whole.read_request(plain[:-1]) is None


PLAIN_REQUEST = b"POST / HTTP/1.1\r\nHost: bot\r\nContent-Length: 2\r\n\r\n{}"
PLAIN_RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


def test_connections_that_have_ended_are_forgotten():
    """A bot may keep its connection for months, and its webhook end one behind each answer."""
    wire = Wire(by_whole=True)
    for _ in range(9):
        wire.hear(wire.bot, PLAIN_REQUEST)
        wire.hear(None, PLAIN_RESPONSE)
        wire.end("webhook")
    assert len(wire.webhooks) == 9
    assert len(wire.layer.connections) == 2


@pytest.mark.parametrize("ahead", [PLAIN_REQUEST, PLAIN_REQUEST[:-1], PLAIN_REQUEST[:-5]])
@pytest.mark.parametrize("still_listens", [True, False])
def test_what_was_sent_ahead_has_an_end_too(ahead, still_listens):
    """An addon would else wait for ever for what a bot had begun to ask, and no connection of it would be closed."""
    wire = Wire(by_whole=True)
    wire.hear(wire.bot, PLAIN_REQUEST + ahead)
    if still_listens:
        wire.end("bot")
    else:
        wire.bot.state = ConnectionState.CLOSED
        wire.feed(events.ConnectionClosed(wire.bot))
    wire.hear(None, PLAIN_RESPONSE)
    wire.hear(None, PLAIN_RESPONSE)
    hooks = [name for name, *_ in wire.seen]
    ends = hooks.count("response") + hooks.count("error")
    assert hooks.count("requestheaders") == ends >= 1
    assert wire.bot.state is ConnectionState.CLOSED
    assert wire.said.get("bot", b"").count(b"200 OK") == still_listens * (2 if ahead is PLAIN_REQUEST else 1)


class Watched(ReceiveBuffer):
    """Counts how often all of it is copied."""

    copied = 0

    def __bytes__(self):
        self.copied += 1
        return super().__bytes__()


def test_empty_lines_are_passed_over_at_once():
    """One by one, a megabyte of them would keep all other bots waiting."""
    wire = Wire(by_whole=True)
    reader = wire.layer.connections[wire.bot]
    reader.buf = Watched()
    wire.hear(wire.bot, b"\r\n\n" * 1000 + PLAIN_REQUEST)
    assert [name for name, *_ in wire.seen] == ["requestheaders", "request"]
    assert reader.buf.copied < 10
