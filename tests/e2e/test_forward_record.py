"""Misses that are forwarded and become part of the recording."""

from __future__ import annotations

import gzip
import json
import os
import signal

import pytest

from aimyproxy.exchange import Body
from aimyproxy.store.recording import Recording
from tests.e2e.replays import ask, replaying
from tests.e2e.test_record import limit_files
from tests.processes import Upstream, answer, answering, free_port, run

LIVE = answer(b'{"live": true}', b"X-Live: 1", b"Content-Type: text/html")


def forwarding(shop, url, *arguments, **options):
    return replaying(shop, "--on-miss", "forward", "--record", "--target", url, *arguments, **options)


def test_a_forwarded_miss_answers_the_next_time(shop):
    """It is in the file before the bot has its answer, and the webhook is not asked again."""
    with Upstream(answering(LIVE)) as upstream, forwarding(shop, upstream.url) as (process, port):
        assert ask(port, action="menu", queryText="a")[1]["aimyproxy-answer"] == "forward"
        [(identity, exchange)] = list(Recording(shop.folder))[3:]
        process.wait_for("Recorded as exchange 4")
        process.wait_for("Picked up an edit")
        assert ask(port, action="menu", queryText="a")[1]["aimyproxy-answer"] == "exact; exchange=4"
        assert process.stop() == 0
        assert len(upstream.requests) == 1
    assert identity == 4
    assert (exchange.event, exchange.conversation[0]) == ("menu", "telegram")
    assert exchange.request.body.value["queryText"] == "a"
    assert (exchange.response.status, exchange.response.body) == (200, Body("json", {"live": True}))
    assert ("X-Live", "1") in exchange.response.headers
    assert exchange.failure is None
    assert 0 < exchange.timing.upstream_ms <= exchange.timing.total_ms
    assert any(line.startswith("Recorded ") and "of what was forwarded" in line for line in process.stderr)


def test_a_compressed_answer_is_recorded_decoded(shop):
    """The bot gets the bytes, the recording the meaning."""
    body = gzip.compress(b'{"live": true}')
    with Upstream(answering(answer(body, b"Content-Encoding: gzip"))) as upstream:
        with forwarding(shop, upstream.url) as (process, port):
            with pytest.raises(UnicodeDecodeError):
                ask(port, action="menu")
            assert process.stop() == 0
    assert list(Recording(shop.folder))[3][1].response.body == Body("json", {"live": True})


def test_a_webhook_that_fails_is_recorded_as_a_failure(shop):
    """As `record` would have kept it."""
    with forwarding(shop, f"http://127.0.0.1:{free_port()}/") as (process, port):
        assert ask(port, action="menu")[0] == 502
        assert process.stop() == 0
    exchange = list(Recording(shop.folder))[3][1]
    assert exchange.response is None
    assert exchange.failure.kind == "connect"
    assert exchange.timing.upstream_ms is None


@pytest.mark.parametrize(("response", "kind"), [(b"", "disconnect"), (b"no http\r\n\r\n", "protocol")])
def test_what_went_wrong_is_told_apart(shop, response, kind):
    """A hang-up and an answer that is none."""
    with Upstream(lambda connection, _: connection.sendall(response)) as upstream:
        with forwarding(shop, upstream.url) as (process, port):
            assert ask(port, action="menu")[0] == 502
            assert process.stop() == 0
    assert list(Recording(shop.folder))[3][1].failure.kind == kind


def test_a_full_disk_keeps_no_answer_from_the_bot(shop):
    """It is told once, counted, and ends in status 1."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    with Upstream(answering(LIVE)) as upstream:
        with forwarding(shop, upstream.url, preexec_fn=limit_files, env=environment) as (process, port):
            for number in range(6):
                status, _, body = ask(port, action="menu", text=f"{number}" * 900)
                assert (status, body) == (200, {"live": True})
            assert process.stop(signal.SIGTERM) == 1
    lines = [line for line in process.stderr if "NOT RECORDED (menu)" in line]
    assert len(lines) == 1
    assert "could not be recorded; the bot was served" in process.stderr[-1]
    assert json.loads(shop.path.read_text())["exchanges"].keys() >= {"1", "2", "3"}


def test_recording_needs_forwarding(shop):
    """There is nothing else to record."""
    process = run("replay", "shop", "--recordings", shop.folder.parent, "--record")
    assert process.process.returncode == 2
    assert "--record keeps what was forwarded: it needs --on-miss forward" in process.stderr[-1]
