from __future__ import annotations

import fcntl
import gzip
import json
import os
import re
import shlex
import signal
import socket
import ssl
import subprocess
import sys
import threading
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
import trustme

from aimyproxy.exchange import Body
from aimyproxy.store.recording import Recording
from tests.builders import START
from tests.processes import (
    Upstream,
    aimyproxy,
    answer,
    answering,
    eventually,
    free_port,
    listening_port,
    post,
    read_message,
    request_bytes,
    run,
    webhook,
)

BOT = json.dumps(START, ensure_ascii=False).encode()
ECHO = answer(b'{"greeting": "\\u041f\\u0440\\u0438"}', b"Content-Type: text/html; charset=utf-8")


@contextmanager
def recorder(tmp_path, target, *arguments, name="shop", **options):
    command = ["record", name, "--target", target, "--listen", "127.0.0.1:0", "--recordings", tmp_path, *arguments]
    with aimyproxy(*command, **options) as process:
        yield process, listening_port(process)
    assert "Traceback" not in "\n".join(process.stderr)


def recorded(tmp_path, name="shop"):
    return [exchange for _, exchange in Recording(tmp_path / name)]


def head_and_body(message):
    head, _, body = message.partition(b"\r\n\r\n")
    return head, body


def test_the_sample_webhooks_answers_pass_and_are_recorded(tmp_path):
    """A webhook in its own process that echoes, lies about its type, escapes its letters and keeps state."""
    with webhook() as url, recorder(tmp_path, url) as (process, port):
        first, second = post(port, BOT), post(port, BOT)
        head, body = head_and_body(first)
        assert b"text/html" in head
        assert b"\\u0418\\u0432\\u0430\\u043d" in body
        assert body != head_and_body(second)[1]
        assert process.stop() == 0
    exchanges = recorded(tmp_path)
    assert [exchange.event for exchange in exchanges] == ["start", "start"]
    assert exchanges[0].conversation == ("telegram", "40112-pizza-tg1", "telegram-40112-pizza-635678009")
    assert exchanges[0].response.body == Body("json", json.loads(body))
    assert exchanges[0].request.body == Body("json", START)
    assert exchanges[0].timing.upstream_ms <= exchanges[0].timing.total_ms
    assert any(re.search(r"1 .*telegram .*start +200 +\d+ ms +[+~]", line) for line in process.stderr)
    assert process.stderr[-1].startswith("Recorded 2 exchanges (0 failed) of 1 conversation into")
    assert process.stdout == []


def test_the_exchange_is_in_the_file_before_the_bot_gets_its_response(tmp_path):
    """At the moment of each answer the file holds it."""
    with Upstream(answering(ECHO)) as upstream, recorder(tmp_path, upstream.url) as (_, port):
        with socket.create_connection(("127.0.0.1", port)) as bot:
            for count in range(1, 100):
                bot.sendall(request_bytes(BOT))
                assert read_message(bot) == ECHO
                assert len(recorded(tmp_path)) == count


def chunked(*parts):
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (*parts, b""))


@pytest.mark.parametrize(
    ("raw", "headers"),
    [
        (b'{"a" :  1.50, "b": "\\u0418"}', []),
        (gzip.compress(b'{"a": "gzip"}', mtime=0), [b"Content-Encoding: gzip"]),
        (zlib.compress(b'{"a": "deflate"}'), [b"Content-Encoding: deflate"]),
        (b"\xff\xfe\x00 no text", [b"Content-Type: application/json"]),
        (b"gzip that is not", [b"Content-Encoding: gzip"]),
        (b'[{"an": "array"}]', []),
        (b"", []),
    ],
)
def test_bodies_pass_untouched_and_are_stored_decoded(tmp_path, raw, headers):
    """The bot and the webhook get each other's very bytes, whatever they are."""
    response = answer(raw, *headers)
    sent = b"".join(header + b"\r\n" for header in headers)
    with Upstream(answering(response)) as upstream, recorder(tmp_path, upstream.url) as (process, port):
        assert post(port, raw, headers=sent) == response
        assert head_and_body(upstream.requests[0])[1] == raw
        assert process.stop() == 0
    exchange = recorded(tmp_path)[0]
    assert exchange.request.body == exchange.response.body
    if b"not" in raw:
        assert exchange.response.body == Body("text", "gzip that is not", encoded=True)
    elif headers and headers[0].startswith(b"Content-Encoding"):
        assert exchange.response.body.kind == "json"


def test_chunked_bodies_keep_their_content(tmp_path):
    """In both directions; how the bytes are cut into chunks is the hop's own affair."""
    parts = (b'{"action": "st', b'art", "userId": "u"}')
    response = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(*parts)
    with Upstream(answering(response)) as upstream, recorder(tmp_path, upstream.url) as (_, port):
        with socket.create_connection(("127.0.0.1", port)) as bot:
            bot.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(*parts))
            got = read_message(bot)
        for message in (got, upstream.requests[0]):
            head, body = head_and_body(message)
            assert b"chunked" in head
            assert b"".join(re.findall(rb"[0-9a-f]+\r\n(.+)\r\n", body)) == b"".join(parts)
    assert recorded(tmp_path)[0].event == "start"


def test_the_bots_path_is_joined_to_the_targets(tmp_path):
    """The bot's `/` is the target as given; anything further is appended. The Host is the target's."""
    with Upstream(answering(ECHO)) as upstream, recorder(tmp_path, upstream.url + "?key=1") as (_, port):
        for path in ("/", "/more", "/?x=2", "/a/b?x=%20"):
            post(port, BOT, path)
        lines = [request.split(b"\r\n")[0].split(b" ")[1] for request in upstream.requests]
        assert lines == [b"/bot?key=1", b"/bot/more?key=1", b"/bot?key=1&x=2", b"/bot/a/b?key=1&x=%20"]
        assert b"Host: 127.0.0.1:%d\r\n" % upstream.port in upstream.requests[0]
    assert [exchange.request.path for exchange in recorded(tmp_path)] == ["/", "/more", "/?x=2", "/a/b?x=%20"]


def test_what_is_no_bots_request_passes_too(tmp_path):
    """A GET, a text and an array are recorded with no event."""
    with Upstream(answering(ECHO)) as upstream, recorder(tmp_path, upstream.url) as (_, port):
        with socket.create_connection(("127.0.0.1", port)) as bot:
            bot.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
            assert read_message(bot) == ECHO
        post(port, b"hello")
        post(port, b'[{"action": "start"}]')
    exchanges = recorded(tmp_path)
    assert [(exchange.event, exchange.conversation) for exchange in exchanges] == [(None, None)] * 3
    assert [exchange.request.method for exchange in exchanges] == ["GET", "POST", "POST"]


def test_old_and_long_lived_connections(tmp_path):
    """HTTP/1.0 without keep-alive, and many requests on one HTTP/1.1 connection, also in one packet."""
    with Upstream(answering(ECHO)) as upstream, recorder(tmp_path, upstream.url) as (_, port):
        with socket.create_connection(("127.0.0.1", port)) as bot:
            bot.sendall(b"POST / HTTP/1.0\r\nContent-Length: %d\r\n\r\n%s" % (len(BOT), BOT))
            assert read_message(bot).endswith(head_and_body(ECHO)[1])
            assert bot.recv(1) == b""
        with socket.create_connection(("127.0.0.1", port)) as bot:
            bot.sendall(request_bytes(BOT) * 3)
            got = b""
            while len(got) < 3 * len(ECHO):
                got += bot.recv(65536)
            assert got == ECHO * 3
    assert len(recorded(tmp_path)) == 4


def test_a_webhook_that_dies_and_comes_back(tmp_path):
    """Nothing listens, then something does: no restart is needed."""
    port_of_target = free_port()
    url = f"http://127.0.0.1:{port_of_target}/bot"
    with recorder(tmp_path, url) as (_, port):
        for _ in range(2):
            head, body = head_and_body(post(port, BOT))
            assert head.startswith(b"HTTP/1.1 502")
            assert json.loads(body)["failure"] == "connect"
        with Upstream(answering(ECHO), port_of_target):
            assert post(port, BOT) == ECHO
        assert json.loads(head_and_body(post(port, BOT))[1])["failure"] == "connect"
    kinds = [exchange.failure and exchange.failure.kind for exchange in recorded(tmp_path)]
    assert kinds == ["connect", "connect", None, "connect"]
    assert recorded(tmp_path)[0].timing.upstream_ms is None


def test_a_name_that_does_not_resolve(tmp_path):
    """The bot reads which name it is."""
    with recorder(tmp_path, "http://no-such-host.invalid/") as (_, port):
        head, body = head_and_body(post(port, BOT))
        assert head.startswith(b"HTTP/1.1 502")
        assert "no-such-host.invalid:80" in json.loads(body)["error"]


def test_a_bot_that_hangs_up_is_recorded_with_the_answer_it_missed(tmp_path):
    """The webhook's answer is worth having; the failure says that the bot was gone."""
    gone = threading.Event()

    def slow(connection, _):
        gone.wait(10)
        connection.sendall(ECHO)
        return True

    with Upstream(slow) as upstream, recorder(tmp_path, upstream.url) as (process, port):
        with socket.create_connection(("127.0.0.1", port)) as bot:
            bot.sendall(request_bytes(BOT))
            eventually(lambda: upstream.requests, "the request")
        gone.set()
        process.wait_for("client_gone")
        with socket.create_connection(("127.0.0.1", port)) as bot:
            bot.sendall(request_bytes(BOT)[:-10])
        eventually(lambda: len(recorded(tmp_path)) == 2, "the second exchange")
        assert post(port, BOT) == ECHO
        assert process.stop() == 0
    answered, unfinished, last = recorded(tmp_path)
    assert answered.failure.kind == "client_gone"
    assert answered.response.body.value == {"greeting": "При"}
    assert (unfinished.failure.kind, unfinished.response) == ("client_gone", None)
    assert last.failure is None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_lets_what_is_in_flight_complete(tmp_path, number):
    """The bot gets its answer, the recording its exchange, and the command ends with 0."""
    release = threading.Event()

    def slow(connection, _):
        release.wait(10)
        connection.sendall(ECHO)
        return True

    with Upstream(slow) as upstream, recorder(tmp_path, upstream.url) as (process, port):
        with (
            socket.create_connection(("127.0.0.1", port)) as idle,
            socket.create_connection(("127.0.0.1", port)) as bot,
        ):
            bot.sendall(request_bytes(BOT))
            eventually(lambda: upstream.requests, "the request")
            process.process.send_signal(number)
            eventually(lambda: refused(port), "the listener to close")
            release.set()
            head, body = head_and_body(read_message(bot))
            assert (body, b"Connection: close" in head) == (head_and_body(ECHO)[1], True)
            assert process.finished() == 0
            assert idle.recv(1) == b""
    assert len(recorded(tmp_path)) == 1


def refused(port):
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return True
    return False


def test_an_existing_recording_is_appended_to(tmp_path):
    """And the user is told."""
    for expected in ("New recording shop in", "Recording shop exists: appending to its 1 exchange."):
        with Upstream(answering(ECHO)) as upstream, recorder(tmp_path, upstream.url) as (process, port):
            post(port, BOT)
            assert process.stop() == 0
            assert process.stderr[0].startswith(expected)
    assert len(recorded(tmp_path)) == 2


def test_a_slow_answer_is_warned_of(tmp_path):
    """Only above `--slow`, and the answer passes all the same."""
    with Upstream(answering(ECHO)) as upstream:
        for slow, warned in (("0", True), ("60", False)):
            with recorder(tmp_path, upstream.url, "--slow", slow) as (process, port):
                assert post(port, BOT) == ECHO
                line = process.wait_for(r"start +200 .*").group()
                assert ("SLOW, above 0 s" in line) == warned


def test_a_torn_recording_is_repaired_and_the_user_told(tmp_path):
    """What a crash left behind does not keep anybody from recording on."""
    with Upstream(answering(ECHO)) as upstream:
        with recorder(tmp_path, upstream.url) as (process, port):
            post(port, BOT)
            process.stop()
        path = tmp_path / "shop" / "exchanges.json"
        path.write_bytes(path.read_bytes()[:-4] + b',\n"2": {"at":')
        with recorder(tmp_path, upstream.url) as (process, port):
            post(port, BOT)
            process.stop()
    assert "ended in an unfinished line of 11 bytes" in process.stderr[0]
    assert "exchanges.json.torn-" in process.stderr[1]
    assert len(recorded(tmp_path)) == 2


def test_trailers_do_no_harm(tmp_path):
    """In either direction they are left out, and all else arrives."""
    message = b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX-Checksum: 1\r\n\r\n"
    with Upstream(answering(b"HTTP/1.1 200 OK\r\n" + message)) as upstream:
        with recorder(tmp_path, upstream.url) as (process, port):
            with socket.create_connection(("127.0.0.1", port)) as bot:
                for _ in range(2):
                    bot.sendall(b"POST / HTTP/1.1\r\nHost: x\r\n" + message)
                    assert read_message(bot).endswith(b"2\r\n{}\r\n0\r\n\r\n")
            assert process.stop() == 0
    assert [exchange.response.body.value for exchange in recorded(tmp_path)] == [{}, {}]


def test_a_request_that_is_no_http_is_recorded_as_such(tmp_path):
    """Two ways to read a body's length are a way to smuggle requests: refused, and the refusal is on record."""
    with Upstream(answering(ECHO)) as upstream, recorder(tmp_path, upstream.url) as (_, port):
        got = post(port, b"0\r\n\r\n", headers=b"Transfer-Encoding: chunked\r\n")
        assert got.startswith(b"HTTP/1.1 400")
        assert upstream.requests == []
    (exchange,) = recorded(tmp_path)
    assert exchange.failure.kind == "protocol"
    assert "The bot sent what is no valid HTTP request" in exchange.failure.message


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    ca = trustme.CA()
    ca.cert_pem.write_to_path(folder / "ca.pem")
    leaf = ca.issue_cert("127.0.0.1", "localhost")
    leaf.private_key_pem.write_to_path(folder / "key.pem")
    for blob in leaf.cert_chain_pems:
        blob.write_to_path(folder / "cert.pem", append=True)
    leaf.private_key_and_cert_chain_pem.write_to_path(folder / "both.pem")
    return folder


@pytest.mark.parametrize("files", [["--cert", "cert.pem", "--key", "key.pem"], ["--cert", "both.pem"]])
def test_it_listens_with_https(tmp_path, authority, files):
    """With the user's own certificate, key in the same file or apart."""
    arguments = [file if file.startswith("--") else authority / file for file in files]
    context = ssl.create_default_context(cafile=authority / "ca.pem")
    with Upstream(answering(ECHO)) as upstream, recorder(tmp_path, upstream.url, *arguments) as (process, port):
        assert any("Listening on https://" in line for line in process.stderr)
        with context.wrap_socket(socket.create_connection(("127.0.0.1", port)), server_hostname="localhost") as bot:
            for _ in range(2):
                bot.sendall(request_bytes(BOT))
                assert read_message(bot) == ECHO
    assert len(recorded(tmp_path)) == 2


def test_a_bot_that_hangs_up_over_https_is_recorded_with_the_answer_it_missed(tmp_path, authority):
    """However rudely it goes."""
    context, gone = ssl.create_default_context(cafile=authority / "ca.pem"), threading.Event()

    def slow(connection, _):
        gone.wait(10)
        connection.sendall(ECHO)
        return True

    with Upstream(slow) as upstream:
        with recorder(tmp_path, upstream.url, "--cert", authority / "both.pem") as (process, port):
            bot = context.wrap_socket(socket.create_connection(("127.0.0.1", port)), server_hostname="localhost")
            bot.sendall(request_bytes(BOT))
            eventually(lambda: upstream.requests, "the request")
            bot.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            bot.close()
            gone.set()
            process.wait_for("start +200 ")
            assert process.stop() == 0
    (exchange,) = recorded(tmp_path)
    assert exchange.response.body.value == {"greeting": "При"}


def test_an_https_target_is_verified(tmp_path, authority):
    """An unknown authority is a failure, a known one is not."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(authority / "both.pem")

    def behave(connection, _):
        raise AssertionError

    with Upstream(behave) as upstream:
        upstream._serve = lambda connection: serve_tls(context, connection)
        url = f"https://localhost:{upstream.port}/bot"
        with recorder(tmp_path, url) as (_, port):
            head, body = head_and_body(post(port, BOT))
            assert head.startswith(b"HTTP/1.1 502")
            assert json.loads(body)["failure"] == "connect"
            assert "ertificate verify failed" in json.loads(body)["error"]
            assert json.loads(body)["error"].endswith("(see --ca).")
        with recorder(tmp_path, url, "--ca", authority / "ca.pem") as (_, port):
            assert post(port, BOT) == ECHO


def serve_tls(context, connection):
    try:
        with context.wrap_socket(connection, server_side=True) as secured:
            while read_message(secured):
                secured.sendall(ECHO)
    except OSError:
        pass


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--target", "hook.example.com"], "'hook.example.com' is no webhook's URL: write it whole, for example"),
        (["--target", "http://x/", "--listen", "nowhere"], "'nowhere' is no address"),
        (["--target", "http://x/", "--listen", "203.0.113.1:80"], "203.0.113.1:80 is no address of this machine"),
        (["--target", "http://x/", "--key", __file__], "--key needs --cert"),
        (["--target", "http://x/", "--cert", __file__], "can't be used"),
        (["--target", "http://x/", "--ca", __file__], "holds no certificates"),
        ([], "Missing option '--target'"),
    ],
)
def test_wrong_usage_is_explained(tmp_path, arguments, message):
    """One sentence, status 2, and no traceback."""
    process = run("record", "shop", "--recordings", tmp_path, *arguments)
    assert process.process.returncode == 2
    shown = " ".join(process.stderr)
    assert message in shown
    assert "Traceback" not in shown
    assert not (tmp_path / "shop").exists()


def test_a_name_that_would_leave_the_folder_is_refused(tmp_path):
    """Names are no paths."""
    process = run("record", "../shop", "--target", "http://x/", "--recordings", tmp_path)
    assert process.process.returncode == 2
    assert "can't be a recording's name" in process.stderr[-1]


def test_a_port_in_use_is_named(tmp_path):
    """With what to do about it."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        process = run("record", "shop", "--target", "http://x/", "--recordings", tmp_path, "--listen", port)
    assert process.process.returncode == 2
    assert process.stderr == [
        f"Error: 127.0.0.1:{port} is in use; stop the other program or choose another address with --listen."
    ]
    assert not (tmp_path / "shop").exists()


def test_a_hosting_platforms_port_is_used(tmp_path, monkeypatch):
    """PORT means every interface."""
    port = free_port()
    monkeypatch.setenv("PORT", str(port))
    with aimyproxy("record", "shop", "--target", "http://x/", "--recordings", tmp_path) as process:
        process.wait_for(rf"Listening on http://0\.0\.0\.0:{port}")


def test_a_platforms_port_that_is_none_is_named(tmp_path, monkeypatch):
    """The user gave no --listen, so that is not to blame."""
    monkeypatch.setenv("PORT", "abc")
    process = run("record", "shop", "--target", "http://x/", "--recordings", tmp_path)
    assert process.process.returncode == 2
    assert "The environment variable PORT is 'abc', which is no port" in process.stderr[-1]


def test_a_file_that_another_process_keeps_locked_holds_up_no_forwarding(tmp_path):
    """A rewrite of a long recording takes its time: all requests reach the webhook meanwhile, and all are recorded."""
    with Upstream(answering(ECHO)) as upstream, recorder(tmp_path, upstream.url) as (process, port):
        post(port, BOT)
        with (tmp_path / "shop" / "exchanges.json").open("rb") as file, ThreadPoolExecutor(3) as bots:
            fcntl.flock(file, fcntl.LOCK_EX)
            waiting = [bots.submit(post, port, BOT) for _ in range(3)]
            eventually(lambda: len(upstream.requests) == 4, "all requests at the webhook")
            assert not any(one.done() for one in waiting)
            fcntl.flock(file, fcntl.LOCK_UN)
            assert all(b"200 OK" in one.result(10) for one in waiting)
        assert process.stop() == 0
    assert len(recorded(tmp_path)) == 4


def test_half_an_emoji_does_not_break_the_recording(tmp_path):
    """What some program cut in two is recorded, and all that follows can be read."""
    with Upstream(answering(ECHO)) as upstream, recorder(tmp_path, upstream.url) as (_, port):
        post(port, b'{"action": "a\\ud83d", "userId": "u\\ud83d", "channelType": "\\ud83d"}')
        with socket.create_connection(("127.0.0.1", port)) as bot:
            bot.sendall(b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n")
            assert read_message(bot) == ECHO
        post(port, BOT)
        assert upstream.requests[1].startswith(b"GET /bot/%FF HTTP/1.1")
    first, second, third = recorded(tmp_path)
    assert (first.event, first.conversation) == ("a?", ("?", None, "u?"))
    assert first.request.body.kind == "text"
    assert (second.request.path, third.event) == ("/\xff", "start")


def test_a_small_body_that_decodes_to_a_huge_one_is_stored_as_it_came(tmp_path):
    """The bot is served at once, and the recording stays small."""
    bomb = gzip.compress(b"\0" * 100_000_000)
    with Upstream(answering(ECHO)) as upstream, recorder(tmp_path, upstream.url) as (_, port):
        assert post(port, bomb, headers=b"Content-Encoding: gzip\r\n") == ECHO
    (exchange,) = recorded(tmp_path)
    assert exchange.request.body == Body("base64", bomb, encoded=True)


def test_the_targets_password_goes_to_the_target_only(tmp_path):
    """Not into the recording, and not onto the terminal."""
    with Upstream(answering(ECHO)) as upstream:
        url = upstream.url.replace("://", "://user:s3cret@")
        with recorder(tmp_path, url) as (process, port):
            post(port, BOT)
            process.stop()
        assert b"Authorization: Basic dXNlcjpzM2NyZXQ=" in upstream.requests[0]
    kept = (tmp_path / "shop" / "exchanges.json").read_text() + "\n".join(process.stderr)
    assert "s3cret" not in kept
    assert "dXNlcjpzM2NyZXQ" not in kept


def test_a_bot_that_never_finishes_its_request_does_not_hold_up_the_end(tmp_path):
    """There is nothing to complete."""
    with Upstream(answering(ECHO)) as upstream, recorder(tmp_path, upstream.url) as (process, port):
        with socket.create_connection(("127.0.0.1", port)) as bot:
            bot.sendall(request_bytes(BOT)[:-10])
            assert post(port, BOT) == ECHO
            assert process.stop(signal.SIGTERM) == 0


def test_the_bot_is_served_when_nobody_reads_the_terminal_any_more(tmp_path):
    """As behind `2>&1 | head -2`."""
    with Upstream(answering(ECHO)) as upstream:
        read, write = os.pipe()
        os.close(read)
        command = [sys.executable, "-m", "aimyproxy", "record", "other", "--target", upstream.url]
        second_port = free_port()
        arguments = ["--listen", str(second_port), "--recordings", str(tmp_path)]
        with subprocess.Popen([*command, *arguments], stdout=write, stderr=write) as unheard:
            os.close(write)
            eventually(lambda: not refused(second_port), "the listener")
            assert [post(second_port, BOT) for _ in range(3)] == [ECHO] * 3
            unheard.terminate()
            assert unheard.wait(20) == 0
        assert len(recorded(tmp_path, "other")) == 3


def listens(port):
    with socket.socket() as probe:
        return not probe.connect_ex(("127.0.0.1", port))


def test_a_recorder_without_standard_error_records(tmp_path):
    """Some services are started so; what there is to tell is told nobody."""
    port = free_port()
    with Upstream(answering(ECHO)) as upstream:
        command = [sys.executable, "-m", "aimyproxy", "record", "shop", "--target", upstream.url]
        arguments = ["--listen", str(port), "--recordings", str(tmp_path)]
        script = f"exec {shlex.join([*command, *arguments])} 2>&-"
        with subprocess.Popen(["/bin/sh", "-c", script]) as process:
            eventually(lambda: listens(port), "the recorder")
            assert post(port, BOT) == ECHO
            process.terminate()
            assert process.wait(30) == 0
    assert len(recorded(tmp_path)) == 1


def test_a_terminal_that_nobody_reads_stops_no_traffic(tmp_path):
    """Though the pipe behind standard error is full, the bot gets its answers, and all are recorded."""
    command = [sys.executable, "-m", "aimyproxy", "record", "shop", "--recordings", tmp_path, "--listen"]
    port = free_port()
    with Upstream(answering(ECHO)) as upstream:
        command += [f"127.0.0.1:{port}", "--target", upstream.url]
        process = subprocess.Popen(command, stderr=subprocess.PIPE)
        try:
            eventually(lambda: listens(port), "a listener")
            with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
                for _ in range(1200):
                    connection.sendall(request_bytes(BOT))
                    assert read_message(connection) == ECHO
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 0
        finally:
            process.kill()
            process.stderr.close()
            process.wait()
    assert len(recorded(tmp_path)) == 1200
