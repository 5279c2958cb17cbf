"""A guard in front of a mock server, over raw sockets: whatever a request is like, a stranger's goes nowhere."""

from __future__ import annotations

import socket
from contextlib import contextmanager

import pytest

from aimyproxy.guard import Guard, SecretHeader
from aimyproxy.limiter import Rate
from aimyproxy.mockserver.background import in_background
from aimyproxy.mockserver.limits import Limits
from aimyproxy.mockserver.onmiss import Explain
from aimyproxy.mockserver.server import Settings, mock_server
from aimyproxy.store.recording import Recording
from tests.builders import exchange, request, response
from tests.mockserver.observers import Remembering
from tests.processes import PATIENCE

SECRET = b"k3J9-secret"
KNOWN = b"X-Key: " + SECRET + b"\r\n"
PATH = b"/in/" + SECRET
ASK = b'{"action": "ask"}'


@contextmanager
def serving(folder, rate=None):
    recording = Recording.create(folder / "shop", "http://localhost")
    recording.append(exchange(request({"action": "ask"}), response({"n": 1})))
    observer = Remembering()
    guard = Guard(SecretHeader("X-Key", SECRET.decode()), PATH.decode(), rate and Rate.parse(rate))
    settings = Settings(("127.0.0.1", 0), guard=guard, grace=1, limits=Limits(body=1000))
    with mock_server(settings, recording, Explain(), observer) as server, in_background(server):
        yield int(server.url.rpartition(":")[2]), observer, server.journal
    recording.close()


@pytest.fixture
def guarded(tmp_path):
    with serving(tmp_path) as found:
        yield found


def said(port, *parts):
    """All that is answered until the server closes the connection, or we have nothing more to say."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as bot:
        bot.sendall(b"".join(parts))
        bot.shutdown(socket.SHUT_WR)
        received = b""
        while more := bot.recv(65536):
            received += more
    return received


def statuses(received):
    return [int(part[:3]) for part in received.split(b"HTTP/1.1 ")[1:]]


def post(path=PATH, secret=KNOWN, more=b"", body=ASK):
    return b"POST %b HTTP/1.1\r\nHost: a\r\n%b%bContent-Length: %d\r\n\r\n%b" % (path, secret, more, len(body), body)


def nowhere(journal, observer):
    """Whether the secret is in nothing that is remembered."""
    heard = [(entry.request.path, entry.request.headers) for entry in journal.entries()]
    return SECRET.decode() not in f"{heard} {observer.bad} {observer.good} {observer.turned_away}"


def test_the_first_stranger_ends_a_connection(guarded):
    """What is pipelined behind it is nobody's."""
    port, observer, journal = guarded
    received = said(port, post(), post(secret=b""), post())
    assert statuses(received) == [200, 403]
    assert [one.reason for one in observer.turned_away] == ["header"]
    assert journal.total == 1
    assert nowhere(journal, observer)


@pytest.mark.parametrize(
    "upgrade",
    [b"Connection: Upgrade\r\nUpgrade: websocket\r\n", b"Connection: upgrade, http2-settings\r\nUpgrade: h2c\r\n"],
)
def test_an_offer_of_another_protocol_changes_nothing(tmp_path, upgrade):
    """Neither who is let in, nor how often a request counts."""
    with serving(tmp_path, "2/h") as (port, observer, journal):
        assert statuses(said(port, post(more=upgrade))) == [200]
        assert statuses(said(port, post(secret=b"", more=upgrade))) == [403]
        assert statuses(said(port, post(more=upgrade))) == [200]
        assert statuses(said(port, post(more=upgrade))) == [429]
        assert nowhere(journal, observer)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (post(body=b"x" * 1001), 413),
        (post(more=b"Upgrade: x\r\nConnection: upgrade\r\n", body=b"x" * 1001), 413),
        (post(more=b"Expect: wonders\r\n"), 417),
        (b"POST " + PATH + b" HTTP/1.1\r\nHost: a\r\n" + KNOWN + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"POST " + PATH + b" HTTP/1.1\r\nHost: a\r\n" + KNOWN + b"Content-Length: 10\r\n\r\n{", 400),
        (post(more=b"Host: b\r\n"), 400),
    ],
)
def test_what_is_refused_for_another_reason_is_remembered_without_secrets(guarded, sent, status):
    """In the journal and on the terminal."""
    port, observer, journal = guarded
    assert statuses(said(port, sent)) == [status]
    assert nowhere(journal, observer)
    assert observer.turned_away == []


def test_a_stranger_is_refused_before_the_body_comes(guarded):
    """Nobody says that it may come, and nothing waits for it."""
    port, observer, _ = guarded
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as bot:
        bot.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 900\r\n\r\n")
        assert statuses(bot.recv(65536)) == [404]
    assert [one.reason for one in observer.turned_away] == ["path"]


def test_a_whole_url_is_a_path_too(guarded):
    """As some senders spell it."""
    port, _, journal = guarded
    assert statuses(said(port, post(b"http://a" + PATH + b"/further?a=1"), post(b"http://a/"))) == [200, 404]
    [entry] = journal.entries()
    assert entry.request.path == "/further?a=1"
