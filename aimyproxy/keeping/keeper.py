"""The keeper: every exchange goes into the recording, and where the disk refuses, it waits for better times."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final, Literal

from aimyproxy.errors import StoreError
from aimyproxy.keeping.flushing import UNSAFE, Flusher
from aimyproxy.keeping.roles import AsItComes
from aimyproxy.keeping.waiting import NO_ROOM, Held, Room, Waiting
from aimyproxy.limiter import Rate
from aimyproxy.store.appendable import Busy, Outdated
from aimyproxy.store.mounts import is_local

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aimyproxy.exchange import Exchange
    from aimyproxy.keeping.roles import Observer, Redaction
    from aimyproxy.store.recording import Recording

Health = Literal["recording", "holding", "lost"]
"""All is in the file and gets onto the disk; or exchanges wait in memory; or there is no more room for them."""

_SECONDS: Final = 0.5
_PATIENCE: Final = 1.0
_GRACE: Final = 30.0
_POLL: Final = 0.005
_FEW: Final = Rate(20, 1.0, "20/s")
"""How many exchanges may be written by another thread, whatever that costs."""


class Keeper:
    """Records exchanges one after another, whatever the disk does; whoever serves the bot asks only it.

    `redaction` makes of an exchange what may be recorded and shown. Where an exchange can't be written, it waits, as
    long as there is `room`, and is written in its order when that works again; it is tried every `seconds`, and so
    often the disk is made to have what was written. With `strict`, nothing waits: who serves the bot is told at once,
    and stops. `patience` is how many seconds a bot waits for the disk, `grace` how many the end of all does.
    `recorded` and `lost` count this run's exchanges; `reason` says what is wrong now, "" where all is well.

    A write may take for ever, and nobody can call it off: a thread of its own writes, unless there are so many
    exchanges that this costs more than the write itself; on a disk of another machine, and while a flush is under way,
    in any case.
    """

    def __init__(
        self,
        recording: Recording,
        observer: Observer,
        *,
        redaction: Redaction | None = None,
        room: Room | None = None,
        strict: bool = False,
        seconds: float = _SECONDS,
        patience: float = _PATIENCE,
        grace: float = _GRACE,
    ) -> None:
        self._recording = recording
        self._observer = observer
        self._redaction = redaction or AsItComes()
        self._queue = Waiting(NO_ROOM if strict else room or Room())
        self._flusher = Flusher(recording, observer, seconds)
        self._strict = strict
        self._seconds = seconds
        self._patience = patience
        self._grace = grace
        self._far = not is_local(recording.folder)
        self._awaited: set[Future[int]] = set()
        self._wake = threading.Event()
        self._due = 0.0
        self._unwritten = ""
        self._full = self._stuck = self._running = False
        self.recorded = 0
        self.lost = 0

    @property
    def waiting(self) -> int:
        """How many exchanges wait in memory."""
        return len(self._queue)

    @property
    def reason(self) -> str:
        """Why exchanges can't be recorded now, or not safely; "" where they can."""
        return self._unwritten or self._flusher.reason

    @property
    def health(self) -> Health:
        """How it goes now; what went wrong before shows in `lost`."""
        if not self.reason:
            return "recording"
        return "lost" if self._full else "holding"

    @property
    def incomplete(self) -> str:
        """What is missing in the recording or may go with the power, in words; "" where nothing is."""
        missing = self.lost + self.waiting
        if missing:
            could = "1 exchange" if missing == 1 else f"{missing:,} exchanges"
            return f"{could} could not be recorded; the bot was served."
        return f"{self._flusher.reason} {UNSAFE}" if self._flusher.reason else ""

    async def keep(self, exchange: Exchange) -> int | None:
        """Record an exchange; its id, or None where it waits or is lost (if strict, also where it is not safe).

        Never raises.
        """
        try:
            redacted, document, version = self._redaction.redacted(exchange)
            held = Held(document, version)
        except Exception as error:  # the bot comes first, whatever its exchange is
            self.lost += 1
            # Of an exchange that is not redacted, nothing may be shown.
            self._observer.trouble(f"NOT RECORDED: an exchange has no stored form ({type(error).__name__}).")
            return None
        if self._apart:
            written: Future[int] = Future()
            if self._queue.add(held._replace(written=written)):
                return await self._handed_over(written, redacted)
        try:
            identity = await self._append(held.document)
        except Outdated:
            if self._taken_up():
                return await self.keep(exchange)
        except Exception as error:  # the bot comes first, whatever the disk says
            self._refused(error)
        else:
            if identity is not None:
                self._works_again()
                return self._kept(identity, redacted)
        self._hold(held, redacted)
        return None

    @contextmanager
    def running(self) -> Iterator[None]:
        """A context in which the disk gets what was written, and what waits is tried again; once more at its end."""
        stop = threading.Event()
        works = (self._write_again_and_again, self._flusher.work)
        threads = [threading.Thread(target=work, args=(stop,), name="keeper", daemon=True) for work in works]
        for thread in threads:
            thread.start()
        self._running = True
        try:
            yield
        finally:
            self._running = False
            stop.set()
            self._wake.set()
            self._end(threads)

    def close(self) -> None:
        """Let go of the recording; what is wrong with its disk is known. One that doesn't answer is not asked."""
        if not self._stuck:
            with suppress(StoreError):
                self._recording.close()

    def _end(self, threads: list[threading.Thread]) -> None:
        """Write and flush once more, as long as there is hope for an answer of the disk."""

        def last() -> None:
            for thread in threads:
                thread.join()
            self._write_waiting()
            self._flusher.flush()

        ending = threading.Thread(target=last, name="keeper's end", daemon=True)
        ending.start()
        left = self.waiting + 1
        while ending.is_alive() and self.waiting < left:
            # As long as fewer wait each time, it answers.
            left = self.waiting
            ending.join(self._grace)
        if ending.is_alive():
            self._stuck = True
            self._flusher.failed(f"{self._recording.path} is on a disk that has not answered for {self._grace:g} s.")

    @property
    def _apart(self) -> bool:
        """Whether another thread should write: where the disk may not answer, others wait already, or there are few."""
        if self._strict or self._unwritten or not self._running:
            return False
        if self._far or self._queue or self._flusher.busy:
            return True
        self._due, too_early = _FEW.asked(self._due, time.monotonic())
        return not too_early

    async def _handed_over(self, written: Future[int], redacted: Exchange) -> int | None:
        """Wait for another thread to write what is in the queue; the id, or None where that takes too long."""
        self._awaited.add(written)
        self._wake.set()
        # A little longer than the other thread waits for a lock: that can say why.
        patience = 1.25 * self._patience
        await asyncio.wait([asyncio.wrap_future(written)], timeout=patience)
        self._awaited.discard(written)
        if not written.done():
            self._refused(
                StoreError(f"{self._recording.path} was not written for {patience:g} s: its disk doesn't answer.")
            )
        if written.cancelled() or written.cancel():
            self._observer.held(self.waiting, redacted)
            return None
        self._works_again()
        return self._kept(written.result(), redacted)

    def _kept(self, identity: int, redacted: Exchange) -> int | None:
        self.recorded += 1
        self._observer.recorded(identity, redacted)
        return None if self._strict and self._flusher.reason else identity

    async def _append(self, document: bytes) -> int | None:
        """The id in the file; None where others wait already: they come first."""
        deadline = time.monotonic() + self._patience
        while not self._queue:
            try:
                return self._recording.append_stored([document], wait=False)[0]
            except Busy:
                if time.monotonic() > deadline:
                    raise self._locked() from None
            # Waiting for the lock itself would stop everybody.
            await asyncio.sleep(_POLL)
        return None

    def _locked(self) -> StoreError:
        return StoreError(f"{self._recording.path} has been locked by another process for {self._patience:g} s.")

    def _taken_up(self) -> bool:
        try:
            self._redaction.take_up()
        except Exception as error:  # the bot comes first, whatever became of the recording
            self._refused(error)
            return False
        return True

    def _hold(self, held: Held, exchange: Exchange) -> None:
        if self._queue.add(held):
            self._observer.held(self.waiting, exchange)
            return
        self.lost += 1
        if self.waiting and not self._full:
            self._observer.trouble(f"There is no room for more: {self.waiting:,} exchanges wait, others are LOST.")
        self._full = True
        self._observer.lost(self.lost, exchange)

    def _refused(self, error: Exception) -> None:
        if not self._unwritten:
            self._observer.trouble(f"NOT RECORDED: {error} {self._comfort}")
        self._unwritten = str(error)

    @property
    def _comfort(self) -> str:
        if self._strict:
            return "Nothing more is served, as --strict asks."
        what = "exchanges wait until that works again" if self._queue.room.exchanges else "exchanges are LOST"
        return f"The bot is served; {what}."

    def _write_again_and_again(self, stop: threading.Event) -> None:
        while not stop.is_set():
            self._wake.wait(self._seconds)
            self._wake.clear()
            self._write_waiting()

    def _write_waiting(self) -> None:
        late = 0
        try:
            while batch := self._queue.first():
                identities = self._append_patiently(batch)
                # Before anybody is told: who comes then shall find nobody here.
                self._queue.drop(len(batch))
                late += sum(not held.tell(identity) for held, identity in zip(batch, identities, strict=True))
        except Exception as error:
            self._refused(error)
            for written in list(self._awaited):
                written.cancel()
        self.recorded += late
        if late and not self._queue:
            self._works_again(f"; {late:,} exchanges that waited are in the file")

    def _append_patiently(self, batch: list[Held]) -> list[int]:
        deadline = time.monotonic() + self._patience
        documents, version = self._renewed(batch)
        while True:
            if version != self._redaction.version:
                documents, version = self._renewed(batch)
            try:
                return self._recording.append_stored(documents, wait=False)
            except Outdated:
                self._redaction.take_up()
            except Busy:
                if time.monotonic() > deadline:
                    raise self._locked() from None
                time.sleep(_POLL)

    def _renewed(self, batch: list[Held]) -> tuple[list[bytes], int]:
        """The documents by the rules in force, and their version."""
        version, renewed = self._redaction.version, self._redaction.renewed
        return [
            one.document if one.version == version else renewed(one.document, one.version) for one in batch
        ], version

    def _works_again(self, comfort: str = "") -> None:
        if self._unwritten:
            self._unwritten, self._full = "", False
            self._observer.news(f"Recording works again{comfort}.")
