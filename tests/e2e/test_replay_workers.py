"""Replay by several processes: one conversation for all of them, and one that is seen to."""

from __future__ import annotations

import os
import signal
import socket
from contextlib import contextmanager
from pathlib import Path

import pytest

from aimyproxy.store.recording import Recording
from tests.builders import exchange, request, response
from tests.e2e.replays import ask, replaying, source
from tests.processes import eventually, run

VISIT = {"action": "visit", "userId": "7", "channelType": "vk", "channelId": "bot"}


@pytest.fixture
def visits(tmp_path):
    """A recording of a user who was answered differently each time."""
    recording = Recording.create(tmp_path / "shop", None)
    for number in range(1, 9):
        recording.append(exchange(request(VISIT), response({"visit": number})))
    yield recording
    recording.close()


def workers_of(process):
    """The processes that answer."""
    children = Path(f"/proc/{process.process.pid}/task/{process.process.pid}/children").read_text().split()
    return [int(pid) for pid in children if "spawn_main" in Path(f"/proc/{pid}/cmdline").read_text()]


@contextmanager
def only(worker, workers):
    """All others are stopped meanwhile, so that this one has to answer."""
    for other in set(workers) - {worker}:
        os.kill(other, signal.SIGSTOP)
    try:
        yield
    finally:
        for other in set(workers) - {worker}:
            os.kill(other, signal.SIGCONT)


def running(process):
    """Two workers that have begun, and are no others than before."""
    return eventually(lambda: len(found := workers_of(process)) == 2 and found, "two workers")


def test_a_conversation_stands_where_it_is_whoever_answers(visits):
    """A request counts once, and for all workers."""
    with replaying(visits, "--workers", "2") as (process, port):
        one, other = running(process)
        seen = []
        for worker in (one, one, other, one, other, other):
            with only(worker, (one, other)):
                seen.append(ask(port, VISIT)[2]["visit"])
        assert seen == [1, 2, 3, 4, 5, 6]
        assert ask(port, {**VISIT, "userId": "8"})[2] == {"visit": 1}
        assert process.stop(signal.SIGTERM) == 0
    assert process.stderr[0].startswith("Listening on")
    assert len([line for line in process.stderr if "visit " in line]) == 7
    assert process.stderr[-1] == "Stopped after 7 requests: 6 exact, 1 learned."


def test_a_worker_that_dies_is_replaced(visits):
    """And told of; the conversation goes on, edits are told once, and the second Ctrl-C is not needed."""
    with replaying(visits, "--workers", "2") as (process, port):
        one, other = running(process)
        assert ask(port, VISIT)[2] == {"visit": 1}
        os.kill(one, signal.SIGKILL)
        process.wait_for(r"Worker \d ended by SIGKILL; another one takes its place\.")
        third = next(pid for pid in running(process) if pid != other)
        with only(third, (other, third)):
            assert ask(port, VISIT)[2] == {"visit": 2}
        visits.mocks.add({"event": "new", "answer": {}})
        process.wait_for("Picked up an edit")
        eventually(lambda: [source(port, action="new") for _ in range(4)] == ["mock; mock=1"] * 4, "the edit")
        assert process.stop(signal.SIGINT) == 0
    assert sum("Picked up an edit" in line for line in process.stderr) == 1
    assert sum("ended by" in line for line in process.stderr) == 1


def test_no_worker_is_left_behind(visits):
    """Though the process that started them is killed."""
    with replaying(visits, "--workers", "2") as (process, port):
        workers = running(process)
        process.process.kill()
        process.process.wait()
        eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers), "the end of the workers")
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("--on-miss", "forward", "--target", "http://127.0.0.1:1", "--record"),
        ("--admin", "127.0.0.1:0"),
    ],
)
def test_what_one_process_has_to_do_alone_is_refused(visits, arguments):
    """Before anything listens."""
    ended = run("replay", "shop", "--recordings", visits.folder.parent, "--workers", "2", *arguments)
    assert ended.process.returncode == 2
    option = next(one for one in reversed(arguments) if one.startswith("--"))
    assert f"{option} needs a single worker, since" in ended.stderr[-1]


def test_what_keeps_workers_from_beginning_is_said_once(visits):
    """As with one worker."""
    visits.mocks.path.write_text('{"mocks": {\n"1": {"event": "start"}}}', encoding="utf-8")
    ended = run("replay", "shop", "--listen", "127.0.0.1:0", "--recordings", visits.folder.parent, "--workers", "2")
    assert ended.process.returncode == 2
    assert [line for line in ended.stderr if "mocks.json:2:1: mock 1: answer is missing" in line] == ended.stderr
