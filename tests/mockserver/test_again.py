"""Requests that come again are answered as if they came for the first time."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aimyproxy.answering.fresh import Dice
from aimyproxy.answering.index import Index
from aimyproxy.answering.journal import Journal
from aimyproxy.answering.mocks import Mock
from aimyproxy.answering.replayer import Replayer
from aimyproxy.answering.serving import AFTER_LAST, MATCHES, Serving
from aimyproxy.mockserver.app import App
from aimyproxy.mockserver.connection import Connection
from aimyproxy.mockserver.limits import Limits
from aimyproxy.mockserver.onmiss import Explain
from aimyproxy.mockserver.shared import Shared
from tests.builders import exchange, request, response
from tests.mockserver.observers import Remembering

DATE = re.compile(rb"Date: [^\r]*")
NOW = 1_700_000_000.0
LIMITS = Limits(head=1000, body=2000)
EVENTS, USERS = ("start", "order", "pay"), ("u1", "u2", None)
MOCKS = [
    {"event": "order", "answer": {"mocked": 1}, "when": {"$.n": 1}},
    {"event": "order", "answer": {"n": "{{ n }}", "count": "{{ count }}"}},
    {"event": "pay", "merge": True, "answer": {"merged": True}},
    {"event": "start", "answer": {"edited": True}, "from_exchange": 1},
    {"event": "start", "text": "no", "status": 503},
]


def variables(event, user, number, **more):
    who = {} if user is None else {"userId": user, "channelType": "telegram", "channelId": "c"}
    return {"action": event, **who, "n": number, **more}


def answer_to(asked, echoes):
    answered = {"event": asked["action"], "double": asked["n"] * 2}
    return response({**asked, **answered} if echoes else answered)


def recorded(echoing):
    """Exchanges of all events, of those `echoing` with the whole request in the answer; one of no bot at all."""
    asked = [
        variables(event, user, number) for number in (1, 2, 1, 3) for event in EVENTS for user in USERS if user != "u2"
    ]
    exchanges = [exchange(request(one), answer_to(one, one["action"] in echoing)) for one in asked]
    exchanges.append(exchange(request({"no": "action"}), response({"said": "hello"})))
    return list(enumerate(exchanges, 1))


class Never:
    """Remembers nothing."""

    def get(self, _of):
        return None

    def again(self, _of):
        return False


class Wire:
    """A transport that keeps what is written."""

    def __init__(self):
        self.written = b""
        self.closed = False

    def write(self, data):
        self.written += data

    def get_extra_info(self, _name):
        return None

    def pause_reading(self):
        pass

    def resume_reading(self):
        pass

    def can_write_eof(self):
        return False

    def close(self):
        self.closed = True


class Loops:
    def __init__(self):
        self.connections, self.tasks = set(), set()


class Served:
    """A server without sockets, and one connection to it at a time; `forgets` everything that it could remember."""

    def __init__(self, exchanges, match, serving, *, forgets):
        self.exchanges, self.match = exchanges, match
        self.observer, self.journal = Remembering(), Journal()
        dice = serving.dice and Dice(Random(1), lambda: NOW)
        self.replayer = Replayer(Index.build(exchanges, (), match), serving=Serving(serving.after_last, dice))
        self.app = App(self.replayer, Explain(), self.observer, self.journal)
        self.shared = Shared(self.app, self.observer, LIMITS)
        if forgets:
            self.replayer._lately._known = Never()
            self.shared.heads._known = Never()
        self.connect()

    def connect(self):
        self.wire = Wire()
        self.connection = Connection(self.shared, Loops())
        self.connection.connection_made(self.wire)

    def reload(self, mocks):
        parsed = [Mock.parse(number, mock) for number, mock in enumerate(mocks, 1)]
        # As an edit of the mocks is taken up, or one of the recording.
        edited = self.replayer.index.edited(parsed, {}) if len(mocks) < 2 else None
        self.replayer.index = edited or Index.build(self.exchanges, parsed, self.match)

    async def said(self, pieces):
        """What comes back for these bytes, and whether that is the end; on a new connection where it ended before."""
        if self.wire.closed:
            self.connect()
        self.wire.written = b""
        for piece in pieces:
            self.connection.data_received(piece)
        await asyncio.sleep(0)
        return DATE.sub(b"Date: now", self.wire.written), self.wire.closed

    def told(self):
        """What the journal and the observer know."""
        return [
            (one.number, one.event, one.conversation, one.request, one.response, one.source, one.size, one.miss)
            for one in self.journal.entries()
        ]


def spelled(asked, method, path, lines, spaced, packed):
    """The bytes of a request."""
    body = json.dumps(asked, separators=None if spaced else (",", ":")).encode()
    if packed == "gzip":
        body, lines = gzip.compress(body, mtime=0), (*lines, b"Content-Encoding: gzip")
    if packed == "chunks":
        body, lines = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body), (*lines, b"Transfer-Encoding: chunked")
    else:
        lines = (*lines, b"Content-Length: %d" % len(body))
    return b"\r\n".join([b"%b %b HTTP/1.1" % (method, path), b"Host: bot", *lines]) + b"\r\n\r\n" + body


asked = st.one_of(
    st.builds(variables, st.sampled_from(EVENTS), st.sampled_from(USERS), st.sampled_from([1, 2, 9])),
    st.just({"no": "action"}),
    st.just({"no": "answer"}),
    st.builds(lambda number: variables("order", "u1", number), st.sampled_from([1.0, 2**70, True])),
)
requests = st.builds(
    spelled,
    asked,
    st.sampled_from([b"POST", b"POST", b"POST", b"HEAD", b"PUT"]),
    st.sampled_from([b"/", b"/", b"/other?q"]),
    st.sampled_from([(), (), (b"X-Any: 1",), (b"Connection: close",), (b"Expect: 100-continue",), (b"Upgrade: h2c",)]),
    st.booleans(),
    st.sampled_from(["", "", "gzip", "chunks"]),
)
odd = st.sampled_from(
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 999\r\n\r\n",
        b"GET / HTTP/1.0\r\nHost: a\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}{}",
    ]
)


@st.composite
def sendings(draw, pool):
    """A request that comes in one piece or two, behind another one, in front of one, or as the body of one."""
    data, how = draw(st.sampled_from(pool)), draw(st.integers(0, 9))
    if how == 6:
        return [b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(data), data]
    if how == 7:
        return [draw(st.sampled_from([b"\r\n\r\n", b"\r\n"])) + data]
    if how == 8:
        return [data + draw(st.sampled_from([*pool, b"\r\n", b"{"]))]
    if how == 9:
        cut = draw(st.sampled_from([1, len(data) // 2, len(data) - 1]))
        return [data[:cut], data[cut:]]
    return [data]


@st.composite
def stories(draw):
    """What happens to a server: the same few requests again and again, edits of its mocks, users who begin anew."""
    pool = draw(st.lists(requests, min_size=1, max_size=2)) + draw(st.lists(odd, max_size=1))
    reloads = st.lists(st.sampled_from(MOCKS), max_size=2).map(lambda mocks: ("mocks", mocks))
    forgets = st.sampled_from([("forget", "u1"), ("forget", None)])
    asks = st.tuples(sendings(pool), st.sampled_from([1, 2, 3])).map(lambda asks: ("ask", asks))
    return draw(st.lists(st.one_of(asks, asks, asks, asks, reloads, forgets), min_size=5, max_size=30))


@settings(max_examples=200)
@given(
    stories(),
    st.sets(st.sampled_from(EVENTS)),
    st.sampled_from(MATCHES),
    st.sampled_from(AFTER_LAST),
    st.sampled_from([None, Dice()]),
)
def test_who_remembers_answers_as_who_does_not(story, echoing, match, after_last, dice):
    """Byte for byte, whatever comes between; and the journal and the misses tell the same."""
    asyncio.run(told(story, recorded(echoing), match, Serving(after_last, dice)))


async def told(story, exchanges, match, serving):
    servers = [Served(exchanges, match, serving, forgets=forgets) for forgets in (False, True)]
    for kind, what in story:
        if kind == "ask":
            pieces, times = what
            for _ in range(times):
                one, other = [await server.said(pieces) for server in servers]
                assert one == other
        for server in servers:
            if kind == "mocks":
                server.reload(what)
            elif kind == "forget":
                server.replayer.conversations.forget(what)
    one, other = (server.told() for server in servers)
    assert one == other


@pytest.mark.parametrize(
    "asks",
    [
        spelled(variables("start", "u1", 1), b"POST", b"/", (b"Connection: close",), False, ""),
        b"\r\n\r\n" + spelled(variables("start", "u1", 1), b"POST", b"/", (), False, ""),
        spelled(variables("start", "u1", 1), b"POST", b"/", (), False, "") + b"\r\n",
    ],
)
def test_what_does_not_end_with_its_body_is_read_each_time(asks):
    """The end of a connection, and what came before a head or behind a body, are part of what was said."""

    async def times(count):
        server = Served(recorded(()), "learned", Serving("cycle"), forgets=False)
        return server, {await server.said([asks]) for _ in range(count)}

    server, answers = asyncio.run(times(8))
    assert len(answers) == 2
    assert not len(server.shared.heads._known)


def test_what_came_twice_is_remembered():
    """The second time it is noted, the third time it need not be read; the other way to ask is another head."""
    asyncio.run(remembered())


async def remembered():
    server = Served(recorded(()), "learned", Serving(), forgets=False)
    asks = spelled(variables("start", "u1", 1), b"POST", b"/", (), False, "")
    server.connection._reader._parse = counted = Counted(server.connection._reader._parse)
    answers = [(await server.said([asks]))[0].partition(b"\r\n\r\n")[2] for _ in range(4)]
    assert counted.calls == 2
    assert answers == [b'{"event":"start","double":2}'] * 4
    assert len(server.replayer._lately._known) == 1
    await server.said([spelled(variables("start", "u1", 1), b"POST", b"/", (b"X-Any: 1",), False, "")])
    assert counted.calls == 3


@pytest.mark.parametrize("mocks", [[MOCKS[3]], [MOCKS[4]], [MOCKS[3], MOCKS[0]]])
def test_an_edit_answers_at_once(mocks):
    """Also what was asked and remembered before; and when the edit is taken back, all is as it was."""

    async def bodies():
        server = Served(recorded(()), "learned", Serving(), forgets=False)
        asks = spelled(variables("start", "u1", 1), b"POST", b"/", (), False, "")
        for edits in ([], mocks, []):
            server.reload(edits)
            yield [(await server.said([asks]))[0].partition(b"\r\n\r\n")[2] for _ in range(4)]
            server.replayer.conversations.forget()

    async def gathered():
        return [one async for one in bodies()]

    before, edited, after = asyncio.run(gathered())
    assert before == after
    assert edited[0] != before[0]


class Counted:
    def __init__(self, function):
        self.function = function
        self.calls = 0

    def __call__(self, *arguments):
        self.calls += 1
        return self.function(*arguments)
