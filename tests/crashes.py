"""Recorders that are ended under load, again and again, into one recording."""

from __future__ import annotations

import json
import random
import socket
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aimyproxy.store.recording import Recording
from tests.processes import Upstream, aimyproxy, answer, eventually, listening_port, read_message, request_bytes

if TYPE_CHECKING:
    import signal
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


def end_again_and_again(folder: Path, rounds: int, number: signal.Signals, seed: int, *options: str) -> Outcome:
    """Start a recorder with these options, let bots talk, end it with this signal at a random moment; so many times."""
    outcome, chance = Outcome(), random.Random(seed)

    def behave(connection: socket.socket, request: bytes) -> bool:
        body = request.partition(b"\r\n\r\n")[2]
        if not body.endswith(b"}"):
            # The recorder was killed while it sent this.
            return False
        outcome.asked.append(json.loads(body)["action"])
        connection.sendall(_ECHO)
        return True

    with Upstream(behave) as upstream:
        arguments = ["--target", upstream.url, "--listen", "127.0.0.1:0", "--recordings", folder, *options]
        for number_of_round in range(rounds):
            with aimyproxy("record", "shop", *arguments) as process:
                port, before = listening_port(process), len(outcome.answered)
                names = [f"{number_of_round}-{bot}" for bot in range(_BOTS)]
                bots = [threading.Thread(target=_talk, args=(port, name, outcome.answered)) for name in names]
                for bot in bots:
                    bot.start()
                goal = before + chance.randrange(1, 60)
                eventually(lambda goal=goal: len(outcome.answered) >= goal, "answers")
                threading.Event().wait(chance.random() / 50)
                outcome.statuses.append(process.stop(number))
                for bot in bots:
                    bot.join()
    return outcome


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
