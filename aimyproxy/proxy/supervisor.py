"""Several workers and one recording: the process that keeps exchanges, and its workers alive. Imports no mitmproxy."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import socket
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from aimyproxy import jsonvalue, sockets
from aimyproxy.documents import from_document
from aimyproxy.errors import AimyproxyError, InvalidOption
from aimyproxy.guard import Refusal
from aimyproxy.proxy.frames import Frame, Frames, Kind
from aimyproxy.proxy.loops import loop_factory, stop_signals
from aimyproxy.proxy.worker import work
from aimyproxy.succession import Succession, end_of, never_ready, replaced

if TYPE_CHECKING:
    from collections.abc import Callable

    from aimyproxy.exchange import Exchange
    from aimyproxy.keeping.keeper import Keeper
    from aimyproxy.proxy.settings import Observer, Settings

_CHUNK: Final = 1 << 18
_LAST_WORDS: Final = 5.0
"""Seconds that a worker gets to end when all has been said."""


def run(
    settings: Settings,
    keeper: Keeper,
    observer: Observer,
    started: Callable[[str, int], None],
    served: Callable[[int, Exchange], None] | None = None,
    stopping: Callable[[], None] = lambda: None,
) -> None:
    """As `server.run`, with `settings.workers` processes that share the port.

    Raises:
        ListenError: the address can't be listened on.
        InvalidOption: the certificate or its key can't be used.
        WorkerError: no worker could be started.
    """
    with (
        tempfile.TemporaryDirectory(prefix="aimyproxy-") as folder,
        asyncio.Runner(loop_factory=loop_factory()) as runner,
        sockets.listening_socket(*settings.listen) as listening,
    ):
        if settings.guard:
            settings.guard.count_in(Path(folder))
        runner.run(Supervisor(settings, listening, keeper, observer, started, served).run(stopping))


class Supervisor:
    """Starts workers, records what they hand over, starts another one where one ends, and ends them in order."""

    def __init__(
        self,
        settings: Settings,
        listening: socket.socket,
        keeper: Keeper,
        observer: Observer,
        started: Callable[[str, int], None],
        served: Callable[[int, Exchange], None] | None,
    ) -> None:
        self._settings = settings
        self._listening = listening
        self._keeper = keeper
        self._observer = observer
        self._started = started
        self._served = served
        self._context = multiprocessing.get_context("forkserver")
        # One process imports what all workers need: the next one is there at once.
        self._context.set_forkserver_preload(["aimyproxy.proxy.server"])
        self._channels: set[asyncio.StreamWriter] = set()
        self._ever_ready = False
        self._error: Exception | None = None
        self._signalled = asyncio.Event()
        self._ending = asyncio.Event()

    async def run(self, stopping: Callable[[], None]) -> None:
        """Until SIGINT or SIGTERM, or trouble that ends it; a second signal hurries."""
        with stop_signals() as self._signalled:
            tending = [asyncio.create_task(self._tend()) for _ in range(self._settings.workers)]
            await self._signalled.wait()
            self._signalled.clear()
            stopping()
            self._ending.set()
            self._listening.close()
            await self._end(tending)
        if self._error:
            raise self._error

    async def _end(self, tending: list[asyncio.Task[None]]) -> None:
        self._tell_all(Kind.STOP)
        hurry = asyncio.create_task(self._signalled.wait())
        ended = asyncio.create_task(_all(tending))
        # A worker gives up by itself when no answer can come any more.
        patience = self._settings.timeout + 1 + _LAST_WORDS
        await asyncio.wait([hurry, ended], timeout=patience, return_when=asyncio.FIRST_COMPLETED)
        hurry.cancel()
        self._tell_all(Kind.STOP)
        await asyncio.wait([ended], timeout=_LAST_WORDS)
        for task in tending:
            task.cancel()
        await ended

    def _fail(self, error: Exception) -> None:
        self._error = self._error or error
        self._signalled.set()

    def _tell_all(self, kind: Kind) -> None:
        for channel in self._channels:
            channel.write(bytes(Frame(kind)))

    async def _tend(self) -> None:
        """Keep one worker alive."""
        loop, succession = asyncio.get_running_loop(), Succession()
        while not self._ending.is_set():
            begun = loop.time()
            try:
                how = await self._one_life()
            except Exception as error:  # no worker without a reason: it ends the run
                self._fail(error)
                return
            if self._ending.is_set():
                return
            if not self._ever_ready:
                self._fail(never_ready(how))
                return
            self._observer.trouble(replaced("A worker", how))
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), succession.pause(loop.time() - begun))

    async def _one_life(self) -> str:
        """Start a worker and listen to it until it ends; how it ended, in words."""
        ours, theirs = socket.socketpair()
        arguments = self._settings, self._listening, theirs, self._served is not None
        process = self._context.Process(target=work, args=arguments, daemon=True)
        with theirs:
            await asyncio.to_thread(process.start)
        try:
            reader, writer = await asyncio.open_unix_connection(sock=ours)
            self._channels.add(writer)
            if self._ending.is_set():
                writer.write(bytes(Frame(Kind.STOP)))
            await self._converse(reader, writer)
            self._channels.remove(writer)
            writer.close()
            await asyncio.to_thread(process.join, _LAST_WORDS)
        finally:
            # One that has ended is not harmed.
            process.kill()
            process.join()
        return end_of(process.exitcode)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        frames = Frames()
        unserved: dict[int, Exchange] = {}
        with suppress(ConnectionError):
            while data := await reader.read(_CHUNK):
                told = []
                for frame in frames.feed(data):
                    if frame.kind is Kind.EXCHANGE:
                        told.append(await self._keep(frame, unserved))
                    elif frame.kind is Kind.SERVED:
                        self._copy(frame.number, unserved)
                    else:
                        self._hear(frame)
                # Of exchanges that came together, the worker hears together.
                writer.write(b"".join(told))

    async def _keep(self, frame: Frame, unserved: dict[int, Exchange]) -> bytes:
        identity = None
        try:
            exchange = from_document(jsonvalue.loads(frame.content))
        except AimyproxyError:  # what no reader of the recording would take (an answer's status of 99, say)
            self._keeper.lost += 1
            self._observer.trouble("NOT RECORDED: an exchange has no stored form.")
        else:
            identity = await self._keeper.keep(exchange)
            if identity is not None and self._served:
                unserved[identity] = exchange
        if identity is not None:
            return bytes(Frame(Kind.KEPT, frame.number, b"%d" % identity))
        if self._settings.strict:
            self._signalled.set()
        return bytes(Frame(Kind.NOT_KEPT, frame.number))

    def _copy(self, identity: int, unserved: dict[int, Exchange]) -> None:
        if self._served:
            self._served(identity, unserved.pop(identity))

    def _hear(self, frame: Frame) -> None:
        if frame.kind is Kind.READY and not self._ever_ready:
            self._ever_ready = True
            host, port, *_ = self._listening.getsockname()
            self._started(str(host), int(port))
        elif frame.kind is Kind.REFUSED:
            self._observer.refused(Refusal(**json.loads(frame.content)))
        elif frame.kind is Kind.TROUBLE:
            self._observer.trouble(frame.content.decode())
        elif frame.kind is Kind.FAILED:
            self._fail(InvalidOption(frame.content.decode()))


async def _all(tasks: list[asyncio.Task[None]]) -> None:
    await asyncio.gather(*tasks, return_exceptions=True)
