"""The keeper: every exchange goes into the recording, and where the disk refuses, it waits for better times."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Literal, Protocol

from aimyproxy.errors import StoreError
from aimyproxy.keeping.waiting import NO_ROOM, Held, Room, Waiting
from aimyproxy.store.appendable import Busy, Outdated
from aimyproxy.store.recording import stored

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aimyproxy.exchange import Exchange
    from aimyproxy.store.recording import Recording

Health = Literal["recording", "holding", "lost"]
"""All is in the file and gets onto the disk; or exchanges wait in memory; or there is no more room for them."""

_SECONDS: Final = 0.5
_PATIENCE: Final = 1.0
_POLL: Final = 0.005


class Observer(Protocol):
    """Who is told what becomes of exchanges; called from several threads."""

    def recorded(self, identity: int, exchange: Exchange) -> None:
        """An exchange is in the file."""

    def held(self, number: int, exchange: Exchange) -> None:
        """An exchange waits in memory, as the last of so many."""

    def lost(self, number: int, exchange: Exchange) -> None:
        """An exchange could be put nowhere, as the last of so many."""

    def trouble(self, message: str) -> None:
        """Exchanges can't be recorded, or not safely; told once, until there is news."""

    def news(self, message: str) -> None:
        """What was wrong is over."""


class Redaction(Protocol):
    """What makes of an exchange what may be recorded and shown; called from several threads."""

    @property
    def version(self) -> int:
        """Which of the rules that there were are in force; grows when they change."""

    def redacted(self, exchange: Exchange) -> tuple[Exchange, int]:
        """The exchange as it may be recorded, and the version of the rules that made it so."""

    def renewed(self, document: bytes, version: int) -> bytes:
        """A stored form of an earlier version, as it may be recorded now."""

    def take_up(self) -> None:
        """Redact by the rules that the recording has now, after its file has said that they are others."""


class AsItComes:
    """Nothing is redacted."""

    version = 0

    def redacted(self, exchange: Exchange) -> tuple[Exchange, int]:
        """The exchange itself."""
        return exchange, 0

    def renewed(self, document: bytes, version: int) -> bytes:  # noqa: ARG002
        """The document itself."""
        return document

    def take_up(self) -> None:
        """There are no rules."""


class Keeper:
    """Records exchanges one after another, whatever the disk does; whoever serves the bot asks only it.

    `redaction` makes of an exchange what may be recorded and shown. Where an exchange can't be written, it waits, as
    long as there is `room`, and is written in its order when that works again; it is tried every `seconds`, and so
    often the disk is made to have what was written. With `strict`, nothing waits: who serves the bot is told at once,
    and stops.
    `recorded` and `lost` count this run's exchanges; `reason` says what is wrong now, "" where all is well.
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
    ) -> None:
        self._recording = recording
        self._observer = observer
        self._redaction = redaction or AsItComes()
        self._queue = Waiting(NO_ROOM if strict else room or Room())
        self._strict = strict
        self._seconds = seconds
        self._patience = patience
        self._unwritten = ""
        self._unflushed = ""
        self._full = False
        self.recorded = 0
        self.lost = 0

    @property
    def waiting(self) -> int:
        """How many exchanges wait in memory."""
        return len(self._queue)

    @property
    def reason(self) -> str:
        """Why exchanges can't be recorded now, or not safely; "" where they can."""
        return self._unwritten or self._unflushed

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
        return f"{self._unflushed} A power failure may take what was recorded last." if self._unflushed else ""

    async def keep(self, exchange: Exchange) -> int | None:
        """Record an exchange; its id, or None where it waits or is lost (if strict, also where it is not safe).

        Never raises.
        """
        try:
            redacted, version = self._redaction.redacted(exchange)
            document = stored(redacted)
        except Exception as error:  # the bot comes first, whatever its exchange is
            self.lost += 1
            # Of an exchange that is not redacted, nothing may be shown.
            self._observer.trouble(f"NOT RECORDED: an exchange has no stored form ({type(error).__name__}).")
            return None
        try:
            identity = await self._append(document)
        except Outdated:
            if self._taken_up():
                return await self.keep(exchange)
        except Exception as error:  # the bot comes first, whatever the disk says
            self._refused(error)
        else:
            if identity is not None:
                self.recorded += 1
                self._works_again()
                self._observer.recorded(identity, redacted)
                return None if self._strict and self._unflushed else identity
        self._hold(Held(document, version), redacted)
        return None

    @contextmanager
    def running(self) -> Iterator[None]:
        """A context in which the disk gets what was written, and what waits is tried again; once more at its end."""
        stop = threading.Event()
        # In a thread: a disk that is slow to flush must not hold up the bot.
        thread = threading.Thread(target=self._work, args=(stop,), name="keeper", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
            self._work_once()

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

    def _work(self, stop: threading.Event) -> None:
        while not stop.wait(self._seconds):
            self._work_once()

    def _work_once(self) -> None:
        self._write_waiting()
        self._flush()

    def _write_waiting(self) -> None:
        written = 0
        try:
            for batch in self._queue.batches():
                self._append_patiently(batch)
                written += len(batch)
        except Exception as error:
            self._refused(error)
        self.recorded += written
        if written and not self._queue:
            self._works_again(f"; {written:,} exchanges that waited are in the file")

    def _append_patiently(self, batch: list[Held]) -> None:
        deadline = time.monotonic() + self._patience
        while True:
            try:
                self._recording.append_stored([self._renewed(held) for held in batch], wait=False)
            except Outdated:
                self._redaction.take_up()
            except Busy:
                if time.monotonic() > deadline:
                    raise self._locked() from None
                time.sleep(_POLL)
            else:
                return

    def _renewed(self, held: Held) -> bytes:
        if held.version == self._redaction.version:
            return held.document
        return self._redaction.renewed(held.document, held.version)

    def _works_again(self, comfort: str = "") -> None:
        if self._unwritten:
            self._unwritten, self._full = "", False
            self._observer.news(f"Recording works again{comfort}.")

    def _flush(self) -> None:
        try:
            self._recording.sync()
        except Exception as error:
            if not self._unflushed:
                self._observer.trouble(f"NOT SAFE: {error} A power failure may take what was recorded last.")
            self._unflushed = str(error)
        else:
            if self._unflushed:
                self._unflushed = ""
                self._observer.news("What is recorded is safe on the disk again.")
