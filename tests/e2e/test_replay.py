from __future__ import annotations

import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading

import pytest
import trustme

from tests.builders import START, exchange, request, response
from tests.e2e.replays import ask, parsed, replaying, source
from tests.processes import (
    Upstream,
    answer,
    answering,
    eventually,
    free_port,
    read_message,
    request_bytes,
    run,
)

BOT = json.dumps(START, ensure_ascii=False).encode()


def test_a_recorded_conversation_and_a_new_one_are_answered(shop):
    """Exactly, in the conversation's order, or as a guess where there was little to learn from."""
    with replaying(shop) as (process, port):
        status, headers, body = ask(port, lastSeen=1)
        assert (status, headers["aimyproxy-answer"]) == (200, "exact; exchange=1")
        assert headers["content-type"] == "text/html; charset=utf-8"
        assert body == {**START, "lastSeen": 1, "greeting": "Привет"}
        assert source(port, queryText="Новое") == "conversation; exchange=2"
        status, headers, body = ask(port, {"action": "start", "userId": "new", "name": "Пётр"})
        assert headers["aimyproxy-answer"] == "guess; exchange=2"
        assert (body["userId"], body["name"]) == ("new", "Пётр")
        assert ask(port, {"action": "order"})[::2] == (201, {"total": 1180.5})
        assert process.stop() == 0
    assert "replaying shop: 3 exchanges, 0 mocks, 2 events. Ctrl-C stops." in process.stderr[0]
    assert "telegram-40112-pizza-635678009"[-20:] in process.stderr[1]
    assert "exact #1" in process.stderr[1]
    assert process.stderr[-1] == "Stopped after 4 requests: 2 guess, 1 exact, 1 conversation."


def test_edits_are_picked_up_within_a_second(shop):
    """A mock, then a new exchange, without a restart."""
    with replaying(shop) as (process, port):
        shop.mocks.add({"event": "start", "when": {"$.name": "Иван"}, "answer": {"hi": 1}})
        eventually(lambda: source(port) == "mock; mock=1", "the mock", 2)
        assert ask(port)[2] == {"hi": 1}
        shop.append(exchange(request(action="bye"), response({"bye": 1})))
        eventually(lambda: source(port, action="bye") == "exact; exchange=4", "the exchange", 2)
        assert process.stop() == 0


def test_a_broken_edit_is_reported_with_its_place_and_serves_on(shop):
    """Once; and its repair is told."""
    path = shop.mocks.path
    shop.mocks.add({"event": "start", "answer": {"hi": 1}})
    with replaying(shop) as (process, port):
        whole = path.read_text(encoding="utf-8")
        path.write_text(whole.replace('"hi": 1', '"hi": '), encoding="utf-8")
        process.wait_for(r"mocks\.json:\d+:\d+: not valid JSON")
        assert ask(port)[2] == {"hi": 1}
        path.write_text(whole.replace('"hi": 1', '"hi": 2'), encoding="utf-8")
        process.wait_for("Repaired: 3 exchanges, 1 mock, 2 events")
        assert ask(port)[2] == {"hi": 2}
        assert process.stop() == 0
    assert sum("not valid JSON" in line for line in process.stderr) == 1


def test_no_request_is_lost_while_edits_are_taken_over(shop):
    """Every request gets a whole answer, from the old state or the new."""
    with replaying(shop, "--quiet") as (process, port):
        stop, statuses = threading.Event(), []

        def talk():
            with socket.create_connection(("127.0.0.1", port)) as bot:
                while not stop.is_set():
                    bot.sendall(request_bytes(BOT))
                    statuses.append(parsed(read_message(bot))[0])

        talking = threading.Thread(target=talk)
        talking.start()
        for number in range(5):
            shop.mocks.add({"event": "start", "when": {"$.n": number}, "answer": {}})
            process.wait_for(rf"3 exchanges, {number + 1} mocks?,")
        stop.set()
        talking.join()
        assert process.stop() == 0
    assert set(statuses) == {200}
    assert len(process.stderr) == 7


def test_a_miss_explains_itself_to_the_bot_and_on_the_terminal(shop):
    """With the nearest exchange, what differs, and the command that helps."""
    with replaying(shop) as (process, port):
        status, headers, body = ask(port, action="strat")
        assert (status, headers["aimyproxy-answer"]) == (404, "miss")
        assert body["nearest"][0]["exchange"] in (1, 2)
        assert body["nearest"][0]["differences"][0] == {"path": "$.action", "recorded": "start", "request": "strat"}
        process.wait_for(r'#\d start \(event spelled alike\): \$\.action "start" → "strat"')
        process.wait_for(r"aimyproxy mock shop --recordings \S+ strat --answer")
        assert process.stop() == 0
    assert process.stderr[-3:-1] == ["Stopped after 1 request: 1 miss.", "Unanswered:"]
    assert re.fullmatch(r"  strat, once\. To answer it: aimyproxy mock shop --recordings .*", process.stderr[-1])


def test_a_miss_may_be_an_empty_object(shop):
    """If the user says so."""
    with replaying(shop, "--on-miss", "empty") as (_, port):
        status, headers, body = ask(port, action="unknown")
        assert (status, headers["aimyproxy-answer"], body) == (200, "miss", {})


def test_a_miss_may_be_forwarded(shop):
    """To the target; what is recorded is not."""
    with Upstream(answering(answer(b'{"live": true}', b"X-Live: 1"))) as upstream:
        with replaying(shop, "--on-miss", "forward", "--target", upstream.url) as (process, port):
            status, headers, body = ask(port, action="unknown")
            assert (status, headers["aimyproxy-answer"], headers["x-live"]) == (200, "forward", "1")
            assert body == {"live": True}
            assert source(port) == "exact; exchange=1"
            assert process.stop() == 0
        assert len(upstream.requests) == 1
        assert upstream.requests[0].startswith(b"POST /bot HTTP/1.1\r\n")
    assert process.stderr[-1] == "Stopped after 2 requests: 1 forward, 1 exact."


def test_a_target_that_is_down_is_a_502(shop):
    """The bot gets a line of JSON."""
    with replaying(shop, "--on-miss", "forward", "--target", f"http://127.0.0.1:{free_port()}") as (_, port):
        status, headers, body = ask(port, action="unknown")
        assert (status, headers["aimyproxy-answer"], list(body)) == (502, "forward", ["error"])


def test_only_exact_matches_answer_if_wanted(shop):
    """`--match exact` generalises nothing."""
    with replaying(shop, "--match", "exact") as (_, port):
        assert source(port) == "exact; exchange=1"
        assert source(port, name="Пётр") == "miss"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_it_in_order(shop, number):
    """What is in flight is answered first, and the exit status is 0."""
    shop.mocks.add({"event": "slow", "answer": {"done": True}, "delay_ms": 700})
    with replaying(shop) as (process, port), socket.create_connection(("127.0.0.1", port)) as bot:
        bot.sendall(request_bytes(b'{"action": "slow"}'))
        assert source(port) == "exact; exchange=1"
        assert process.stop(number) == 0
        assert parsed(read_message(bot))[2] == {"done": True}
    assert process.stderr[-1] == "Stopped after 2 requests: 1 exact, 1 mock."


def test_a_port_in_use_is_one_clear_sentence(shop):
    """And exit status 2."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        ended = run("replay", "shop", "--listen", address, "--recordings", shop.folder.parent)
    assert ended.process.returncode == 2
    advice = "stop the other program or choose another address with --listen."
    assert ended.stderr == [f"Error: {address} is in use; {advice}"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nope"], "There is no recording nope"),
        (["shop", "--on-miss", "forward"], "--on-miss forward needs --target"),
        (["shop", "--target", "http://localhost"], "--target is for --on-miss forward"),
        (["shop", "--key", "key.pem", "--listen", "x"], "--listen"),
        (["shop", "--match", "fuzzy"], "'exact', 'learned', 'event'"),
        (["shop", "--cert", "bad.pem"], "can't be used"),
        (["shop", "--key", "bad.pem"], "--key needs --cert"),
    ],
)
def test_wrong_usage_is_told_in_a_sentence(shop, arguments, said):
    """With exit status 2 and no traceback."""
    folder = shop.folder.parent
    for name in ("bad.pem", "key.pem"):
        (folder / name).write_text("no certificate", encoding="utf-8")
    ended = run("replay", *arguments, "--recordings", folder, cwd=folder)
    assert ended.process.returncode == 2
    assert said in ended.stderr[-1]
    assert "Traceback" not in "\n".join(ended.stderr)


def test_a_broken_recording_is_an_error_at_start(shop):
    """There is no good state to serve."""
    shop.mocks.path.write_text('{"mocks": {\n"1": {"event": "start"}}}', encoding="utf-8")
    ended = run("replay", "shop", "--listen", "127.0.0.1:0", "--recordings", shop.folder.parent)
    assert ended.process.returncode == 2
    assert "mocks.json:2:1: mock 1: answer is missing" in ended.stderr[-1]


def test_https_is_served_with_a_certificate(shop, tmp_path):
    """And what speaks no TLS gets nothing."""
    authority = trustme.CA()
    issued = authority.issue_cert("localhost")
    issued.private_key_pem.write_to_path(tmp_path / "key.pem")
    issued.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    files = ("--cert", tmp_path / "cert.pem", "--key", tmp_path / "key.pem")
    context = ssl.create_default_context()
    authority.configure_trust(context)
    with replaying(shop, *files) as (process, port):
        with (
            socket.create_connection(("127.0.0.1", port)) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as bot,
        ):
            bot.sendall(request_bytes(BOT))
            assert parsed(read_message(bot))[1]["aimyproxy-answer"] == "exact; exchange=1"
        assert process.stop() == 0
    assert "https://127.0.0.1:" in process.stderr[0]


def test_odd_requests_get_an_answer_too(shop):
    """A HEAD, a body that is too large, garbage, and one that hangs up; the next bot is served as ever."""
    with replaying(shop) as (process, port):
        with socket.create_connection(("127.0.0.1", port)) as bot:
            bot.sendall(b"HEAD /health HTTP/1.1\r\nHost: x\r\n\r\n")
            head = bot.recv(65536)
            assert head.startswith(b"HTTP/1.1 404")
            assert head.endswith(b"\r\n\r\n")
        with socket.create_connection(("127.0.0.1", port)) as bot:
            bot.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n")
            assert parsed(read_message(bot))[0] == 413
        with socket.create_connection(("127.0.0.1", port)) as bot:
            bot.sendall(b"\x16\x03\x01 garbage\r\n\r\n")
            assert bot.recv(65536).startswith(b"HTTP/1.1 400")
        with socket.create_connection(("127.0.0.1", port)) as bot:
            bot.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{")
        with socket.create_connection(("127.0.0.1", port)) as bot:
            deep = b'{"action": "start", "n": ' + b"[" * 700 + b"]" * 700 + b"}"
            bot.sendall(request_bytes(deep))
            assert parsed(read_message(bot))[0] in (404, 500)
        assert source(port) == "exact; exchange=1"
        assert process.stop() == 0


def test_the_terminal_can_not_be_played_with(shop):
    """Control characters of a bot's user are shown, not obeyed."""
    with replaying(shop) as (process, port):
        ask(port, {"action": "\x1b[2Jx\nforged line", "userId": "u"})
        assert process.stop() == 0
    assert not any("\x1b" in line or line.startswith("forged") for line in process.stderr)


def test_the_bot_is_served_though_the_terminal_is_gone(shop):
    """Nobody reads standard error any more: the answers come all the same."""
    command = [sys.executable, "-m", "aimyproxy", "replay", "shop", "--listen", "127.0.0.1:0"]
    reading, writing = os.pipe()
    with subprocess.Popen([*command, "--recordings", str(shop.folder.parent)], stderr=writing) as process:
        os.close(writing)
        with os.fdopen(reading) as lines:
            port = int(lines.readline().split("127.0.0.1:")[1].split(",")[0])
        try:
            assert [source(port) for _ in range(3)] == ["exact; exchange=1"] * 3
        finally:
            process.send_signal(signal.SIGTERM)


def test_a_terminal_that_nobody_reads_stops_no_answer(shop):
    """Though the pipe behind standard error is full."""
    port = free_port()
    command = [sys.executable, "-m", "aimyproxy", "replay", "shop", "--listen", f"127.0.0.1:{port}"]
    with subprocess.Popen([*command, "--recordings", str(shop.folder.parent)], stderr=subprocess.PIPE) as process:
        try:
            eventually(lambda: listens(port), "a listener")
            with socket.create_connection(("127.0.0.1", port), timeout=30) as bot:
                for _ in range(2000):
                    bot.sendall(request_bytes(BOT))
                    assert parsed(read_message(bot))[0] == 200
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 0
        finally:
            process.kill()


def listens(port):
    with socket.socket() as probe:
        return not probe.connect_ex(("127.0.0.1", port))


def test_neither_mitmproxy_nor_what_is_not_needed_is_imported(shop):
    """The start takes a fraction of a second."""
    code = (
        "import sys, threading, time, os, signal\n"
        "at_first = signal.getsignal(signal.SIGTERM)\n"
        "def stop():\n"
        "    while signal.getsignal(signal.SIGTERM) == at_first:\n"
        "        time.sleep(0.01)\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "threading.Thread(target=stop).start()\n"
        "from aimyproxy.cli import run\n"
        f"status = run(['replay', 'shop', '--listen', '127.0.0.1:0', '--recordings', {str(shop.folder.parent)!r}])\n"
        "assert status == 0\n"
        "heavy = {'mitmproxy', 'aiohttp', 'jsonpath', 'rich'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "assert 'uvicorn' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30, stderr=subprocess.DEVNULL)
