"""What the suite is doing, told on standard error."""

from __future__ import annotations

import sys
import time

_began = time.monotonic()


def say(message: str) -> None:
    """One line, with the seconds that the suite has run."""
    print(f"{time.monotonic() - _began:6.1f} s  {message}", file=sys.stderr, flush=True)
