"""Answers that come late, in drops, broken or not at all, because the user wants to see what the bot does then."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct
from typing import TYPE_CHECKING, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from aimyproxy.answering.chances import Chances
from aimyproxy.answering.faults import Faults
from aimyproxy.answering.latency import Latency
from aimyproxy.mockserver.messages import WITHOUT_BODY, Receive, Reply, Scope, Send, send_head, send_reply

if TYPE_CHECKING:
    from aimyproxy.answering.faults import Fault
    from aimyproxy.answering.latency import Waits

_TRANSPORT: Final = "aimyproxy.transport"
_GARBAGE: Final = b'{"aimyproxy": garbage\x00\xff\xfe'
_DROPS: Final = 20
_SLOW_SECONDS: Final = 10.0
# The system then answers with a reset instead of waiting for what is unsent.
_NO_LINGER: Final = struct.pack("ii", 1, 0)


class Protocol(HttpToolsProtocol):
    """uvicorn's protocol, with the connection in reach of the application."""

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self.scope["extensions"] = {_TRANSPORT: {"transport": self.transport}}


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

    `slow_seconds` is how long a slow answer takes.
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

    def strike(self, event: str | None, own: Fault | None = None) -> Fault | None:
        """The fault that a request of this event meets, `own` being that of the mock that answers it."""
        return self._faults.strike(event, own)

    async def wait(self, event: str | None, delay_ms: float | None, waits: Waits) -> None:
        """Wait as long as the answer is to take: `delay_ms` milliseconds, or as the latency says where that is None."""
        # Also where it is of no use: an edit of a mock shall not change what later requests draw.
        drawn = self._latency.drawn(event, waits, self._chances.of(event))
        milliseconds = drawn if delay_ms is None else delay_ms
        if milliseconds:
            await self._pause(milliseconds / 1000)

    def stop(self) -> None:
        """Nothing shall wait any longer: the server goes."""
        self._stopping.set()

    async def send(self, fault: Fault, reply: Reply, scope: Scope, receive: Receive, send: Send) -> None:
        """Send what the bot gets of a reply that meets a fault."""
        if fault.kind == "timeout":
            await self._silence(receive)
        if not fault.answers:
            _reset(scope["extensions"][_TRANSPORT]["transport"])
            await receive()
            return
        if fault.kind == "slow":
            await self._drip(reply, send)
        else:
            await send_reply(reply, send)

    async def _drip(self, reply: Reply, send: Send) -> None:
        if reply.status in WITHOUT_BODY or not reply.body:
            await self._pause(self._slow_seconds)
            await send_reply(reply, send)
            return
        await send_head(reply, send)
        length = -(-len(reply.body) // _DROPS)
        starts = range(0, len(reply.body), length)
        for start in starts:
            await self._pause(self._slow_seconds / len(starts))
            await send({"type": "http.response.body", "body": reply.body[start : start + length], "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    async def _silence(self, receive: Receive) -> None:
        """Until the bot hangs up or the server goes."""
        waiting = [asyncio.ensure_future(receive()), asyncio.ensure_future(self._stopping.wait())]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for one in waiting:
            one.cancel()


def _reset(transport: asyncio.Transport) -> None:
    connection = transport.get_extra_info("socket")
    if connection is not None and connection.fileno() >= 0:
        # A duplicate: the event loop's own object may not let us set options.
        with contextlib.suppress(OSError), socket.socket(fileno=os.dup(connection.fileno())) as same:
            same.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    transport.abort()
