"""Bots that misbehave, all before one recorder: what they get, what is recorded, and that others are served."""

from __future__ import annotations

import json
import re
import resource
import signal
import socket
import sys
import threading
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.builders import START
from tests.e2e.replays import ask, replaying
from tests.e2e.test_record import ECHO, recorded
from tests.processes import (
    Upstream,
    answering,
    eventually,
    listening_port,
    post,
    read_message,
    request_bytes,
    running,
)


@contextmanager
def record(folder, *arguments, launcher=("aimyproxy",), **options):
    """A recorder before a webhook that is well: its process, its port, and the webhook."""
    with Upstream(answering(ECHO)) as upstream:
        given = ["record", "shop", "--target", upstream.url, "--listen", "127.0.0.1:0", "--recordings", str(folder)]
        command = [sys.executable, "-m", *launcher, *given, *arguments]
        with running(command, **options) as process:
            yield process, listening_port(process), upstream
            assert process.stop() == 0
    assert "Traceback" not in "\n".join(process.stderr)


@pytest.fixture(scope="module", params=["1", "2"], ids=["alone", "workers"])
def proxied(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("recordings")
    with record(folder, "--max-body", "1", "--workers", request.param) as (_, port, upstream):
        yield folder, port, upstream


def say(port, *parts, half_close=False):
    """What comes back, to the end, when a bot sends these parts."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as bot:
        for part in parts:
            bot.sendall(part)
        if half_close:
            bot.shutdown(socket.SHUT_WR)
        got = bytearray()
        while more := bot.recv(65536):
            got += more
    return bytes(got)


POST = b"POST / HTTP/1.1\r\nHost: x\r\n"

REFUSED = {
    "garbage": (b"no HTTP at all\r\n\r\n", 400, "Bad HTTP request line"),
    "TLS on a plain port": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400, "Bad HTTP request line"),
    "a header that is none": (POST + b"no colon\r\n\r\n", 400, "Invalid header line"),
    "a length that is none": (POST + b"Content-Length: 1x\r\n\r\n", 400, "ontent-"),
    "two lengths": (POST + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "ransfer-"),
    "chunks that are none": (POST + b"Transfer-Encoding: chunked\r\n\r\nno chunk\r\n", 400, "illegal chunk"),
    "a chunk's line that is endless": (
        POST + b"Transfer-Encoding: chunked\r\n\r\n1;" + b"x" * 300_000,
        400,
        "262,144 bytes",
    ),
    "endless trailers": (
        POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"X: y\r\n" * 50_000,
        400,
        "262,144 bytes",
    ),
    "a whole URL": (b"GET http://127.0.0.1:1/ HTTP/1.1\r\nConnection: close\r\n\r\n", 400, "no open proxy"),
    "CONNECT": (b"CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n", 400, "no open proxy"),
    "an endless head": (POST + b"X: " + b"x" * 300_000, 431, "262,144 bytes"),
    "a whole head too large": (POST + b"X: " + b"x" * 262_112 + b"\r\n\r\n", 431, "262,144 bytes"),
    "a body too large": (POST + b"Content-Length: 3000000\r\n\r\n" + b"x" * 3_000_000, 413, "1,000,000 bytes"),
    "chunks too large": (
        POST + b"Transfer-Encoding: chunked\r\n\r\n" + (b"7a120\r\n%s\r\n" % (b"x" * 500_000)) * 6,
        413,
        "1,000,000 bytes",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_request_is_refused(proxied, name):
    """With a line of JSON that says why, though it is still being sent; the webhook hears nothing of it."""
    folder, port, upstream = proxied
    sent, status, reason = REFUSED[name]
    before = len(upstream.requests)
    head, _, body = say(port, sent).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d" % status)
    assert b"application/json" in head
    assert reason in json.loads(body)["error"]
    # Of what we are built on, neither the name nor options of its own.
    told = (head + body).decode() + "".join(one.failure.message for one in recorded(folder) if one.failure)
    assert not re.search(r"mitmproxy|\boption\b", told)
    assert post(port, b"{}") == ECHO
    assert len(upstream.requests) == before + 1


def test_a_head_may_have_as_much_as_is_said(proxied):
    """To the byte: one more is too much."""
    folder, port, upstream = proxied
    head = POST + b"Connection: close\r\nX: " + b"x" * 262_092 + b"\r\n\r\n"
    assert len(head) == 262_144
    assert say(port, head).startswith(b"HTTP/1.1 200 OK")
    assert len(REFUSED["a whole head too large"][0]) == 262_145
    assert len(upstream.requests[-1]) > 262_000
    assert ["X", "x" * 262_092] in [list(header) for header in recorded(folder)[-1].request.headers]


def test_a_body_that_is_too_large_is_recorded_without_it(proxied):
    """With the reason."""
    folder, port, _ = proxied
    for name in ("a body too large", "chunks too large"):
        say(port, REFUSED[name][0])
        exchange = recorded(folder)[-1]
        assert (exchange.request.method, exchange.request.body.kind) == ("POST", "absent")
        assert exchange.response is None
        assert exchange.failure.kind == "protocol"
        assert exchange.failure.message == "The bot sent a body of more than 1,000,000 bytes (--max-body)."


def test_a_bot_that_has_sent_all_gets_its_answer(proxied):
    """Though it has closed its side: nothing failed."""
    folder, port, _ = proxied
    for body in (b"{}", b"x" * 900_000):
        got = say(port, request_bytes(body), half_close=True)
        assert got.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n") == ECHO
        exchange = recorded(folder)[-1]
        assert (exchange.failure, exchange.response.status) == (None, 200)
    assert say(port, b"POST / HTTP/1.0\r\nContent-Length: 2\r\n\r\n{}", half_close=True) == ECHO
    got = say(port, request_bytes(b"{}") * 3, half_close=True)
    assert got.replace(b"HTTP/1.1 100 Continue\r\n\r\n", b"") == ECHO * 3
    assert [exchange.failure for exchange in recorded(folder)[-3:]] == [None] * 3


def test_requests_in_one_packet_are_answered_in_their_order(proxied):
    """Up to the first that is none."""
    _, port, upstream = proxied
    before = len(upstream.requests)
    got = say(port, request_bytes(b"{}") * 3 + b"no HTTP\r\n\r\n" + request_bytes(b"{}"))
    assert got.startswith(ECHO * 3 + b"HTTP/1.1 400")
    assert len(upstream.requests) == before + 3


def test_empty_lines_before_a_request_are_passed_over(proxied):
    """Some send one behind a body."""
    _, port, _ = proxied
    request = b"\r\n\n" + request_bytes(b"{}")
    assert say(port, request + b"\r\n" + request + b"no HTTP\r\n\r\n").startswith(ECHO * 2 + b"HTTP/1.1 400")


def test_a_bot_that_asks_for_permission_gets_it(proxied):
    """`Expect: 100-continue` is answered at once, and doesn't reach the webhook."""
    _, port, upstream = proxied
    with socket.create_connection(("127.0.0.1", port), timeout=30) as bot:
        bot.sendall(POST + b"Content-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        assert read_message(bot).startswith(b"HTTP/1.1 100 Continue\r\n")
        bot.sendall(b"{}")
        assert read_message(bot) == ECHO
    assert b"xpect" not in upstream.requests[-1]


HOSTS = [
    b"Host: evil.example\r\n",
    b"Host: 127.0.0.1:1\r\nX-Forwarded-Host: evil.example\r\n",
    b"Host: a@b:c/d\r\n",
    b"",
]


@pytest.mark.parametrize("host", HOSTS)
def test_the_host_header_moves_nothing(proxied, host):
    """Whatever it says, the target is asked, under its own name."""
    _, port, upstream = proxied
    with socket.create_connection(("127.0.0.1", port), timeout=30) as bot:
        bot.sendall(b"POST / HTTP/1.1\r\n" + host + b"Content-Length: 2\r\n\r\n{}")
        assert read_message(bot) == ECHO
    (named,) = [line for line in upstream.requests[-1].split(b"\r\n") if line.lower().startswith(b"host:")]
    assert named.lower() == b"host: 127.0.0.1:%d" % upstream.port


def test_two_host_headers_reach_the_webhook_as_one(proxied):
    """Nobody can be led to take the other."""
    _, port, upstream = proxied
    with socket.create_connection(("127.0.0.1", port), timeout=30) as bot:
        bot.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nHost: b\r\nContent-Length: 2\r\n\r\n{}")
        assert read_message(bot) == ECHO
    assert upstream.requests[-1].lower().count(b"host:") == 1


def test_a_header_is_one_line_for_the_webhook(proxied):
    """Whatever it takes for a line's end: what is behind that is no header, and no request."""
    folder, port, upstream = proxied
    with socket.create_connection(("127.0.0.1", port), timeout=30) as bot:
        # Who looks for line ends behind blanks anew from each of them doesn't come to an end.
        bot.sendall(request_bytes(b"{}", headers=b"X: a\rY: b\0c\r\n d\r\nZ: e%sf\r\n" % (b" " * 200_000)))
        assert read_message(bot) == ECHO
    assert b"\r\nX: a Y: b c d\r\n" in upstream.requests[-1]
    assert ("X", "a Y: b c d") in recorded(folder)[-1].request.headers


def test_no_bot_speaks_another_protocol_with_the_webhook(proxied):
    """Which would go round the guard and the recording: the webhook doesn't hear of the offer."""
    folder, port, upstream = proxied
    with socket.create_connection(("127.0.0.1", port), timeout=30) as bot:
        bot.sendall(request_bytes(b"{}", headers=b"Connection: Upgrade\r\nUpgrade: h2c\r\n"))
        assert read_message(bot) == ECHO
    assert b"h2c" not in upstream.requests[-1]
    assert ("Upgrade", "h2c") in recorded(folder)[-1].request.headers


def test_a_bot_that_sends_slowly_is_let_go(tmp_path):
    """Heads and bodies that never end, connections that nothing comes from or far too much; who only waits is not."""
    with record(tmp_path, launcher=("tests.impatient", "1")) as (process, port, upstream):
        release = threading.Event()

        def slow(connection, _):
            release.wait(30)
            connection.sendall(ECHO)
            return True

        upstream._behave = slow
        with ExitStack() as bots:
            waiting, flood, head, body, nothing = (
                bots.enter_context(socket.create_connection(("127.0.0.1", port), timeout=30)) for _ in range(5)
            )
            waiting.sendall(request_bytes(b"{}"))
            flood.sendall(request_bytes(b"{}"))
            with pytest.raises(ConnectionError):
                flood.sendall(b"x" * 100_000_000)
            head.sendall(request_bytes(b"{}")[:20])
            body.sendall(request_bytes(b"{}")[:-1])
            for bot in (head, body, nothing):
                assert bot.recv(1) == b""
            release.set()
            assert read_message(waiting) == ECHO
        process.wait_for("client_gone")
    kinds = [exchange.failure and exchange.failure.kind for exchange in recorded(tmp_path)]
    assert (len(kinds), kinds.count("client_gone"), kinds.count(None)) == (3, 2, 1)


def few_files():
    resource.setrlimit(resource.RLIMIT_NOFILE, (150, 160))


@pytest.mark.skipif(sys.platform != "linux", reason="counts files in /proc")
def test_connections_that_are_opened_and_left_keep_nobody_out(tmp_path):
    """The longest idle ones are closed for new ones; files don't run out, and the limit is used to the full."""
    with record(tmp_path, preexec_fn=few_files) as (process, port, _):
        files = Path(f"/proc/{process.process.pid}/fd")
        with ExitStack() as bots:
            left = [bots.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(300)]
            assert post(port, b"{}") == ECHO
            assert left[0].recv(1) == b""
            eventually(lambda: len(list(files.iterdir())) < 100, "the connections to be closed")
            left[-1].sendall(request_bytes(b"{}"))
            assert read_message(left[-1]) == ECHO
    assert len(recorded(tmp_path)) == 2


@pytest.mark.parametrize("workers", ["1", "2"])
def test_connections_to_replay_that_are_opened_and_left_keep_nobody_out(shop, workers):
    """As with record: the longest idle ones are closed for new ones, in each of the processes."""
    with replaying(shop, "--workers", workers, preexec_fn=few_files) as (process, port):
        with ExitStack() as bots:
            left = [bots.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(300)]
            assert ask(port)[0] == 200
            assert left[0].recv(1) == b""
            left[-1].sendall(request_bytes(json.dumps(START).encode()))
            assert read_message(left[-1]).startswith(b"HTTP/1.1 200")
            (shop.folder / "mocks.json").write_text('{"mocks": {"1": {"event": "new", "answer": {}}}}')
            eventually(lambda: ask(port, action="new")[0] == 200, "the edit")
        assert process.stop() == 0


def most_that_may_wait():
    """How many connections that nobody has taken yet the system lets wait, whatever a program asks for."""
    limit = Path("/proc/sys/net/core/somaxconn")
    return int(limit.read_text()) if limit.exists() else 128


@pytest.mark.skipif(most_that_may_wait() < 1000, reason="the system lets few connections wait")
@pytest.mark.parametrize("serving", [record, replaying])
def test_who_comes_while_it_is_busy_waits_in_the_line(shop, serving):
    """A bot behind a crowd is not sent away: to come again would cost it a second or more."""
    with serving(shop.folder.parent if serving is record else shop) as (process, port, *_), ExitStack() as bots:
        process.process.send_signal(signal.SIGSTOP)
        try:
            for _ in range(900):
                bots.enter_context(socket.create_connection(("127.0.0.1", port), timeout=30))
        except TimeoutError:
            pytest.fail("there was no room in the line")
        finally:
            process.process.send_signal(signal.SIGCONT)
        assert post(port, json.dumps(START).encode()).startswith(b"HTTP/1.1 200")
        assert process.stop() == 0


def answered_at_all(port):
    """What comes for a request; nothing where the connection is turned away."""
    try:
        return post(port, b"{}")
    except ConnectionError:
        return b""


@pytest.mark.skipif(sys.platform != "linux", reason="limits of another process are Linux's")
def test_a_recorder_without_files_lives_on(tmp_path):
    """Who comes when there are none left gets a 502 or is turned away; when there are again, all is well."""
    with record(tmp_path) as (process, port, _):
        assert post(port, b"{}") == ECHO
        pid = process.process.pid
        soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (len(list(Path(f"/proc/{pid}/fd").iterdir())) + 6, hard))
        with ExitStack() as bots:
            got = []
            for _ in range(20):
                bots.enter_context(socket.create_connection(("127.0.0.1", port), timeout=30))
                got.append(answered_at_all(port)[:12])
            assert set(got) <= {b"HTTP/1.1 200", b"HTTP/1.1 502", b""}
            assert len(set(got)) > 1
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))
        assert eventually(lambda: answered_at_all(port), "an answer") == ECHO
    kinds = [exchange.failure and exchange.failure.kind for exchange in recorded(tmp_path)]
    assert kinds.count(None) == got.count(b"HTTP/1.1 200") + 2
    assert kinds.count("connect") == got.count(b"HTTP/1.1 502")
