"""Many needles found in a text at once, at a cost that does not grow with their number."""

from __future__ import annotations

import sys
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

FEW: Final = 16
"""So many needles are looked for one by one: that takes less time than to look at every word."""

_LENGTHS: Final = 1 << 32


class Grams:
    """Needles found by machine words: of a text every word at a multiple of its size is looked up, of a needle all.

    A word leads to the spots in needles where it stands (all of one length and at one place are one spot), and what a
    text has around the word is looked up among the needles. So a look-up costs the same with a hundred and with
    thousands, however alike they are, and nothing has to be built anew for one more.
    """

    def __init__(self, size: Literal[8, 4]) -> None:
        self._size = size
        self._needles: dict[bytes, tuple[str, ...]] = {}
        self._spots: dict[int, tuple[int, ...]] = {}
        self._shared: dict[int, Counter[int]] = {}
        self.shortest = 2 * size - 1

    def add(self, needle: bytes, text: str) -> None:
        """Find this text by this needle, of at least the `shortest` length."""
        texts = self._needles.get(needle, ())
        self._needles[needle] = (*texts, text)
        if not texts:
            for word, spot in self._of(needle):
                self._add(word, spot)

    def remove(self, needle: bytes, text: str) -> None:
        """Find this text no longer by this needle."""
        texts = tuple(other for other in self._needles.pop(needle) if other != text)
        if texts:
            self._needles[needle] = texts
            return
        for word, spot in self._of(needle):
            self._remove(word, spot)

    def found_in(self, raw: bytes) -> set[str]:
        """The texts of the needles that stand in these bytes."""
        if len(self._needles) <= FEW:
            return {text for needle, texts in self._needles.items() if needle in raw for text in texts}
        # A list of them takes half of the time that walking the memory does.
        memory = memoryview(raw + bytes(-len(raw) % self._size))
        words = memory.cast("Q").tolist() if self._size == 8 else memory.cast("I").tolist()
        if self._spots.keys().isdisjoint(words):
            return set()
        return set(self._around(words, raw))

    def _around(self, words: list[int], raw: bytes) -> Iterator[str]:
        for index, word in enumerate(words):
            for spot in self._spots.get(word, ()):
                before, length = divmod(spot, _LENGTHS)
                start = index * self._size - before
                if start >= 0:
                    yield from self._needles.get(raw[start : start + length], ())

    def _add(self, word: int, spot: int) -> None:
        known = self._spots.get(word)
        if known is None:
            self._spots[word] = _alone(spot)
            return
        shared = self._shared.setdefault(word, Counter(known))
        shared[spot] += 1
        if spot not in known:
            self._spots[word] = tuple(shared)

    def _remove(self, word: int, spot: int) -> None:
        shared = self._shared.get(word)
        if shared is None:
            del self._spots[word]
            return
        shared[spot] -= 1
        if shared[spot]:
            return
        del shared[spot]
        if shared:
            self._spots[word] = tuple(shared)
        else:
            del self._spots[word], self._shared[word]

    def _of(self, needle: bytes) -> Iterator[tuple[int, int]]:
        """The words of a needle, and their spots: how many bytes stand before one, and the needle's length."""
        # Of a long one the end: tokens of one maker begin alike.
        first = len(needle) - self.shortest
        for start in range(first, first + self._size):
            word = int.from_bytes(needle[start : start + self._size], sys.byteorder)
            yield word, start * _LENGTHS + len(needle)


@lru_cache(maxsize=10_000)
def _alone(spot: int) -> tuple[int, ...]:
    """Most words have one spot, and few spots differ: they need not take memory a hundred thousand times."""
    return (spot,)
