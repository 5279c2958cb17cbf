"""What no honest bot sends, over raw sockets: refused as it should be, and the server serves on."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import contextmanager

import pytest

from aimyproxy.mockserver.background import in_background
from aimyproxy.mockserver.limits import Limits
from aimyproxy.mockserver.onmiss import Explain
from aimyproxy.mockserver.server import Settings, mock_server
from aimyproxy.store.recording import Recording
from tests.builders import exchange, request, response
from tests.mockserver.observers import Remembering
from tests.processes import PATIENCE

ASK = b'{"action": "ask"}'
LIMITS = Limits(head=4096, body=10_000, head_seconds=0.3, body_seconds=0.3, idle_seconds=0.6, linger_seconds=0.5)
PATIENT = Limits(head=4096, body=10_000)


@contextmanager
def serving(folder, limits):
    recording = Recording.create(folder / "shop", "http://localhost")
    recording.append(exchange(request({"action": "ask"}), response({"n": 1})))
    recording.append(exchange(request({"action": "long"}), response({"text": "x" * 1_000_000})))
    observer = Remembering()
    settings = Settings(("127.0.0.1", 0), limits=limits, grace=1)
    with mock_server(settings, recording, Explain(), observer) as server, in_background(server):
        yield int(server.url.rpartition(":")[2]), observer
    recording.close()


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("recordings"), PATIENT) as (port, _):
        yield port


@pytest.fixture(scope="module")
def hasty(tmp_path_factory):
    """A server that waits for nobody, and what it says of that."""
    with serving(tmp_path_factory.mktemp("recordings"), LIMITS) as (port, observer):
        yield port, observer


def connected(port):
    return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)


def until_closed(bot):
    """All that comes until the server closes."""
    received = b""
    while more := bot.recv(65536):
        received += more
    return received


def talk(port, sent, *, half_close=False):
    """All that comes back on a connection of its own until the server closes it."""
    with connected(port) as bot:
        bot.sendall(sent)
        if half_close:
            bot.shutdown(socket.SHUT_WR)
        return until_closed(bot)


def send_without_end(bot):
    while True:
        bot.sendall(b"a" * 1000)


def statuses(received):
    """The statuses of all responses in it, each of which has a length."""
    found = []
    while received:
        head, _, rest = received.partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        found.append(int(lines[0].split(b" ")[1]))
        length = next((int(line.split(b":")[1]) for line in lines if line.lower().startswith(b"content-length:")), 0)
        received = rest[length:]
    return found


def head(*lines, first=b"POST / HTTP/1.1", host=b"Host: a", end=b"\r\n"):
    return end.join([first, *([host] if host else []), *lines]) + end + end


def chunked(body, *lines):
    return head(b"Transfer-Encoding: chunked", *lines) + body


LAST = b"0\r\n\r\n"
HOSTILE = {
    # Where does it end?
    "length and chunks": (400, head(b"Content-Length: 5", b"Transfer-Encoding: chunked") + LAST),
    "chunks and length": (400, head(b"Transfer-Encoding: chunked", b"Content-Length: 5") + LAST),
    "two lengths": (400, head(b"Content-Length: 3", b"Content-Length: 4") + b"abcd"),
    "the same length twice": (400, head(b"Content-Length: 3", b"Content-Length: 3") + b"abc"),
    "a list of lengths": (400, head(b"Content-Length: 3, 3") + b"abc"),
    "a plus before the length": (400, head(b"Content-Length: +3") + b"abc"),
    "a negative length": (400, head(b"Content-Length: -3") + b"abc"),
    "a hexadecimal length": (400, head(b"Content-Length: 0x3") + b"abc"),
    "a length with an underscore": (400, head(b"Content-Length: 1_0") + b"abc"),
    "two numbers as a length": (400, head(b"Content-Length: 1 2") + b"abc"),
    "no number as a length": (400, head(b"Content-Length:")),
    "a length beyond 64 bits": (400, head(b"Content-Length: 18446744073709551617") + b"abc"),
    "a length in Arabic digits": (400, head("Content-Length: ٣".encode()) + b"abc"),
    "chunked, then identity": (400, head(b"Transfer-Encoding: chunked, identity") + LAST),
    "identity, then chunked": (501, head(b"Transfer-Encoding: identity, chunked") + LAST),
    "gzip, then chunked": (501, head(b"Transfer-Encoding: gzip, chunked") + LAST),
    "identity beside chunked": (501, head(b"Transfer-Encoding: identity", b"Transfer-Encoding: chunked") + LAST),
    "chunked twice": (400, head(b"Transfer-Encoding: chunked, chunked") + LAST),
    "xchunked": (501, head(b"Transfer-Encoding: xchunked") + LAST),
    "chunked in quotes": (501, head(b'Transfer-Encoding: "chunked"') + LAST),
    "chunked with a parameter": (501, head(b"Transfer-Encoding: chunked;a=b") + LAST),
    "chunked behind a vertical tab": (400, head(b"Transfer-Encoding: \x0bchunked") + LAST),
    "no coding at all": (400, head(b"Transfer-Encoding:")),
    "chunks in HTTP/1.0": (400, head(b"Transfer-Encoding: chunked", first=b"POST / HTTP/1.0") + LAST),
    # Is it a header?
    "a blank before the colon": (400, head(b"Content-Length : 3") + b"abc"),
    "a tab before the colon": (400, head(b"Transfer-Encoding\t: chunked") + LAST),
    "a folded line": (400, head(b"X: a\r\n b")),
    "a folded length": (400, head(b"Content-Length:\r\n 3") + b"abc"),
    "a first line that is folded": (400, b"POST / HTTP/1.1\r\n Host: a\r\n\r\n"),
    "a NUL in a value": (400, head(b"X: a\x00b")),
    "a NUL in a name": (400, head(b"X\x00: a")),
    "a NUL in the target": (400, head(first=b"POST /\x00 HTTP/1.1")),
    "a control character": (400, head(b"X: a\x01b")),
    "a letter beyond ASCII in a name": (400, head(b"X\xff: a")),
    "no colon": (400, head(b"Xab")),
    "no name": (400, head(b": a")),
    "bare line feeds": (400, head(b"Content-Length: 0", end=b"\n")),
    "one bare line feed": (400, b"POST / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n"),
    "a bare carriage return": (400, b"POST / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n"),
    "a line feed at the end": (400, b"POST / HTTP/1.1\r\nHost: a\r\n\n"),
    # Are they chunks?
    "a plus before the size": (400, chunked(b"+3\r\nabc\r\n" + LAST)),
    "a negative size": (400, chunked(b"-3\r\nabc\r\n" + LAST)),
    "a size with 0x": (400, chunked(b"0x3\r\nabc\r\n" + LAST)),
    "a size beyond 64 bits": (400, chunked(b"10000000000000003\r\nabc\r\n" + LAST)),
    "a size that is none": (400, chunked(b"zz\r\nabc\r\n" + LAST)),
    "no size": (400, chunked(b"\r\nabc\r\n" + LAST)),
    "a blank behind the size": (400, chunked(b"3 \r\nabc\r\n" + LAST)),
    "a line feed in an extension": (400, chunked(b"3;a\nb\r\nabc\r\n" + LAST)),
    "line feeds behind chunks": (400, chunked(b"3\nabc\n0\n\n")),
    "a chunk that is longer": (400, chunked(b"3\r\nabcd\r\n" + LAST)),
    "a chunk that is shorter": (400, chunked(b"3\r\nab\r\n" + LAST)),
    "a length as a trailer": (400, chunked(b"3\r\nabc\r\n0\r\nContent-Length: 5\r\n\r\n")),
    "an extension without an end": (400, chunked(b"3;a=" + b"b" * 70_000)),
    "zeros without an end": (400, chunked(b"0" * 70_000)),
    "many extensions": (400, chunked((b"1;" + b"e" * 1000 + b"\r\na\r\n") * 70)),
    "trailers without an end": (431, chunked(b"0\r\n" + b"X: y\r\n" * 1000)),
    # Is it a request?
    "a small method": (501, head(first=b"post / HTTP/1.1")),
    "an unknown method": (501, head(first=b"BREW / HTTP/1.1")),
    "a tunnel": (405, head(first=b"CONNECT a:80 HTTP/1.1")),
    "HTTP/0.9": (505, b"GET /\r\n\r\n"),
    "HTTP/2 at once": (400, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "HTTP/2.0": (505, head(first=b"POST / HTTP/2.0")),
    "HTTP/1.2": (400, head(first=b"POST / HTTP/1.2")),
    "HTTP/1.11": (400, head(first=b"POST / HTTP/1.11")),
    "http/1.1": (400, head(first=b"POST / http/1.1")),
    "no version": (505, head(first=b"POST /")),
    "a blank in the target": (400, head(first=b"POST /a b HTTP/1.1")),
    "bytes beyond ASCII in the target": (400, head(first=b"POST /\xff HTTP/1.1")),
    "no path": (400, head(first=b"POST foo HTTP/1.1")),
    "a target of another kind": (400, head(first=b"POST ftp://a/b HTTP/1.1")),
    "no host": (400, head(host=None)),
    "two hosts": (400, head(b"Host: b")),
    "no host's name": (400, head(host=b"Host: a/b")),
    "another expectation": (417, head(b"Expect: 200-ok", b"Content-Length: 3") + b"abc"),
    "TLS": (400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    "garbage": (501, b"\x00\xff\xfe garbage\r\n\r\n"),
    # Is it too much?
    "a long value": (431, head(b"X: " + b"a" * 5000)),
    "many headers": (431, head(*[b"X: a"] * 1000)),
    "a long target": (431, head(first=b"POST /" + b"a" * 5000 + b" HTTP/1.1")),
    "a long head without an end": (431, b"POST / HTTP/1.1\r\nX: " + b"a" * 70_000),
    "a long body": (413, head(b"Content-Length: 10001")),
    "a long body that waits for a word": (413, head(b"Content-Length: 10001", b"Expect: 100-continue")),
    "a long body in chunks": (413, chunked(b"2711\r\n" + b"a" * 10_001)),
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("piecewise", [False, True])
def test_what_is_no_honest_request_is_refused(port, name, piecewise):
    """With one sentence of JSON and the end of the connection, so that nothing smuggled behind it is answered."""
    status, sent = HOSTILE[name]
    hidden = b"" if name.endswith("without an end") else head(b"Content-Length: 17") + ASK
    with connected(port) as bot:
        if piecewise:
            # Byte by byte up to where it matters, so that nothing depends on what comes together.
            for at in range(min(len(sent), 300)):
                bot.send(sent[at : at + 1])
        bot.sendall(sent[300 if piecewise else 0 :] + hidden)
        received = until_closed(bot)
    assert statuses(received) == [status], received
    assert b"Connection: close" in received
    if not sent.startswith(b"HEAD"):
        assert list(json.loads(received.partition(b"\r\n\r\n")[2])) == ["error"]
    assert statuses(talk(port, head(b"Content-Length: 17", b"Connection: close") + ASK)) == [200]


HONEST = {
    "a whole URL as target": head(b"Content-Length: 17", first=b"POST http://b/p?q HTTP/1.1") + ASK,
    "a fragment": head(b"Content-Length: 17", first=b"POST /p#q HTTP/1.1") + ASK,
    "empty lines before it": b"\r\n\r\n" + head(b"Content-Length: 17") + ASK,
    "zeros before the length": head(b"Content-Length: 0017") + ASK,
    "chunks": chunked(b"5\r\n" + ASK[:5] + b"\r\nC;a=b\r\n" + ASK[5:] + b"\r\n0\r\nX: y\r\n\r\n"),
    "a chunk for each byte": chunked(b"".join(b"1\r\n%c\r\n" % byte for byte in ASK) + LAST),
    "an offer of HTTP/2": head(b"Connection: Upgrade", b"Upgrade: h2c", b"Content-Length: 17") + ASK,
    "an offer of a WebSocket": head(b"Connection: Upgrade", b"Upgrade: websocket", b"Content-Length: 17") + ASK,
    "an offer in chunks": chunked(b"11\r\n" + ASK + b"\r\n0\r\n\r\n", b"Connection: Upgrade", b"Upgrade: h2c"),
    "HTTP/1.0 that goes on": head(b"Content-Length: 17", b"Connection: keep-alive", first=b"POST / HTTP/1.0", host=None)
    + ASK,
}


@pytest.mark.parametrize("name", HONEST)
@pytest.mark.parametrize("piecewise", [False, True])
def test_what_is_only_odd_is_answered(port, name, piecewise):
    """And so is what comes behind it."""
    with connected(port) as bot:
        sent = HONEST[name]
        for at in range(0, len(sent), 1 if piecewise else len(sent)):
            bot.sendall(sent[at : at + (1 if piecewise else len(sent))])
        bot.sendall(head(b"Content-Length: 17", b"Connection: close") + ASK)
        received = until_closed(bot)
    assert statuses(received) == [200, 200], received


def test_requests_that_come_together_are_answered_in_their_order(port):
    """However many; a HEAD has no body, and what follows the last is not answered."""
    asked = [b'{"action": "%d"}' % number for number in range(50)]
    sent = b"".join(head(b"Content-Length: %d" % len(body)) + body for body in asked)
    sent += head(first=b"HEAD / HTTP/1.1") + head(first=b"OPTIONS * HTTP/1.1")
    sent += head(b"Content-Length: 17", first=b"POST / HTTP/1.0") + ASK + head(b"Content-Length: 17") + ASK
    received = talk(port, sent)
    places = [received.index(b'"%d"' % number) for number in range(50)]
    assert places == sorted(places)
    tail = received[received.rindex(b'"49"') :]
    assert tail.count(b"HTTP/1.1 404") == 2
    assert tail.count(b"HTTP/1.1 200") == 1
    assert tail.endswith(b'{"n":1}')


def test_a_word_is_said_to_who_waits_for_it(port):
    """Before the body comes, and not where it came anyway."""
    with connected(port) as bot:
        bot.sendall(head(b"Content-Length: 17", b"Expect: 100-continue"))
        assert bot.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        bot.sendall(ASK)
        assert statuses(bot.recv(65536)) == [200]
        bot.sendall(head(b"Content-Length: 17", b"Expect: 100-continue") + ASK)
        assert statuses(bot.recv(65536)) == [200]


def test_who_has_said_all_is_answered(port):
    """Though the other half of the connection is closed."""
    assert statuses(talk(port, head(b"Content-Length: 17") + ASK, half_close=True)) == [200]
    assert statuses(talk(port, head(b"Content-Length: 99") + ASK, half_close=True)) == [400]
    assert statuses(talk(port, b"POST / HTTP/1.1\r\nHo", half_close=True)) == [400]
    assert talk(port, b"", half_close=True) == b""


def test_who_does_not_read_is_not_served_without_end(port):
    """What is answered waits in the system's buffers and a little of ours; when it is read, the rest comes."""
    ask = b'{"action": "long"}'
    asked = (head(b"Content-Length: 18") + ask) * 200
    with connected(port) as bot:
        sending = threading.Thread(target=bot.sendall, args=(asked,))
        sending.start()
        assert statuses(talk(port, head(b"Content-Length: 17", b"Connection: close") + ASK)) == [200]
        received = 0
        while received < 200 * 1_000_000:
            received += len(bot.recv(1 << 20))
        sending.join()


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"POST / HTTP/1.1\r\nHost: a\r\nX: ", 408),
        (head(b"Content-Length: 17") + ASK[:5], 408),
        (chunked(b"3\r\nab"), 408),
        (b"", None),
        (b"\r\n\r\n", None),
    ],
)
def test_who_takes_too_long_is_refused(hasty, sent, status):
    """A connection that says nothing is closed without a word, which would be taken for an answer later."""
    port, _ = hasty
    assert statuses(talk(port, sent)) == ([status] if status else [])


def test_who_says_nothing_more_is_let_go(hasty):
    """After a while."""
    port, _ = hasty
    assert statuses(talk(port, head(b"Content-Length: 17") + ASK)) == [200]


def test_who_never_reads_why_is_let_go(hasty):
    """It may send for a moment, and no longer."""
    port, observer = hasty
    with connected(port) as bot:
        bot.sendall(head(b"Content-Length: 10001"))
        with pytest.raises(OSError, match=r"Broken pipe|reset"):
            send_without_end(bot)
    assert [entry.status for entry in observer.all if entry.source == "error"][-1] == 413


def test_each_reason_is_told_once(hasty):
    """Whoever can reach the server could fill the terminal."""
    port, observer = hasty
    for _ in range(3):
        talk(port, head(host=None))
    told = "Refused a request with status 400: there has to be one Host header."
    assert observer.bad.count(told) == 1
