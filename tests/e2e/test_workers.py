"""`aimyproxy record --workers`: several processes forward, one records, and nothing is lost when one dies."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import threading
from contextlib import contextmanager

import pytest

from aimyproxy.store.recording import Recording
from tests.builders import START
from tests.processes import (
    Upstream,
    aimyproxy,
    answer,
    answering,
    eventually,
    listening_port,
    post,
    read_message,
    request_bytes,
    run,
)

BOT = json.dumps(START, ensure_ascii=False).encode()
ECHO = answer(b'{"greeting": "hello"}')


@contextmanager
def recorder(tmp_path, target, *arguments, **options):
    command = ["record", "shop", "--target", target, "--listen", "127.0.0.1:0", "--recordings", tmp_path]
    with aimyproxy(*command, "--workers", "2", *arguments, fork=False, **options) as process:
        yield process, listening_port(process)
    assert "Traceback" not in "\n".join(process.stderr)


def recorded(tmp_path, name="shop"):
    return list(Recording(tmp_path / name))


def children():
    """The living processes by the id of the process that started them."""
    table = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,stat="], capture_output=True, text=True, check=True).stdout
    found = {}
    for pid, parent, state in map(str.split, table.splitlines()):
        if not state.startswith("Z"):
            found.setdefault(int(parent), set()).add(int(pid))
    return found


def workers(process):
    """The process ids of the workers: a process that has imported what they need starts them."""
    table = children()
    return set().union(*(table.get(child, set()) for child in table.get(process.process.pid, ())))


class Bot:
    """Asks on connections of its own, again and again, and knows what was answered."""

    def __init__(self, port, name):
        self.answered = []
        self._port = port
        self._name = name
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    def stop(self):
        self._stop.set()
        self._thread.join(60)

    def _work(self):
        number = 0
        while not self._stop.is_set():
            try:
                with socket.create_connection(("127.0.0.1", self._port), timeout=30) as connection:
                    while not self._stop.is_set():
                        number += 1
                        action = f"{self._name}-{number}"
                        connection.sendall(request_bytes(json.dumps({**START, "action": action}).encode()))
                        if read_message(connection) != ECHO:
                            break
                        self.answered.append(action)
            except OSError:
                continue


def test_what_was_answered_is_recorded_once_though_a_worker_is_killed(tmp_path):
    """Ids are unique and rise; another worker takes the dead one's place; the summary counts all."""
    with Upstream(answering(ECHO)) as upstream, recorder(tmp_path, upstream.url) as (process, port):
        first = eventually(lambda: len(found := workers(process)) == 2 and found, "two workers")
        bots = [Bot(port, f"bot{number}") for number in range(6)]
        for _ in range(2):
            before = sum(len(bot.answered) for bot in bots)
            eventually(lambda before=before: sum(len(bot.answered) for bot in bots) > before + 60, "answers")
            victim = min(workers(process))
            os.kill(victim, signal.SIGKILL)
            eventually(lambda victim=victim: len(workers(process) - {victim}) == 2, "another worker")
        for bot in bots:
            bot.stop()
        assert process.stop() == 0
        second = workers(process)
    exchanges = recorded(tmp_path)
    actions = [exchange.event for _, exchange in exchanges]
    assert [identity for identity, _ in exchanges] == list(range(1, len(exchanges) + 1))
    for bot in bots:
        assert [action for action in bot.answered if actions.count(action) != 1] == []
    assert len(first) == 2
    assert second == set()
    assert any("A worker ended by SIGKILL; another one takes its place." in line for line in process.stderr)
    assert any(line.startswith(f"Recorded {len(exchanges):,} exchanges") for line in process.stderr)


def test_without_the_process_that_records_nobody_goes_on(tmp_path):
    """Killed, it takes its workers with it, and the port is free."""
    with Upstream(answering(ECHO)) as upstream, recorder(tmp_path, upstream.url) as (process, port):
        assert post(port, BOT) == ECHO
        everybody = children()
        family = everybody[process.process.pid] | workers(process)
        assert len(family) >= 3
        assert process.stop(signal.SIGKILL) == -signal.SIGKILL
        eventually(lambda: not family & set().union(*children().values()), "the end of all workers")
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0
    assert len(recorded(tmp_path)) == 1


def test_a_stop_waits_for_the_answers_that_are_on_their_way(tmp_path):
    """What was asked before the signal is answered and recorded; a second signal ends the waiting."""
    gate, asked = threading.Event(), threading.Semaphore(0)

    def behave(connection, request):
        asked.release()
        if b"/patient" in request:
            gate.wait(30)
            connection.sendall(ECHO)
            return True
        return not threading.Event().wait(1000)

    with Upstream(behave) as upstream:
        with recorder(tmp_path, upstream.url) as (process, port):
            answers = []
            bot = threading.Thread(target=lambda: answers.append(post(port, BOT, "/patient")))
            bot.start()
            assert asked.acquire(timeout=30)
            process.process.send_signal(signal.SIGINT)
            eventually(lambda: _refuses(port), "the end of listening")
            gate.set()
            bot.join(30)
            assert process.finished() == 0
        assert answers[0].startswith(b"HTTP/1.1 200 OK")
        assert len(recorded(tmp_path)) == 1


def _refuses(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def test_a_second_signal_ends_the_waiting(tmp_path):
    """Though the webhook never answers."""
    asked, never = threading.Event(), threading.Event()

    def behave(connection, request):
        asked.set()
        never.wait(60)

    with Upstream(behave) as upstream, recorder(tmp_path, upstream.url) as (process, port):
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(request_bytes(BOT))
            assert asked.wait(30)
            process.process.send_signal(signal.SIGINT)
            eventually(lambda: _refuses(port), "the end of listening")
            assert process.stop() == 0
            never.set()


def test_a_shadow_gets_what_the_workers_served(tmp_path):
    """Each request goes to the shadow once, after the bot was served."""
    with Upstream(answering(ECHO)) as live, Upstream(answering(ECHO)) as candidate:
        with recorder(tmp_path, live.url, "--shadow", candidate.url) as (process, port):
            for _ in range(6):
                assert post(port, BOT) == ECHO
            assert process.stop() == 0
        assert len(candidate.requests) == 6
    assert len(recorded(tmp_path, "shop@shadow")) == 6


def test_strict_stops_all_workers(tmp_path):
    """What can't be recorded is not answered, by none of them."""
    with Upstream(answering(ECHO)) as upstream:
        with recorder(tmp_path, upstream.url, "--strict") as (process, port):
            assert post(port, BOT) == ECHO
            (tmp_path / "shop" / "exchanges.json").write_text("no recording any more")
            assert post(port, BOT).startswith(b"HTTP/1.1 503")
            assert process.finished() == 1
        assert any("as --strict asks" in line for line in process.stderr)


@pytest.mark.parametrize("content", ["", "no certificate"])
def test_a_certificate_that_cannot_be_used_is_one_sentence(tmp_path, content):
    """As with one process: told, with status 2, and no recording is left behind."""
    path = tmp_path / "cert.pem"
    path.write_text(content)
    command = ["record", "shop", "--target", "http://127.0.0.1:1", "--listen", "127.0.0.1:0", "--workers", "2"]
    process = run(*command, "--recordings", tmp_path, "--cert", path, fork=False)
    assert process.process.returncode == 2
    assert "can't be used" in process.stderr[-1]
    assert "Traceback" not in "\n".join(process.stderr)
    assert not (tmp_path / "shop").exists()
