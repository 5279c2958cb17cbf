"""A recording flushed to the disk while it grows."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from aimyproxy.errors import AimyproxyError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aimyproxy.mockserver.app import Observer
    from aimyproxy.store.recording import Recording

_SECONDS: Final = 0.5


@contextmanager
def syncing(recording: Recording, observer: Observer, seconds: float = _SECONDS) -> Iterator[None]:
    """A context in which appends are forced onto the disk every so many seconds; the last of them when it is closed.

    A disk that refuses is told to the observer, once for each reason.
    """
    stop = threading.Event()
    # In a thread: a disk that is slow to flush must not hold up the bot.
    thread = threading.Thread(target=_sync, args=(recording, observer, seconds, stop), name="sync", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _sync(recording: Recording, observer: Observer, seconds: float, stop: threading.Event) -> None:
    told: set[str] = set()
    while not stop.wait(seconds):
        try:
            recording.sync()
        except AimyproxyError as error:
            if str(error) not in told:
                told.add(str(error))
                observer.trouble(str(error))
