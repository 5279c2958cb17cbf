"""A worker: a process that forwards, and records nothing before another process has it. Light until it works."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from contextlib import suppress
from dataclasses import asdict
from itertools import count
from typing import TYPE_CHECKING, Final

from aimyproxy import garbage
from aimyproxy.errors import AimyproxyError
from aimyproxy.proxy.frames import Frame, Frames, Kind
from aimyproxy.proxy.loops import loop_factory
from aimyproxy.store.recording import stored

if TYPE_CHECKING:
    import socket

    from aimyproxy.exchange import Exchange
    from aimyproxy.guard import Refusal
    from aimyproxy.proxy.settings import Settings

_CHUNK: Final = 1 << 18


@garbage.not_looked_for()
def work(settings: Settings, listening: socket.socket, channel: socket.socket, tell_served: bool) -> None:
    """All that a worker process does; it ends when it is told to over the channel, or when the channel ends.

    With `tell_served`, it says of each exchange when the bot was sent the answer.
    """
    # A terminal's Ctrl-C, or its end, reaches everybody: when to end says only the process that the user started.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(_work(settings, listening, channel, tell_served=tell_served))


async def _work(settings: Settings, listening: socket.socket, channel: socket.socket, *, tell_served: bool) -> None:
    from aimyproxy.proxy.server import serve

    reader, writer = await asyncio.open_unix_connection(sock=channel)
    link = Link(writer)
    hearing = asyncio.create_task(link.hear(reader))
    try:
        await serve(settings, listening, link.keep, link, link.stop, link.ready, link.served if tell_served else None)
    except AimyproxyError as error:
        link.tell(Kind.FAILED, content=str(error).encode())
    hearing.cancel()
    writer.close()
    await writer.wait_closed()


class Link:
    """The worker's end of the channel: what a keeper and an observer are where all is one process."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._numbers = count(1)
        self._waiting: dict[int, asyncio.Future[int | None]] = {}
        self.stop = asyncio.Event()

    def tell(self, kind: Kind, number: int = 0, content: bytes = b"") -> None:
        """Send a frame; at the end, when nobody is left to hear it, do nothing."""
        if not self._writer.is_closing():
            self._writer.write(bytes(Frame(kind, number, content)))

    async def keep(self, exchange: Exchange) -> int | None:
        """As a keeper's: the id when the exchange is recorded, None where it is not."""
        try:
            document = stored(exchange)
        except Exception:  # the bot comes first, whatever its exchange is
            document = b""
        number = next(self._numbers)
        kept: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
        self._waiting[number] = kept
        self.tell(Kind.EXCHANGE, number, document)
        return await kept

    def ready(self, _host: str, _port: int) -> None:
        """The worker takes connections."""
        garbage.looked_for()
        self.tell(Kind.READY)

    def served(self, identity: int, _exchange: Exchange) -> None:
        """The bot has been sent the answer of this exchange."""
        self.tell(Kind.SERVED, identity)

    def refused(self, refusal: Refusal) -> None:
        """A request was refused."""
        self.tell(Kind.REFUSED, content=json.dumps(asdict(refusal)).encode())

    def trouble(self, message: str) -> None:
        """Something went wrong that is no exchange's own."""
        self.tell(Kind.TROUBLE, content=message.encode("utf-8", "backslashreplace"))

    async def hear(self, reader: asyncio.StreamReader) -> None:
        """Take what the other side says, for as long as there is one."""
        frames = Frames()
        # However the channel ends: to read from it, or to write to it, may tell first.
        with suppress(Exception):
            while data := await reader.read(_CHUNK):
                for frame in frames.feed(data):
                    self._hear(frame)
        # Nobody is left to record anything: what is in flight must not be answered.
        os._exit(1)

    def _hear(self, frame: Frame) -> None:
        if frame.kind is Kind.KEPT:
            self._kept(frame.number, int(frame.content))
        elif frame.kind is Kind.NOT_KEPT:
            self._kept(frame.number, None)
        else:
            self.stop.set()

    def _kept(self, number: int, identity: int | None) -> None:
        kept = self._waiting.pop(number)
        if not kept.done():
            kept.set_result(identity)
