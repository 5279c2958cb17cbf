"""Answers that come late, in drops, broken or not at all, because the user wants to see what the bot does then."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct
from random import Random
from typing import TYPE_CHECKING, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from aimyproxy.answering.faults import Faults
from aimyproxy.answering.latency import Latency
from aimyproxy.mockserver.messages import WITHOUT_BODY, Receive, Reply, Scope, Send, send_head, send_reply

if TYPE_CHECKING:
    from aimyproxy.answering.faults import Fault
    from aimyproxy.answering.latency import Waits

_TRANSPORT: Final = "aimyproxy.transport"
_GARBAGE: Final = b'{"aimyproxy": garbage\x00\xff\xfe'
_DROPS: Final = 20
_DRIP_SECONDS: Final = 0.5
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

    Dice are cast in the order of the requests, for each event by itself where that matters.
    """

    def __init__(self, latency: Latency | None = None, faults: Faults | None = None, seed: int = 0) -> None:
        self._latency = latency or Latency()
        self._faults = faults or Faults()
        self._random = Random(seed)  # noqa: S311
        self._stopping = asyncio.Event()

    def strike(self, event: str | None, own: Fault | None = None) -> Fault | None:
        """The fault that a request of this event meets, `own` being that of the mock that answers it."""
        return self._faults.strike(event, own)

    async def wait(self, event: str | None, delay_ms: float, waits: Waits) -> None:
        """Wait as long as the answer is to take: `delay_ms` milliseconds, or as the latency says where that is 0."""
        milliseconds = delay_ms or self._latency.drawn(event, waits, self._random)
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
        if fault.kind == "slow" and reply.status not in WITHOUT_BODY:
            await self._drip(reply, send)
        else:
            await send_reply(reply, send)

    async def _drip(self, reply: Reply, send: Send) -> None:
        await send_head(reply, send)
        length = max(1, -(-len(reply.body) // _DROPS))
        for start in range(0, len(reply.body), length):
            await self._pause(_DRIP_SECONDS)
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
