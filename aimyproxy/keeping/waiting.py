"""The room in memory for exchanges that can't be written yet."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_BATCH: Final = 64


@dataclass(frozen=True, slots=True)
class Room:
    """How much may wait: so many exchanges, and so many bytes of their stored forms."""

    exchanges: int = 100_000
    size: int = 64_000_000


NO_ROOM: Final = Room(0, 0)


class Waiting:
    """Documents in their order, as many as there is room for; safe to use from several threads."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self._documents: deque[bytes] = deque()
        self._size = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._documents)

    def add(self, document: bytes) -> bool:
        """Put a document behind the others; false where there is no room."""
        with self._lock:
            if len(self._documents) >= self.room.exchanges or self._size + len(document) > self.room.size:
                return False
            self._documents.append(document)
            self._size += len(document)
            return True

    def batches(self) -> Iterator[list[bytes]]:
        """The first documents, until there are none; those of a batch leave when the next one is asked for."""
        while batch := self._first():
            yield batch
            self._drop(len(batch))

    def _first(self) -> list[bytes]:
        with self._lock:
            return list(islice(self._documents, _BATCH))

    def _drop(self, number: int) -> None:
        with self._lock:
            for _ in range(number):
                self._size -= len(self._documents.popleft())
