"""Making the disk have what was written, again and again, and knowing how that goes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    import threading

UNSAFE: Final = "A power failure may take what was recorded last."


class Written(Protocol):
    """What was written to a disk."""

    def sync(self) -> None:
        """Returns when the disk has it; raises where that fails."""


class Listener(Protocol):
    """Who is told when what is written is not safe, and when it is again."""

    def trouble(self, message: str) -> None:
        """What was written may go with the power; told once, until there is news."""

    def news(self, message: str) -> None:
        """What was wrong is over."""


class Flusher:
    """Makes the disk have what was written, every `seconds`; `reason` says why it does not, "" where it does.

    `busy` says that the disk has not answered yet: who writes may have to wait as long, perhaps for ever.
    It belongs into a thread of its own: a slow disk must not hold up the bot, and nothing must hold up this.
    """

    def __init__(self, written: Written, listener: Listener, seconds: float) -> None:
        self._written = written
        self._listener = listener
        self._seconds = seconds
        self.busy = False
        self.reason = ""

    def work(self, stop: threading.Event) -> None:
        """Until `stop` is set. From begin to begin: how long a flush takes makes nothing wait longer for the next."""
        pause = self._seconds
        while not stop.wait(pause):
            begun = time.monotonic()
            self.flush()
            pause = max(0.0, self._seconds - (time.monotonic() - begun))

    def flush(self) -> None:
        """Once, now; never raises."""
        self.busy = True
        try:
            self._written.sync()
        except Exception as error:
            self.failed(str(error))
        else:
            if self.reason:
                self.reason = ""
                self._listener.news("What is recorded is safe on the disk again.")
        finally:
            self.busy = False

    def failed(self, reason: str) -> None:
        """What was written is not safe, and why."""
        if not self.reason:
            self._listener.trouble(f"NOT SAFE: {reason} {UNSAFE}")
        self.reason = reason
