"""A load of a fixed rate that waits for nobody: each request has its time, and its latency counts from then.

Each connection has a schedule of its own, evenly spaced from a random beginning on. Where an answer is late, the next
request goes out late, too, but its wait is part of its latency (no coordinated omission).
"""

from __future__ import annotations

import heapq
import random
import select
import socket
import time
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httptools

from tests.bench.suite.traffic import HEADERS

if TYPE_CHECKING:
    from collections.abc import Sequence

SPIN_SECONDS = 0.0003
"""The last of a wait is spent looking at the clock: waking up takes the system too long for what is measured."""
_GRACE = 5.0


@dataclass
class Latencies:
    """Milliseconds of each request, without those of the first second.

    `answered` counts all, `wrong` those with another status than 200; `unanswered` were given up, `open` ones of them
    after they had been sent.
    """

    milliseconds: list[float] = field(default_factory=list)
    answered: int = 0
    wrong: int = 0
    unanswered: int = 0
    open: int = 0


class Connection:
    """One keep-alive connection with the times at which its requests are due, the soonest last."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.due: list[float] = []
        self.waits_since = 0.0
        self.complete = False
        self._parser = httptools.HttpResponseParser(self)

    def on_message_complete(self) -> None:
        self.complete = True

    def close(self) -> None:
        self.socket.close()

    def send(self, request: bytes) -> None:
        self.waits_since = self.due.pop()
        self.complete = False
        self._parser = httptools.HttpResponseParser(self)
        self.socket.sendall(request)

    def receive(self) -> int:
        """The status, once the answer is whole; 0 before. ConnectionError where the other side has closed."""
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError("the subject closed a connection")
        self._parser.feed_data(data)
        return int(self._parser.get_status_code()) if self.complete else 0


class OpenLoop:
    """The connections, the requests that go over them in turn, and what was found."""

    def __init__(self, connections: list[Connection], bodies: Sequence[bytes], scored_from: float) -> None:
        self.found = Latencies()
        self._requests = [_request(body) for body in bodies]
        self._scored_from = scored_from
        self._sent = 0
        self._idle = [(one.due[-1], number, one) for number, one in enumerate(connections) if one.due]
        heapq.heapify(self._idle)
        self._busy: dict[socket.socket, tuple[int, Connection]] = {}

    def run(self, give_up: float) -> None:
        """Send all that is due until all is answered, or until it is time to give up."""
        while (self._idle or self._busy) and (now := time.perf_counter()) < give_up:
            while self._idle and self._idle[0][0] <= now:
                self._send(*self._idle[0][1:])
            soonest = self._idle[0][0] if self._idle else give_up
            wait = soonest - now - SPIN_SECONDS
            for ready in select.select(list(self._busy), [], [], max(0.0, wait))[0]:
                self._receive(*self._busy[ready])
        waiting = [*(one for _, one in self._busy.values()), *(one for *_, one in self._idle)]
        self.found.open = len(self._busy)
        self.found.unanswered = self.found.open + sum(len(one.due) for one in waiting)

    def _send(self, number: int, connection: Connection) -> None:
        heapq.heappop(self._idle)
        self._busy[connection.socket] = (number, connection)
        connection.send(self._requests[self._sent % len(self._requests)])
        self._sent += 1

    def _receive(self, number: int, connection: Connection) -> None:
        if not (status := connection.receive()):
            return
        del self._busy[connection.socket]
        self.found.answered += 1
        self.found.wrong += status != 200
        if connection.waits_since >= self._scored_from:
            self.found.milliseconds.append((time.perf_counter() - connection.waits_since) * 1e3)
        if connection.due:
            heapq.heappush(self._idle, (connection.due[-1], number, connection))


def measured(port: int, bodies: Sequence[bytes], connections: int, rate: int, seconds: float) -> Latencies:
    """Ask so many times a second over so many connections, and for one second more before; bodies in turn.

    Raises:
        OSError: the subject refused or closed a connection.
        httptools.HttpParserError: what it answered is no HTTP.
    """
    with ExitStack() as stack:
        opened = [stack.enter_context(closing(Connection(port))) for _ in range(connections)]
        began = time.perf_counter() + 0.01
        for one, due in zip(opened, schedules(connections, rate, began, seconds + 1), strict=True):
            one.due = due
        loop = OpenLoop(opened, bodies, scored_from=began + 1)
        loop.run(give_up=began + seconds + 1 + _GRACE)
    return loop.found


def schedules(connections: int, rate: float, began: float, seconds: float) -> list[list[float]]:
    """When each connection's requests are due, the soonest last."""
    interval, chance = connections / rate, random.Random(1)
    firsts = [began + chance.random() * interval for _ in range(connections)]
    return [[first + number * interval for number in reversed(range(int(seconds / interval)))] for first in firsts]


def _request(body: bytes) -> bytes:
    headers = "".join(f"{name}: {value}\r\n" for name, value in HEADERS)
    return f"POST / HTTP/1.1\r\nhost: 127.0.0.1\r\n{headers}content-length: {len(body)}\r\n\r\n".encode() + body
