"""Several processes that serve on one port, and the one that starts them and starts another where one ends.

They are told to end when this process is; a second Ctrl-C hurries them, too.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing import connection
from typing import TYPE_CHECKING, Any, Final, Protocol

from aimyproxy.errors import AimyproxyError, WorkerError
from aimyproxy.succession import Succession, end_of, never_ready, replaced

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
_LOOK: Final = 0.2


class Listener(Protocol):
    """Who is told of workers."""

    def heard(self, worker: int, said: Any) -> None:
        """A worker, numbered from 0, says something; one that takes another's place has its number."""

    def ended(self, worker: int) -> None:
        """A worker has ended."""

    def trouble(self, message: str) -> None:
        """Something went wrong, and the others serve on."""


class Channel:
    """A worker's end of the line to the process that started it; for several threads at once."""

    def __init__(self, line: Connection, number: int) -> None:
        self._line = line
        self._lock = threading.Lock()
        self.number = number

    def say(self, said: Any) -> None:
        """Tell the other end; where that is gone, nobody."""
        with self._lock, suppress(OSError):
            self._line.send(said)

    def when_alone(self, end: Callable[[], None]) -> None:
        """Have `end` called, from another thread, once there is no other end any more."""
        threading.Thread(target=self._wait, args=(end,), name="channel", daemon=True).start()

    def _wait(self, end: Callable[[], None]) -> None:
        with suppress(OSError, EOFError):
            self._line.recv()
        end()


@dataclass(slots=True)
class _Failed:
    """A worker's last words: why it can't begin."""

    why: str


def begin(work: Callable[..., None], line: Connection, number: int, arguments: tuple[Any, ...]) -> None:
    """What a worker process does: `work` with its channel and the arguments."""
    # A terminal's Ctrl-C reaches everybody: when to end says only the process that the user started.
    os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    channel = Channel(line, number)
    try:
        work(channel, *arguments)
    except AimyproxyError as error:
        channel.say(_Failed(str(error)))


@dataclass(slots=True)
class _Place:
    """The place of a worker: the one that is there, and when the next one may come where there is none."""

    number: int
    process: SpawnProcess | None = None
    line: Connection | None = None
    begun: float = 0.0
    next: float = 0.0
    succession: Succession = field(default_factory=Succession)


class Workers:
    """`count` processes that do `work(channel, *arguments)`, which has to say something when it is ready."""

    def __init__(self, count: int, work: Callable[..., None], arguments: tuple[Any, ...], listener: Listener) -> None:
        self._places = [_Place(number) for number in range(count)]
        self._work = work
        self._arguments = arguments
        self._listener = listener
        self._context = multiprocessing.get_context("spawn")
        self._ending = False
        self._ready = False

    def run(self) -> None:
        """Until a signal, and until all have ended then; to be called from the main thread.

        Raises:
            WorkerError: they can't begin; it says why.
        """
        with self._signals():
            try:
                while not self._ending or any(place.process for place in self._places):
                    self._look()
            finally:
                # Only where something else went wrong is anybody left.
                for place in self._places:
                    if place.process:
                        place.process.kill()
                        place.process.join()

    def _look(self) -> None:
        """Start who is missing, and hear who says something or has ended."""
        for place in self._places:
            if place.process is None and not self._ending and time.monotonic() >= place.next:
                self._start(place)
        lines: dict[object, _Place] = {place.line: place for place in self._places if place.line}
        for line in connection.wait([place.line for place in self._places if place.line], _LOOK):
            self._hear(lines[line])
        if not lines:
            time.sleep(_LOOK)

    def _start(self, place: _Place) -> None:
        place.line, theirs = self._context.Pipe()
        arguments = (self._work, theirs, place.number, self._arguments)
        place.process = self._context.Process(target=begin, args=arguments, name=f"worker {place.number + 1}")
        place.begun = time.monotonic()
        # Until it has turned away from the terminal.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            place.process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        theirs.close()
        if self._ending:
            place.process.terminate()

    def _hear(self, place: _Place) -> None:
        try:
            said = place.line.recv() if place.line else None
        except (OSError, EOFError):
            self._ended(place)
            return
        if isinstance(said, _Failed):
            raise WorkerError(said.why)
        self._ready = True
        self._listener.heard(place.number, said)

    def _ended(self, place: _Place) -> None:
        process, line, now = place.process, place.line, time.monotonic()
        place.process = place.line = None
        if process is None or line is None:
            return
        line.close()
        process.join()
        self._listener.ended(place.number)
        if self._ending:
            return
        how = end_of(process.exitcode)
        if not self._ready:
            raise never_ready(how)
        self._listener.trouble(replaced(f"Worker {place.number + 1}", how))
        place.next = now + place.succession.pause(now - place.begun)

    @contextmanager
    def _signals(self) -> Iterator[None]:
        def passed_on(number: int, _frame: object) -> None:
            # One that still begins doesn't know of Ctrl-C yet.
            passed, self._ending = number if self._ending else signal.SIGTERM, True
            for place in self._places:
                if place.process and place.process.pid:
                    with suppress(ProcessLookupError):
                        os.kill(place.process.pid, passed)

        before = {number: signal.signal(number, passed_on) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
