"""Recorders that are ended under load, again and again, into one recording."""

from __future__ import annotations

import json
import os
import random
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aimyproxy.store.recording import Recording
from tests.processes import Upstream, answer, eventually, free_port, read_message, request_bytes

if TYPE_CHECKING:
    import signal
    from collections.abc import Iterator
    from pathlib import Path

_ECHO = answer(b'{"greeting": "Hi"}')
_BOTS = 4


@dataclass
class Outcome:
    """What bots and webhook saw of all rounds, event by event, and the exit statuses of the recorders."""

    answered: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)

    def lost(self, folder: Path) -> set[str]:
        """The events that a bot got an answer to and that are not in the recording."""
        return self.answered - set(recorded(folder))


def recorded(folder: Path) -> list[str | None]:
    """The events in the recording, in order."""
    return [exchange.event for _, exchange in Recording(folder / "shop")]


class Forked:
    """Runs aimyproxy commands, one at a time, in forks of a process that has imported all."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def start(self, arguments: list[str]) -> int:
        """The id of the process that runs this command."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(arguments) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def status(self) -> int:
        """How it ended."""
        assert self._process.stdout
        return int(self._process.stdout.readline())


@contextmanager
def forking() -> Iterator[Forked]:
    """A process for commands."""
    command = [sys.executable, "-m", "tests.forked"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, text=True, **pipes) as process:  # type: ignore[call-overload]
        try:
            yield Forked(process)
        finally:
            process.stdin.close()


def end_again_and_again(folder: Path, rounds: int, number: signal.Signals, seed: int) -> Outcome:
    """Start a recorder, let bots talk, end it with this signal at a random moment; so many times."""
    outcome, chance = Outcome(), random.Random(seed)

    def behave(connection: socket.socket, request: bytes) -> bool:
        body = request.partition(b"\r\n\r\n")[2]
        if not body.endswith(b"}"):
            # The recorder was killed while it sent this.
            return False
        outcome.asked.append(json.loads(body)["action"])
        connection.sendall(_ECHO)
        return True

    with Upstream(behave) as upstream, forking() as forked:
        for number_of_round in range(rounds):
            port = free_port()
            arguments = ["--target", upstream.url, "--listen", f"127.0.0.1:{port}", "--recordings", str(folder)]
            process = forked.start(["record", "shop", *arguments])
            names = [f"{number_of_round}-{bot}" for bot in range(_BOTS)]
            bots = [threading.Thread(target=_talk, args=(port, name, outcome.answered)) for name in names]
            before = len(outcome.answered)
            eventually(lambda port=port: _listens(port), "the recorder")
            for bot in bots:
                bot.start()
            goal = before + chance.randrange(1, 60)
            eventually(lambda goal=goal: len(outcome.answered) >= goal, "answers")
            threading.Event().wait(chance.random() / 50)
            os.kill(process, number)
            outcome.statuses.append(forked.status())
            for bot in bots:
                bot.join()
    return outcome


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return False
    return True


def _talk(port: int, name: str, answered: set[str]) -> None:
    """Ask, until there is no answer."""
    number = 0
    try:
        with socket.create_connection(("127.0.0.1", port)) as bot:
            while True:
                event = f"{name}-{number}"
                bot.sendall(request_bytes(json.dumps({"action": event, "text": "x" * 200}).encode()))
                if not read_message(bot).endswith(b'{"greeting": "Hi"}'):
                    return
                answered.add(event)
                number += 1
    except OSError:
        return
