"""Recorders that end under load: killed, told to stop, or with the power; and clocks that jump."""

from __future__ import annotations

import itertools
import json
import random
import signal
import socket
import sys
import time

import pytest

from aimyproxy.store.recording import Recording
from tests.crashes import end_again_and_again, recorded
from tests.processes import (
    Upstream,
    answer,
    answering,
    listening_port,
    post,
    read_message,
    request_bytes,
    running,
)


@pytest.mark.parametrize(("workers", "rounds"), [("1", 20), ("2", 2)])
def test_a_killed_recorder_loses_nothing_that_was_answered(tmp_path, workers, rounds):
    """`kill -9` of the process that records, under load at random moments, again and again into one recording."""
    outcome = end_again_and_again(tmp_path, rounds, signal.SIGKILL, 1, "--workers", workers)
    assert outcome.statuses == [-9] * rounds
    assert len(outcome.answered) > 20 * rounds
    assert outcome.lost(tmp_path) == set()
    kept = recorded(tmp_path)
    assert set(kept) <= set(outcome.asked)
    assert len(kept) == len(set(kept))


@pytest.mark.parametrize(("workers", "rounds"), [("1", 5), ("2", 1)])
def test_a_recorder_that_is_told_to_stop_loses_nothing_at_all(tmp_path, workers, rounds):
    """SIGTERM under load: all that the webhook was asked is answered and recorded."""
    outcome = end_again_and_again(tmp_path, rounds, signal.SIGTERM, 2, "--workers", workers)
    assert outcome.statuses == [0] * rounds
    assert sorted(recorded(tmp_path)) == sorted(outcome.asked)
    assert outcome.answered == set(outcome.asked)


def replayed(content, calls):
    """The file's bytes after these calls."""
    content = bytearray(content)
    for call in calls:
        if call["call"] == "pwrite":
            data, offset = bytes.fromhex(call["data"]), call["offset"]
            content[offset : offset + len(data)] = data
        elif call["call"] == "ftruncate":
            del content[call["length"] :]
    return bytes(content)


def test_a_power_failure_takes_what_was_not_flushed_and_no_more(tmp_path):
    """At whatever moment, and with any beginning of what came after the last flush: the file opens, in its order."""
    journal, exchanges = tmp_path / "journal", tmp_path / "shop" / "exchanges.json"
    given = ["record", "shop", "--listen", "127.0.0.1:0", "--recordings", str(tmp_path)]
    with Upstream(answering(answer(b'{"greeting": "Hi"}'))) as upstream:
        command = [sys.executable, "-m", "tests.journaled_os", str(journal), *given, "--target", upstream.url]
        with running(command) as process:
            port, before, inode = listening_port(process), exchanges.read_bytes(), exchanges.stat().st_ino
            flush = f'{{"call": "fsync", "file": {inode}}}'
            with socket.create_connection(("127.0.0.1", port)) as bot:
                numbers = itertools.count(1)
                while journal.read_text().count(flush) < 6:
                    for number in itertools.islice(numbers, 20):
                        bot.sendall(request_bytes(json.dumps({"action": f"{number}"}).encode()))
                        read_message(bot)
            process.process.kill()
            process.finished()
    calls = [call for line in journal.read_text().splitlines() if (call := json.loads(line))["file"] == inode]
    assert replayed(before, calls) == exchanges.read_bytes()
    chance, survivors = random.Random(1), []
    for moment in chance.sample(range(len(calls)), 30):
        flushed = last_flush(calls[: moment + 1])
        safe = replayed(before, calls[:flushed])
        got_through = calls[: chance.randint(flushed, moment)]
        torn = replayed(before, got_through)
        exchanges.write_bytes(torn[: max(len(safe), len(torn) - chance.randrange(300))])
        survivors.append(opened(tmp_path))
        exchanges.write_bytes(safe)
        assert survivors[-1] >= opened(tmp_path)
    assert len(set(survivors)) > 10


def test_a_clock_that_jumps_changes_no_duration(tmp_path):
    """Only the moment of an exchange is the wall clock's; durations and time-outs are not."""
    given = ["record", "shop", "--listen", "127.0.0.1:0", "--recordings", str(tmp_path), "--timeout", "0.5"]
    upstream = Upstream(answering(answer(b"{}")))
    with running([sys.executable, "-m", "tests.jumping_clock", *given, "--target", upstream.url]) as process:
        port, begun = listening_port(process), time.perf_counter()
        with upstream:
            assert [post(port, b"{}")[:15] for _ in range(6)] == [b"HTTP/1.1 200 OK"] * 6
            upstream._behave = lambda connection, _: connection.recv(1) == b"?"
            assert post(port, b"{}")[:12] == b"HTTP/1.1 504"
        elapsed = (time.perf_counter() - begun) * 1000
        assert process.stop() == 0
    timings = [exchange.timing for _, exchange in Recording(tmp_path / "shop")]
    assert all(0 < timing.upstream_ms <= timing.total_ms < elapsed for timing in timings)
    assert timings[-1].upstream_ms >= 500


def last_flush(calls):
    """The index of the call that began the last flush that was done by then."""
    begun = done = 0
    for index, call in enumerate(calls):
        if call["call"] == "fsync":
            begun, done = (begun, begun) if call.get("done") else (index, done)
    return done


def opened(folder):
    """How many exchanges there are after a restart; they are the first ones, in their order."""
    recording = Recording(folder / "shop")
    recording.open_for_append()
    kept = [exchange.event for _, exchange in recording]
    recording.close()
    assert kept == [f"{number}" for number in range(1, len(kept) + 1)]
    return len(kept)
