"""Answers that come late, in drops, broken or not at all, because the user wants to see what the bot does then."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final, Protocol

from aimyproxy.answering.chances import Chances
from aimyproxy.answering.faults import Faults
from aimyproxy.answering.latency import Latency
from aimyproxy.mockserver.messages import WITHOUT_BODY, Reply

if TYPE_CHECKING:
    from aimyproxy.answering.faults import Fault
    from aimyproxy.answering.latency import Waits
    from aimyproxy.mockserver.heard import Heard

_GARBAGE: Final = b'{"aimyproxy": garbage\x00\xff\xfe'
_DROPS: Final = 20
_SLOW_SECONDS: Final = 10.0


class Line(Protocol):
    """The connection to a bot that waits for its answer."""

    def head(self, heard: Heard, reply: Reply) -> bytes:
        """All of the reply to this request but its body."""

    async def send(self, data: bytes) -> None:
        """Send these bytes; returns once the bot takes them, or is gone."""

    async def hung_up(self) -> None:
        """Returns once the bot is gone."""

    def reset(self) -> None:
        """Let go of the connection such that the bot notices it."""


def reply_to(fault: Fault, reply: Reply) -> Reply:
    """What is sent of a fault's answer in the place of this reply; where there is no answer, it is not used."""
    source = f"fault; kind={fault.kind}"
    if fault.kind == "garbage":
        return Reply(200, reply.headers, _GARBAGE, source)
    if fault.kind == "empty":
        return Reply(200, reply.headers, b"", source)
    if fault.status is not None:
        problem = f"The status {fault.status} was asked for with a fault."
        return Reply.of_json(fault.status, {"error": problem}, source)
    return Reply(reply.status, reply.headers, reply.body, source)


class Trouble:
    """What goes wrong or takes long on purpose; the same `seed` makes the same happen to the same requests.

    `slow_seconds` is how long a slow answer takes; `calm` says that nothing happens but what mocks ask for.
    """

    def __init__(
        self,
        latency: Latency | None = None,
        faults: Faults | None = None,
        seed: int = 0,
        slow_seconds: float = _SLOW_SECONDS,
    ) -> None:
        self._latency = latency or Latency()
        self._faults = faults or Faults((), seed)
        self._chances = Chances(seed, "latency")
        self._slow_seconds = slow_seconds
        self._stopping = asyncio.Event()
        self.calm = not (self._latency.given or self._faults.given)

    def strike(self, event: str | None, own: Fault | None = None) -> Fault | None:
        """The fault that a request of this event meets, `own` being that of the mock that answers it."""
        return self._faults.strike(event, own)

    def delay(self, event: str | None, delay_ms: float | None, waits: Waits) -> float:
        """How many seconds the answer is to take: `delay_ms` milliseconds, or as the latency says where that is None.

        To be asked once for each answer.
        """
        drawn = 0.0
        if self._latency.given:
            # Also where it is of no use: an edit of a mock shall not change what later requests draw.
            drawn = self._latency.drawn(event, waits, self._chances.of(event))
        return (drawn if delay_ms is None else delay_ms) / 1000

    async def pause(self, seconds: float) -> None:
        """Wait for so long, or until the server goes."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    def stop(self) -> None:
        """Nothing shall wait any longer: the server goes."""
        self._stopping.set()

    async def send(self, fault: Fault, reply: Reply, head: bytes, line: Line) -> None:
        """Send what the bot gets of a reply that meets a fault; `head` is all of it but its body."""
        if fault.kind == "timeout":
            await self._silence(line)
        if not fault.answers:
            line.reset()
        elif fault.kind == "slow":
            await self._drip(reply, head, line)
        else:
            await line.send(head + reply.body)

    async def _drip(self, reply: Reply, head: bytes, line: Line) -> None:
        if not reply.body:
            await self.pause(self._slow_seconds)
            await line.send(head)
            return
        await line.send(head)
        length = -(-len(reply.body) // _DROPS)
        starts = range(0, len(reply.body), length)
        for start in starts:
            await self.pause(self._slow_seconds / len(starts))
            await line.send(reply.body[start : start + length])

    async def _silence(self, line: Line) -> None:
        """Until the bot hangs up or the server goes."""
        waiting = [asyncio.ensure_future(line.hung_up()), asyncio.ensure_future(self._stopping.wait())]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for one in waiting:
            one.cancel()


def without_body(reply: Reply, method: str) -> Reply:
    """The reply as it is where the status or the method (HEAD) allows no body."""
    return reply._replace(body=b"") if reply.status in WITHOUT_BODY or method == "HEAD" else reply
