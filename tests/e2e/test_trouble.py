"""What the bot meets when replay takes long or fails on purpose: real processes, raw sockets."""

from __future__ import annotations

import errno
import json
import re
import signal
import socket
import ssl
import time

import pytest
import trustme

from tests.builders import START
from tests.e2e.replays import ask, replaying
from tests.processes import eventually, post, read_message, request_bytes, run

BOT = json.dumps(START, ensure_ascii=False).encode()


def test_a_reset_is_a_reset(shop):
    """And the next connection is served."""
    with replaying(shop, "--fault", "start=reset") as (process, port):
        with socket.create_connection(("127.0.0.1", port)) as bot:
            bot.sendall(request_bytes(BOT))
            with pytest.raises(ConnectionResetError):
                bot.recv(1)
        assert ask(port, action="order")[0] == 201
        process.wait_for(r"start +\S+ +--- +fault reset")
        assert process.stop() == 0
    assert process.stderr[-1] == "Stopped after 2 requests: 1 fault, 1 exact."


def test_a_reset_is_a_reset_with_https_too(shop, tmp_path):
    """No answer, and no orderly end of TLS; the next connection is served."""
    authority = trustme.CA()
    issued = authority.issue_cert("localhost")
    issued.private_key_and_cert_chain_pem.write_to_path(tmp_path / "both.pem")
    context = ssl.create_default_context()
    authority.configure_trust(context)

    def connected(port):
        return context.wrap_socket(socket.create_connection(("127.0.0.1", port), 30), server_hostname="localhost")

    with replaying(shop, "--cert", tmp_path / "both.pem", "--fault", "start=reset") as (process, port):
        with connected(port) as bot:
            bot.sendall(request_bytes(BOT))
            # Asked of TCP: the TLS of Python 3.11 takes a reset for an end.
            met = eventually(lambda: bot.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), "the reset")
            assert met == errno.ECONNRESET
        with connected(port) as bot:
            bot.sendall(request_bytes(b'{"action": "order"}'))
            assert read_message(bot).startswith(b"HTTP/1.1 201")
        assert process.stop() == 0


def test_a_timeout_keeps_the_bot_waiting_and_nobody_else(shop):
    """Until it hangs up; a signal ends it at once."""
    with replaying(shop, "--fault", "start=timeout") as (process, port):
        with socket.create_connection(("127.0.0.1", port)) as bot:
            bot.sendall(request_bytes(BOT))
            process.wait_for("fault timeout")
            assert ask(port, action="order")[0] == 201
            bot.settimeout(0.2)
            with pytest.raises(TimeoutError):
                bot.recv(1)
            begun = time.monotonic()
            assert process.stop(signal.SIGTERM) == 0
            # uvicorn alone would wait ten seconds for the answer.
            assert time.monotonic() - begun < 8
            with pytest.raises(ConnectionResetError):
                bot.recv(1)


def test_a_bot_that_gives_up_waiting_may_ask_again(shop):
    """On another connection; nothing is left of the first."""
    with replaying(shop, "--fault", "start=timeout") as (process, port):
        for _ in range(2):
            with socket.create_connection(("127.0.0.1", port)) as bot:
                bot.sendall(request_bytes(BOT))
        assert ask(port, action="order")[0] == 201
        assert process.stop(signal.SIGTERM) == 0


@pytest.mark.parametrize(
    ("fault", "status", "body"),
    [
        ("503", b"503 ", b'{"error":"The status 503 was asked for with a fault."}\n'),
        ("garbage", b"200 ", b'{"aimyproxy": garbage\x00\xff\xfe'),
        ("empty", b"200 ", b""),
    ],
)
def test_a_wrong_answer_is_whole_http(shop, fault, status, body):
    """With a header that says what it is, on a connection that goes on."""
    with (
        replaying(shop, "--fault", f"start={fault}") as (_, port),
        socket.create_connection(("127.0.0.1", port)) as bot,
    ):
        for _ in range(2):
            bot.sendall(request_bytes(BOT))
            head, _, got = read_message(bot).partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 " + status)
            assert f"Aimyproxy-Answer: fault; kind={fault}".encode().lower() in head.lower()
            assert got == body


@pytest.mark.slow
def test_a_slow_answer_takes_some_ten_seconds(shop):
    """However short it is, and is the same as ever in the end."""
    with replaying(shop) as (_, port):
        usual = ask(port, action="order")
    with replaying(shop, "--fault", "order=slow") as (_, port):
        begun = time.monotonic()
        status, headers, body = ask(port, action="order")
        assert time.monotonic() - begun > 9
    assert (status, headers["content-length"], body) == (usual[0], usual[1]["content-length"], usual[2])


def test_a_slow_answer_comes_in_drops(shop):
    """The head with the whole length at once, then a part after the other."""
    with replaying(shop, "--fault", "start=slow") as (process, port):
        with socket.create_connection(("127.0.0.1", port)) as bot:
            bot.sendall(request_bytes(BOT))
            parts = [bot.recv(65536) for _ in range(3)]
            assert b"kind=slow" in parts[0]
            assert all(0 < len(part) < 200 for part in parts[1:])
            assert process.stop() == 0


def test_the_same_seed_fails_the_same_requests(shop):
    """A run can be repeated, whatever else is asked for in between; its seed is told."""
    met = []
    for others in (0, 1):
        with replaying(shop, "--fault", "*=500:50%", "--seed", "7") as (process, port):
            met.append([])
            for _ in range(12):
                for _ in range(others):
                    ask(port)
                met[-1].append(ask(port, action="order")[0])
            process.wait_for("Faults are on, with --seed 7")
    assert met[0] == met[1]
    assert set(met[0]) == {201, 500}


def test_a_mock_may_be_trouble(shop):
    """Written on the command line; only where its conditions hold."""
    arguments = ("--recordings", shop.folder.parent, "--when", "channelType=vk", "--fault", "404")
    process = run("mock", "shop", "start", *arguments)
    assert process.process.returncode == 0, process.stderr
    with replaying(shop) as (_, port):
        assert ask(port)[0] == 200
        status, headers, _ = ask(port, channelType="vk")
        assert (status, headers["aimyproxy-answer"]) == (404, "fault; kind=404")


def test_a_mock_may_fail_now_and_then(shop):
    """Where it does not, the recording answers."""
    shop.mocks.add({"event": "order", "fault": "500:50%"})
    with replaying(shop) as (_, port):
        asked = [ask(port, action="order") for _ in range(12)]
    assert {(status, body.get("total")) for status, _, body in asked} == {(500, None), (201, 1180.5)}


def test_a_mock_may_fail_now_and_then_where_nothing_else_answers(shop):
    """What it spares is a miss, as without the mock; what it strikes is none. The seed is told."""
    shop.mocks.add({"event": "refund", "fault": "500:50%"})
    with replaying(shop) as (process, port):
        statuses = [ask(port, action="refund")[0] for _ in range(12)]
        assert set(statuses) == {500, 404}
        process.wait_for("Faults are on, with --seed 1")
        assert process.stop() == 0
    told = process.stderr[process.stderr.index("Unanswered:") + 1 :]
    assert str(statuses.count(404)) in re.findall(r"\d+", told[0]), told


def test_answers_may_take_their_time(shop):
    """Without keeping each other waiting."""
    with replaying(shop, "--latency", "1s") as (_, port):
        begun = time.monotonic()
        bots = [socket.create_connection(("127.0.0.1", port)) for _ in range(10)]
        for bot in bots:
            bot.sendall(request_bytes(BOT))
        assert all(read_message(bot).startswith(b"HTTP/1.1 200") for bot in bots)
        assert 1 <= time.monotonic() - begun < 8
        for bot in bots:
            bot.close()


@pytest.mark.parametrize("changes", [{}, {"name": "Мария"}, {"action": "mocked"}, {"action": "at once"}])
def test_answers_may_take_as_long_as_recorded(shop, changes):
    """That was 41.2 ms for each; a mock takes as long as any, unless it says how long."""
    shop.mocks.add({"event": "mocked", "answer": {}})
    shop.mocks.add({"event": "at once", "answer": {}, "delay_ms": 0})
    with replaying(shop, "--latency", "x20") as (process, port):
        assert ask(port, **changes)[0] == 200
        took = float(process.wait_for(r"([\d.]+) ms$")[1])
    assert (took > 823) == (changes.get("action") != "at once")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--latency", "fast"), "--latency: 'fast' is no latency: write none, recorded, x2, 200ms or 100..400ms"),
        (("--fault", "start"), "--fault 'start' has to be EVENT=FAULT"),
        (("--fault", "start=boom"), "--fault 'start=boom': 'boom' is no fault: write timeout, reset, slow"),
    ],
)
def test_what_is_no_trouble_is_refused(shop, arguments, problem):
    """Before anything listens."""
    process = run("replay", "shop", "--recordings", shop.folder.parent, "--listen", "0", *arguments)
    assert process.process.returncode == 2
    assert problem in process.stderr[-1]


def test_an_unknown_event_is_told_and_fails_all_the_same(shop):
    """The bot may send what nobody recorded."""
    with replaying(shop, "--fault", "strat=502") as (process, port):
        process.wait_for("The recording has no event 'strat'")
        assert b"502" in post(port, b'{"action": "strat"}').split(b"\r\n")[0]


def test_a_sequence_may_end_in_a_miss_or_begin_anew(shop):
    """The event start was recorded twice in a conversation."""
    for choice, statuses in (("last", [200] * 4), ("cycle", [200] * 4), ("miss", [200, 200, 404, 404])):
        with replaying(shop, "--after-last", choice) as (process, port):
            asked = [ask(port, queryText=text) for text in ("/start", "Ещё раз", "Ещё раз", "Ещё раз")]
            assert [status for status, _, _ in asked] == statuses
            if choice == "miss":
                assert "No recorded conversation asked for" in asked[2][2]["error"]
                assert "more than 2 times" in asked[2][2]["error"]
                assert process.stop() == 0
