"""The start of a command that serves: what it makes stays, and looking for garbage in it takes part of its time."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def starting() -> Iterator[None]:
    """A context in which nobody looks for garbage until `started` is called."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def started() -> None:
    """From now on garbage is looked for, in what is made from now on."""
    gc.freeze()
    gc.enable()
