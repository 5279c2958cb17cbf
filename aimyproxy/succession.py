"""What all that have worker processes do alike when one of them ends: when the next one comes, and what is said."""

from __future__ import annotations

import signal
from typing import Final

from aimyproxy.errors import WorkerError

_FIRST_PAUSE: Final = 0.25
_LONGEST_PAUSE: Final = 30.0
_GOOD_LIFE: Final = 10.0
"""Seconds after which a worker's end says nothing about the next one's life."""


class Succession:
    """The place of a worker, and of those that come after it."""

    def __init__(self) -> None:
        self._pause = _FIRST_PAUSE

    def pause(self, life: float) -> float:
        """For how many seconds the place stays empty after one that lived so many: longer each time they don't last."""
        self._pause = _FIRST_PAUSE if life > _GOOD_LIFE else min(2 * self._pause, _LONGEST_PAUSE)
        return self._pause


def end_of(status: int | None) -> str:
    """How a process of this exit status has ended, in words; it is negative where a signal ended it."""
    if status is not None and status < 0:
        return f"by {signal.Signals(-status).name}"
    return f"with status {status}"


def replaced(who: str, how: str) -> str:
    """What is said of a worker that ended while others serve."""
    return f"{who} ended {how}; another one takes its place."


def never_ready(how: str) -> WorkerError:
    """The error where a worker ended before any was ready: the next one would do no better."""
    return WorkerError(f"The workers can't begin: one ended {how} before it was ready.")
