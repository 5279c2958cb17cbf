"""Who knows no secret, or comes too often, is refused by record and by replay, over real sockets."""

from __future__ import annotations

import json
import os
import signal
import socket

import pytest

from tests.builders import START
from tests.e2e.replays import replaying
from tests.e2e.surface import Surface
from tests.e2e.test_record import BOT, ECHO, head_and_body, recorded, recorder
from tests.processes import Upstream, answering, eventually, post, read_message, request_bytes, run

SECRET = "k3J9-a.secret_of_the_bot"
HEADER = f"X-Key: {SECRET}"
KNOWN = f"x-kEY: {SECRET}\r\n".encode()


def status_of(message):
    return int(message.split(b" ", 2)[1])


def assert_nowhere(secret, tmp_path, process):
    """Neither on the terminal nor in any byte of the folder."""
    assert secret not in "\n".join([*process.stdout, *process.stderr])
    for path in tmp_path.rglob("*"):
        assert path.is_dir() or secret.encode() not in path.read_bytes()


def test_record_lets_in_who_knows_the_header(tmp_path):
    """Others are neither forwarded nor recorded, but counted; the secret goes no further than to us."""
    with (
        Upstream(answering(ECHO)) as upstream,
        recorder(tmp_path, upstream.url, "--require-header", HEADER) as (
            process,
            port,
        ),
    ):
        for headers in (b"", b"X-Key: wrong\r\n", KNOWN + KNOWN, f"X-Key: {SECRET}x\r\n".encode()):
            head, body = head_and_body(post(port, BOT, headers=headers))
            assert status_of(head) == 403
            assert json.loads(body)["error"]
            assert SECRET.encode() not in head + body
        with socket.create_connection(("127.0.0.1", port), timeout=10) as friend:
            for _ in range(2):
                friend.sendall(request_bytes(BOT, headers=KNOWN))
                assert read_message(friend) == ECHO
            friend.sendall(request_bytes(BOT))
            assert status_of(read_message(friend)) == 403
            assert friend.recv(1) == b""
        assert process.stop() == 0
    sent = b"".join(upstream.requests)
    assert (len(upstream.requests), SECRET.encode() in sent, b"x-key" in sent.lower()) == (2, False, False)
    exchanges = recorded(tmp_path)
    assert len(exchanges) == 2
    assert not any(name.lower() == "x-key" for exchange in exchanges for name, _ in exchange.request.headers)
    assert_nowhere(SECRET, tmp_path, process)
    told = [line for line in process.stderr if line.startswith("A request was refused")]
    assert told == ["A request was refused: it lacks the header X-Key, or has another value. Further ones are counted."]
    assert "Refused 5 requests: 5 without the secret header." in process.stderr


def test_record_takes_the_secret_path_away(tmp_path):
    """What stands behind it goes to the target and into the recording."""
    with (
        Upstream(answering(ECHO)) as upstream,
        recorder(tmp_path, upstream.url, "--secret-path", SECRET) as (
            process,
            port,
        ),
    ):
        for path in ("/", f"/{SECRET}x", f"/x/{SECRET}", f"//{SECRET}"):
            assert status_of(post(port, BOT, path)) == 404
        assert status_of(post(port, BOT, f"/{SECRET}")) == 200
        assert status_of(post(port, BOT, f"/{SECRET}/further?a=1")) == 200
        assert process.stop() == 0
    assert [request.split(b" ")[1] for request in upstream.requests] == [b"/bot", b"/bot/further?a=1"]
    assert [exchange.request.path for exchange in recorded(tmp_path)] == ["/", "/further?a=1"]
    assert_nowhere(SECRET, tmp_path, process)
    assert "Refused 4 requests: 4 without the secret path." in process.stderr


@pytest.mark.parametrize("rest", [b"", b"zz\r\n"])
def test_a_request_that_breaks_off_is_recorded_without_the_secrets(tmp_path, rest):
    """And one of a stranger is not recorded at all."""
    with (
        Upstream(answering(ECHO)) as upstream,
        recorder(tmp_path, upstream.url, "--require-header", HEADER, "--secret-path", SECRET) as (process, port),
    ):
        for secret in (b"", KNOWN):
            with socket.create_connection(("127.0.0.1", port), timeout=10) as bot:
                head = f"POST /{SECRET}/further HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n".encode()
                bot.sendall(head + secret + b"\r\n5\r\n{\r\n" + rest)
        eventually(lambda: len(recorded(tmp_path)) == 1, "the request that broke off")
        assert process.stop() == 0
    [exchange] = recorded(tmp_path)
    assert exchange.failure.kind in ("client_gone", "protocol")
    assert exchange.request.path == "/further"
    assert upstream.requests == []
    assert_nowhere(SECRET, tmp_path, process)


def test_what_mitmproxy_refuses_by_itself_is_no_way_in(tmp_path):
    """A head in which two lengths contradict one another: nothing of a stranger, no secret of a friend."""
    odd = b"Transfer-Encoding: chunked\r\n"
    with (
        Upstream(answering(ECHO)) as upstream,
        recorder(tmp_path, upstream.url, "--require-header", HEADER, "--secret-path", SECRET) as (process, port),
    ):
        for path, headers in (("/", odd), (f"/{SECRET}", odd + KNOWN)):
            assert status_of(post(port, BOT, path, headers)) >= 400
        assert status_of(post(port, BOT, f"/{SECRET}", KNOWN)) == 200
        assert process.stop() == 0
    assert len(upstream.requests) == 1
    assert all(exchange.request.path == "/" for exchange in recorded(tmp_path))
    assert_nowhere(SECRET, tmp_path, process)


def test_a_body_that_is_too_large_is_no_way_in(tmp_path):
    """Whether its length is told or only seen: nothing of a stranger, no secret of a friend."""
    options = ("--require-header", HEADER, "--secret-path", SECRET, "--max-body", "0.1")
    chunks = b"186a1\r\n" + b"x" * 100_001 + b"\r\n0\r\n\r\n"
    with Upstream(answering(ECHO)) as upstream, recorder(tmp_path, upstream.url, *options) as (process, port):
        for headers, status in ((b"", (403, 413)), (KNOWN, (413,))):
            head = f"POST /{SECRET} HTTP/1.1\r\nHost: a\r\n".encode() + headers
            assert status_of(post(port, b"x" * 100_001, f"/{SECRET}", headers)) in status
            with socket.create_connection(("127.0.0.1", port), timeout=10) as bot:
                bot.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks)
                assert status_of(read_message(bot)) == status[0]
        eventually(lambda: len(recorded(tmp_path)) == 2, "the friend's requests")
        assert process.stop() == 0
    assert upstream.requests == []
    assert [exchange.request.path for exchange in recorded(tmp_path)] == ["/", "/"]
    assert_nowhere(SECRET, tmp_path, process)
    assert "Refused 2 requests: 2 without the secret header." in process.stderr


def test_a_strangers_long_body_is_read_for_the_refusal_to_arrive(tmp_path):
    """And the connection ends with that."""
    with (
        Upstream(answering(ECHO)) as upstream,
        recorder(tmp_path, upstream.url, "--require-header", HEADER) as (
            process,
            port,
        ),
    ):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as bot:
            bot.sendall(request_bytes(b"x" * 3_000_000))
            assert status_of(read_message(bot)) == 403
            assert bot.recv(1) == b""
        assert process.stop() == 0
    assert recorded(tmp_path) == []


@pytest.mark.parametrize("workers", ["1", "2"])
def test_record_keeps_to_the_rate(tmp_path, workers):
    """What exceeds it gets a 429 that says when to come again, whichever process it comes to."""
    with (
        Upstream(answering(ECHO)) as upstream,
        recorder(tmp_path, upstream.url, "--rate-limit", "3/h", "--workers", workers) as (
            process,
            port,
        ),
    ):
        answers = [post(port, BOT) for _ in range(20)]
        assert [status_of(one) for one in answers] == [200] * 3 + [429] * 17
        assert b"Retry-After: 1200\r\n" in answers[3]
        assert process.stop() == 0
    assert len(upstream.requests) == len(recorded(tmp_path)) == 3
    assert "Refused 17 requests: 17 above the rate limit." in process.stderr


def test_several_workers_of_replay_keep_to_one_rate(shop):
    """As record's do."""
    with replaying(shop, "--rate-limit", "3/h", "--workers", "2") as (process, port):
        answers = [status_of(post(port, BOT)) for _ in range(20)]
        assert answers == [200] * 3 + [429] * 17
        assert process.stop() == 0
    assert "Refused 17 requests: 17 above the rate limit." in process.stderr


def test_replay_lets_in_who_knows(shop, tmp_path):
    """Header, path and rate; what is refused is in no journal, and misses repeat no secret."""
    options = ("--require-header", HEADER, "--secret-path", f"/in/{SECRET}", "--rate-limit", "2/h")
    with replaying(shop, *options) as (process, port):
        bot = json.dumps({**START, "action": "unknown"}).encode()
        path = f"/in/{SECRET}"
        assert status_of(post(port, bot, "/", KNOWN)) == 404
        assert status_of(post(port, bot, path)) == 403
        assert status_of(post(port, bot, path, b"X-Key: wrong\r\n")) == 403
        assert status_of(post(port, BOT, path, KNOWN)) == 200
        missed = post(port, bot, path, KNOWN)
        assert status_of(missed) == 404
        assert SECRET.encode() not in missed
        late = post(port, BOT, path, KNOWN)
        assert status_of(late) == 429
        assert b"retry-after: 1800\r\n" in late.lower()
        assert process.stop(signal.SIGTERM) == 0
    assert_nowhere(SECRET, tmp_path, process)
    assert "Stopped after 2 requests: 1 exact, 1 miss." in process.stderr
    refused = "Refused 4 requests: 2 without the secret header, 1 without the secret path, 1 above the rate limit."
    assert refused in process.stderr


def test_what_replay_forwards_and_records_has_no_secrets(shop, tmp_path):
    """Neither the target nor the recording learns them."""
    with Upstream(answering(ECHO)) as upstream:
        options = ("--on-miss", "forward", "--record", "--target", upstream.url)
        with replaying(shop, *options, "--require-header", HEADER, "--secret-path", SECRET) as (process, port):
            bot = json.dumps({**START, "action": "unknown"}).encode()
            assert status_of(post(port, bot, f"/{SECRET}/further", KNOWN)) == 200
            assert process.stop(signal.SIGTERM) == 0
    [request] = upstream.requests
    assert request.startswith(b"POST /bot/further HTTP/1.1\r\n")
    assert SECRET.encode() not in request
    assert [exchange.request.path for exchange in recorded(tmp_path)][-1] == "/further"
    assert_nowhere(SECRET, tmp_path, process)


def test_secrets_come_from_the_environment_or_a_file(tmp_path):
    """So that they aren't in the list of processes."""
    file = tmp_path / "path"
    file.write_text(f"/{SECRET}\n")
    secrets = {"AIMYPROXY_RECORD_REQUIRE_HEADER": HEADER, "AIMYPROXY_RECORD_SECRET_PATH": f"@{file}"}
    environment = {**os.environ, **secrets}
    with Upstream(answering(ECHO)) as upstream, recorder(tmp_path, upstream.url, env=environment) as (_, port):
        assert status_of(post(port, BOT, f"/{SECRET}", KNOWN)) == 200
        assert status_of(post(port, BOT, f"/{SECRET}")) == 403
        assert status_of(post(port, BOT, "/", KNOWN)) == 404


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (
            ("--require-header", f"X-Key {SECRET}"),
            "Error: --require-header: write a header's name, a colon and a value",
        ),
        (("--require-header", f"Host: {SECRET}"), "Error: --require-header: Host means something to HTTP"),
        (("--require-header", "@/no/such/file"), "/no/such/file can't be read: No such file or directory."),
        (("--secret-path", f"/{SECRET}?a=1"), "Error: --secret-path: write a path of letters, digits"),
        (("--rate-limit", "many"), "Error: --rate-limit: write how many a second, a minute or an hour, as 100/s"),
    ],
)
def test_wrong_use_is_one_sentence_without_the_secret(tmp_path, options, problem):
    """And nothing is begun."""
    root = tmp_path / "recordings"
    process = run("record", "shop", "--target", "http://127.0.0.1:1", "--recordings", root, *options)
    assert process.process.returncode == 2
    assert problem in process.stderr[-1]
    assert SECRET not in "\n".join(process.stderr)
    assert not root.exists()


def test_several_workers_have_one_guard_and_one_admin_surface(tmp_path):
    """Whichever of them a request comes to, it is refused or counted in one place."""
    options = ("--workers", "2", "--require-header", HEADER, "--admin", "127.0.0.1:0", "--admin-token", "s3cret")
    with (
        Upstream(answering(ECHO)) as upstream,
        recorder(tmp_path, upstream.url, *options, fork=False) as (process, port),
    ):
        for _ in range(6):
            assert status_of(post(port, BOT)) == 403
            assert post(port, BOT, headers=KNOWN) == ECHO
        admin = Surface.of(process)
        eventually(lambda: admin("/health")[1]["refused"] == 6, "the refusals of all workers")
        status, health = admin("/health")
        assert (status, health["status"], health["recorded"]) == (200, "recording", 6)
        assert admin.metrics()[("aimyproxy_exchanges_total", "start", "200")] == 6
        assert Surface(admin.url, "")("/health") == (200, {"ready": True})
        assert process.stop() == 0
    assert len(upstream.requests) == len(recorded(tmp_path)) == 6
    assert_nowhere(SECRET, tmp_path, process)
    assert "Refused 6 requests: 6 without the secret header." in process.stderr


def raw(port, target, body=BOT):
    """Status of the answer to a request for exactly this."""
    return status_of(post(port, body, target))


@pytest.mark.parametrize("mode", ["record", "replay"])
def test_nobody_gets_out_of_the_targets_path(shop, tmp_path, mode):
    """Neither asked of the target nor recorded, but counted: its host may serve more than a webhook."""
    unknown = json.dumps({"action": "unknown"}).encode()
    with Upstream(answering(ECHO)) as upstream:
        if mode == "record":
            running = recorder(tmp_path, upstream.url)
        else:
            running = replaying(shop, "--on-miss", "forward", "--record", "--target", upstream.url)
        with running as (process, port):
            for path in ("/../admin", "/a/%2e%2e/%2E%2E/admin", "/..;/admin"):
                assert raw(port, path, unknown) == 400
            assert raw(port, "/further", unknown) == 200
            assert process.stop(signal.SIGTERM) == 0
    assert [request.partition(b" HTTP")[0] for request in upstream.requests] == [b"POST /bot/further"]
    if mode == "record":
        assert [exchange.request.path for exchange in recorded(tmp_path)][3:] == ["/further"]
        assert "Refused 3 requests: 3 for a path outside of the target's." in process.stderr
