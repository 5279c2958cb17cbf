"""The admin surface of a running record: is it well, and how much passed?"""

from __future__ import annotations

import os
import resource
import signal
import socket
import threading

from tests.e2e.surface import TOKEN, Surface
from tests.e2e.test_record import BOT, ECHO, recorded, recorder
from tests.processes import Upstream, answer, answering, eventually, free_port, post, request_bytes, run

ADMIN = ("--admin", "127.0.0.1:0", "--admin-token", TOKEN)


def test_it_tells_what_passed_what_was_refused_and_what_the_shadow_did(tmp_path):
    """As counts by event and status, and as times."""
    broken = answer(b"{}", status=b"500 Oops")
    with (
        Upstream(answering(ECHO, broken, ECHO)) as upstream,
        recorder(tmp_path, upstream.url, *ADMIN, "--shadow", upstream.url, "--rate-limit", "2/h") as (process, port),
    ):
        for _ in range(3):
            post(port, BOT)
        admin = Surface.of(process)
        eventually(lambda: admin.metrics()[("aimyproxy_shadow_sent_total",)] == 2, "the shadow's answers")
        status, health = admin("/health")
        found = admin.metrics()
        assert process.stop() == 0
    assert health.pop("uptime_s") >= 0
    assert (status, health) == (
        200,
        {
            "status": "recording",
            "reason": "",
            "recording": "shop",
            "recorded": 2,
            "waiting": 0,
            "lost": 0,
            "refused": 1,
        },
    )
    events = {name[1:]: value for name, value in found.items() if name[0] == "aimyproxy_exchanges_total"}
    assert sum(events.values()) == 2
    assert {event for event, _ in events} == {"start"}
    for name, value in {
        ("aimyproxy_refused_total", "rate"): 1,
        ("aimyproxy_recorded_total",): 2,
        ("aimyproxy_lost_total",): 0,
        ("aimyproxy_waiting",): 0,
        ("aimyproxy_healthy",): 1,
        ("aimyproxy_total_seconds_count",): 2,
        ("aimyproxy_upstream_seconds_count",): 2,
        ("aimyproxy_shadow_waiting",): 0,
        ("aimyproxy_shadow_dropped_total",): 0,
    }.items():
        assert found[name] == value
    assert TOKEN not in "\n".join(process.stderr)


def test_a_disk_that_refuses_is_bad_health_and_the_bot_is_served(tmp_path):
    """Who has the token learns how much waits; a probe learns that the bot is served."""

    def small_files():
        resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))

    # Not measured by coverage, whose own file would be too large as well.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    with (
        Upstream(answering(ECHO)) as upstream,
        recorder(tmp_path, upstream.url, *ADMIN, preexec_fn=small_files, env=environment) as (process, port),
    ):
        admin = Surface.of(process)
        for _ in range(8):
            assert post(port, BOT) == ECHO
        status, health = admin("/health")
        assert (status, health["status"], health["lost"]) == (503, "holding", 0)
        assert health["recorded"] + health["waiting"] == 8
        assert "exchanges.json can't be written" in health["reason"]
        found = admin.metrics()
        assert found[("aimyproxy_healthy",)] == 0
        assert found[("aimyproxy_waiting",)] == health["waiting"]
        assert found[("aimyproxy_exchanges_total", "start", "200")] == 8
        assert Surface(admin.url, "")("/health") == (200, {"ready": True})
        assert process.stop() == 1


def test_whoever_is_about_to_stop_is_not_ready(tmp_path):
    """While answers are on their way still; the surface tells so until the end."""
    answered = threading.Event()

    def behave(connection, _):
        answered.wait(30)
        connection.sendall(ECHO)

    with Upstream(behave) as upstream, recorder(tmp_path, upstream.url, *ADMIN) as (process, port):
        probe = Surface(Surface.of(process).url, "")
        with socket.create_connection(("127.0.0.1", port), timeout=30) as bot:
            bot.sendall(request_bytes(BOT))
            eventually(lambda: upstream.requests, "the request")
            assert probe("/health") == (200, {"ready": True})
            process.process.send_signal(signal.SIGTERM)
            eventually(lambda: probe("/health") == (503, {"ready": False}), "the end to begin")
            answered.set()
            assert bot.recv(1000).startswith(b"HTTP/1.1 200")
        assert process.finished() == 0
    assert len(recorded(tmp_path)) == 1


def test_it_needs_the_token_and_its_own_name_and_changes_nothing(tmp_path):
    """As the surface of a replay does."""
    with Upstream(answering(ECHO)) as upstream, recorder(tmp_path, upstream.url, "--admin", "0") as (process, _):
        url, token = process.wait_for(r"Admin surface on (http://127\.0\.0\.1:\d+), token (\S+)$").groups()
        admin = Surface(url, token)
        assert len(token) >= 32
        assert admin("/health")[0] == 200
        assert admin("/health", host="evil.example.com")[0] == 421
        assert Surface(url, "")("/metrics")[0] == 401
        assert Surface(url, token + "x")("/health")[0] == 401
        assert admin("/", "GET")[1]["error"] == "There is no / here; there are /health, /metrics."
        for method in ("POST", "DELETE", "PUT", "OPTIONS"):
            assert admin("/health", method)[0] == admin("/metrics", method)[0] == 405
        assert admin("/metrics?x=1")[0] == 400
        assert process.stop() == 0


def test_an_address_in_use_is_told_before_anything_is_written(tmp_path):
    """With the option that chooses another."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        where = ("--recordings", tmp_path, "--listen", free_port(), "--admin", port)
        process = run("record", "shop", "--target", "http://127.0.0.1:1", *where)
    assert process.process.returncode == 2
    told = f"Error: 127.0.0.1:{port} is in use; stop the other program or choose another address with --admin."
    assert process.stderr == [told]
    assert not any(tmp_path.iterdir())
