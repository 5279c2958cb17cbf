"""Misses that are forwarded and become part of the recording."""

from __future__ import annotations

import gzip
import json
import os
import resource
import signal
from contextlib import contextmanager

import pytest

from aimyproxy.documents import to_document
from aimyproxy.exchange import Body
from aimyproxy.store.recording import Recording
from tests.e2e.replays import ask, replaying
from tests.processes import Upstream, aimyproxy, answer, answering, free_port, listening_port, post, run

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


ODD = b"X: caf\xe9"
ANSWERS = [
    LIVE,
    answer(gzip.compress(b'{"live": true}'), b"Content-Encoding: gzip", ODD),
    answer(b"<h1>\xd0\x98</h1>", ODD, status=b"500 Oops"),
    answer(b"\xff\x00"),
    answer(b"", status=b"204 No Content"),
    b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{",
]


def in_turn(*answers):
    """A webhook that hangs up after each answer."""
    remaining = list(answers)
    return lambda connection, _: connection.sendall(remaining.pop(0))


def kept_by(command, shop):
    """What a command adds to the recording when a bot meets each answer, and then a webhook that is gone."""
    before = shop.path.read_bytes()
    upstream = Upstream(in_turn(*ANSWERS))
    options = ["--target", upstream.url, "--listen", "127.0.0.1:0", "--recordings", shop.folder.parent]
    with aimyproxy(*command, *options) as process:
        port = listening_port(process)
        with upstream:
            for number in range(len(ANSWERS)):
                body = b'{"action": "menu%d", "userId": %d}' % (number, number)
                post(port, body, "/a%20b?c=d", ODD + b"\r\nX: 2\r\n")
        post(port, b"not a bot's")
        assert process.stop() == 0
    kept = [same_in_every_run(exchange, upstream) for _, exchange in list(Recording(shop.folder))[3:]]
    shop.path.write_bytes(before)
    return kept


def same_in_every_run(exchange, upstream):
    """The stored form without what depends on the run, or on who reads HTTP."""
    document = json.loads(json.dumps(to_document(exchange)).replace(str(upstream.port), "PORT"))
    headers = [[name.lower(), value] for name, value in document["request"]["headers"]]
    # `record` keeps the Host of its target.
    document["request"]["headers"] = [pair for pair in headers if pair[0] != "host"]
    if "failure" in document:
        # mitmproxy words the system's error with its number.
        document["failure"]["message"] = document["failure"]["message"].replace("[Errno 111] ", "")
    timing = document.pop("timing")
    return {**document, "at": "", "timed": (timing["upstream_ms"] is not None, timing["total_ms"] > 0)}


def test_what_is_recorded_is_what_record_would_have_kept(shop):
    """Bodies of every kind, headers that are not UTF-8, half an answer, and none."""
    by_record = kept_by(("record", "shop"), shop)
    by_replay = kept_by(("replay", "shop", "--record", "--on-miss", "forward"), shop)
    assert len(by_record) == len(ANSWERS) + 1
    assert by_replay == by_record
    assert [kept["failure"]["kind"] for kept in by_replay if "failure" in kept] == ["disconnect", "connect"]


def test_a_torn_recording_is_repaired_and_the_user_told(shop):
    """Before the first answer, as `record` does."""
    with shop.path.open("ab") as file:
        file.truncate(shop.path.stat().st_size - len("\n}}\n"))
        file.write(b',\n"4": {"at"')
    with Upstream(answering(LIVE)) as upstream, forwarding(shop, upstream.url) as (process, port):
        assert "ended in an unfinished line of" in process.stderr[0]
        assert ask(port, action="menu")[0] == 200
        assert process.stop() == 0
    assert len(list(Recording(shop.folder))) == 4


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


def limit_files():
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))


@contextmanager
def on_a_small_disk(shop, url, *arguments):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    with forwarding(shop, url, *arguments, preexec_fn=limit_files, env=environment) as both:
        yield both


def test_a_full_disk_keeps_no_answer_from_the_bot(shop):
    """It is told once, counted, and ends in status 1."""
    with Upstream(answering(LIVE)) as upstream:
        with on_a_small_disk(shop, upstream.url) as (process, port):
            for number in range(6):
                status, _, body = ask(port, action="menu", text=f"{number}" * 900)
                assert (status, body) == (200, {"live": True})
            assert process.stop(signal.SIGTERM) == 1
    lines = [line for line in process.stderr if line.startswith("NOT RECORDED: ")]
    assert len(lines) == 1
    assert "Waits to be recorded, as the last of 2." in process.stderr
    assert "could not be recorded; the bot was served" in process.stderr[-1]
    assert json.loads(shop.path.read_text())["exchanges"].keys() >= {"1", "2", "3"}


def test_where_nothing_may_wait_all_is_lost_and_the_bot_served(shop):
    """Each of them is told of."""
    with Upstream(answering(LIVE)) as upstream:
        with on_a_small_disk(shop, upstream.url, "--hold", "0", "--quiet") as (process, port):
            for number in range(6):
                assert ask(port, action="menu", text=f"{number}" * 900)[0] == 200
            assert process.stop(signal.SIGTERM) == 1
    lost = [line for line in process.stderr if line.startswith("LOST, as the last of ")]
    assert len(lost) > 1
    assert process.stderr[-1] == f"Error: {len(lost)} exchanges could not be recorded; the bot was served."


def test_with_strict_replay_stops_when_it_can_not_record(shop):
    """As record does: the bot gets a 503, the user a sentence."""
    with Upstream(answering(LIVE)) as upstream:
        with on_a_small_disk(shop, upstream.url, "--strict") as (process, port):
            number = 0
            while (got := ask(port, action="menu", text=f"{number}" * 900))[0] == 200:
                number += 1
            assert got[0] == 503
            assert "serves nothing that it doesn't record" in got[2]["error"]
            assert process.finished() == 1
    assert len(list(Recording(shop.folder))) == 3 + number
    assert process.stderr[-1].startswith("Error: Stopped, as --strict asks: ")
    assert process.stderr[-1].endswith("The bot got a 503.")


def test_recording_needs_forwarding(shop):
    """There is nothing else to record."""
    process = run("replay", "shop", "--recordings", shop.folder.parent, "--record")
    assert process.process.returncode == 2
    assert "--record is for --on-miss forward" in process.stderr[-1]
