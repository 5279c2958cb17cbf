"""The room in memory for exchanges that can't be written yet."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from concurrent.futures import Future

_BATCH: Final = 64


@dataclass(frozen=True, slots=True)
class Room:
    """How much may wait: so many exchanges, and so many bytes of their stored forms."""

    exchanges: int = 100_000
    size: int = 64_000_000


NO_ROOM: Final = Room(0, 0)


class Held(NamedTuple):
    """An exchange's stored form, and the version of the rules that it is redacted by.

    `written` gets its id, where somebody waits for that; who waits no longer has cancelled it.
    """

    document: bytes
    version: int = 0
    written: Future[int] | None = None

    def tell(self, identity: int) -> bool:
        """It has this id in the file; whether somebody still waited for that."""
        if self.written is None or not self.written.set_running_or_notify_cancel():
            return False
        self.written.set_result(identity)
        return True


class Waiting:
    """What is held, in its order, as much as there is room for; safe to use from several threads."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self._documents: deque[Held] = deque()
        self._size = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._documents)

    def add(self, held: Held) -> bool:
        """Put a document behind the others; false where there is no room."""
        size = len(held.document)
        with self._lock:
            if len(self._documents) >= self.room.exchanges or self._size + size > self.room.size:
                return False
            self._documents.append(held)
            self._size += size
            return True

    def first(self) -> list[Held]:
        """The first of them, as many as may well be written in one go."""
        with self._lock:
            return list(islice(self._documents, _BATCH))

    def drop(self, number: int) -> None:
        """Let the first ones go."""
        with self._lock:
            for _ in range(number):
                self._size -= len(self._documents.popleft().document)
