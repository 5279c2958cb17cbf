"""What came before and comes again: values by the bytes that they were made of, in bounded memory."""

from __future__ import annotations

from typing import Final, Generic, TypeVar

_Value = TypeVar("_Value")

MOST: Final = 16_384
MOST_BYTES: Final = 4 * 1024 * 1024


class Repeats(Generic[_Value]):
    """Values by the bytes that they were made of.

    What never comes again, as most of what a bot sends, need take no memory: see `again`. Of more than `most` values,
    or of more than `most_bytes` that they were made of, all are forgotten. Not for several threads at once.
    """

    def __init__(self, most: int = MOST, most_bytes: int = MOST_BYTES) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._values: dict[bytes, _Value] = {}
        self._bytes = 0
        self._once: set[int] = set()
        self.get = self._values.get
        """The value that was made of these bytes; None where none is kept."""

    def __len__(self) -> int:
        return len(self._values)

    def again(self, of: bytes) -> bool:
        """Whether these bytes came before, so that it is time to keep what is made of them; from now on, they did."""
        # Two may have the same hash: then the first one is kept a little early.
        once, seen = self._once, hash(of)
        if seen in once:
            return True
        if len(once) >= self._most:
            once.clear()
        once.add(seen)
        return False

    def keep(self, of: bytes, value: _Value) -> None:
        """Keep what was made of these bytes."""
        if len(of) > self._most_bytes:
            return
        self._bytes += len(of)
        if len(self._values) >= self._most or self._bytes > self._most_bytes:
            self._values.clear()
            self._bytes = len(of)
        self._values[of] = value
