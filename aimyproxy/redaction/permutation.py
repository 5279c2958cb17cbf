"""A keyed permutation of the numbers below a bound, of any size, that leaves none where it was."""

from __future__ import annotations

import hmac
from typing import Final

_ROUNDS: Final = 6


class Permutation:
    """A permutation of 0 … `size` - 1 that only `key` (bytes) and `tweak` (bytes) decide; no number stays itself.

    It is one cycle through all numbers, in the order of a Feistel network whose round function is HMAC-SHA-256: the
    next number of the cycle stands for a number. So different numbers have different ones, without a memory of which
    are taken.
    """

    def __init__(self, key: bytes, tweak: bytes, size: int) -> None:
        self._key = hmac.digest(key, b"permutation\0%d\0%b" % (size, tweak), "sha256")
        self._size = size
        self._half = (max(1, (size - 1).bit_length()) + 1) // 2
        self._mask = (1 << self._half) - 1

    def of(self, number: int) -> int:
        """What stands for the number; itself only where there is no other."""
        return self._walked((self._walked(number, forth=False) + 1) % self._size, forth=True)

    def _walked(self, number: int, *, forth: bool) -> int:
        # The network permutes up to four times as many numbers: those beyond the bound are steps on the way.
        number = self._network(number, forth=forth)
        while number >= self._size:
            number = self._network(number, forth=forth)
        return number

    def _network(self, number: int, *, forth: bool) -> int:
        left, right = number >> self._half, number & self._mask
        for step in range(_ROUNDS) if forth else reversed(range(_ROUNDS)):
            if forth:
                left, right = right, left ^ self._round(step, right)
            else:
                left, right = right ^ self._round(step, left), left
        return left << self._half | right

    def _round(self, step: int, half: int) -> int:
        digest = hmac.digest(self._key, b"%d:%d" % (step, half), "sha256")
        return int.from_bytes(digest[:8], "big") & self._mask
