"""Not looking for garbage where there is none: it is a quarter of the time in which a great many objects are made."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def not_looked_for() -> Iterator[None]:
    """A context, or a function, in which nobody looks for garbage, unless `looked_for` is called."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def looked_for() -> None:
    """From now on garbage is looked for, in what is made from now on."""
    gc.freeze()
    gc.enable()
