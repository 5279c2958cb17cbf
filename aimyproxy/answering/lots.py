"""Some of many, by lot: values often take turns in a recording, and then every n-th is of the same kind."""

from __future__ import annotations

from functools import lru_cache
from heapq import nsmallest
from zlib import crc32


# Each variable of an event's answers is learned from the same ones.
@lru_cache(maxsize=16)
def drawn(count: int, most: int) -> tuple[int, ...]:
    """Which of `count` things are among the `most` that are drawn, in order; always the same ones."""
    return tuple(range(count)) if count <= most else tuple(sorted(nsmallest(most, range(count), key=_lot)))


def _lot(number: int) -> int:
    return crc32(b"%d" % number)
