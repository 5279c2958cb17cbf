"""Where conversations stand, known to several processes that share a port: counters in a file that all of them map.

A conversation's requests may come over several connections, and so to several processes. What one of them counts, the
others see: the file is a table of fixed size, in which a conversation has its own part of counters, and whoever looks
at a part has it locked meanwhile. The operating system takes back the lock of a process that dies.
"""

from __future__ import annotations

import fcntl
import mmap
import struct
import time
from contextlib import contextmanager
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from aimyproxy.answering.conversations import Conversations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from aimyproxy.answering.conversations import Asked
    from aimyproxy.exchange import Conversation

# A counter: what it counts (a digest), how often that came or which event it was, and when that was.
_SLOT: Final = struct.Struct("=16s8sd")
_KEY: Final = 16
_VALUE: Final = 8
_PARTS: Final = 1024
_GROUPS: Final = 64
_WAYS: Final = 8
_GROUP: Final = _SLOT.size * _WAYS
_PART: Final = _GROUP * _GROUPS
_PREVIOUS: Final = b"previous"
# Seconds; an edit of the recording takes as long to be noticed.
_LOOK: Final = 0.25
_UNKNOWN: Final = "\x00 an event that is in no recording"


def create(path: Path) -> None:
    """Make the table, empty: some 17 MB, of which the file system keeps what is in use."""
    with path.open("xb") as file:
        file.truncate(_PARTS * _PART)


class SharedConversations(Conversations):
    """The conversations of all processes that opened the table at `path`.

    There is room for half a million counters; where a part of the table is full, the counter that was not used for
    longest is forgotten. `names` gives the events that matter to answers.
    """

    def __init__(self, path: Path, names: Callable[[], Iterable[str | None]]) -> None:
        super().__init__()
        self._file = path.open("r+b")
        self._table = mmap.mmap(self._file.fileno(), 0)
        self._names = names
        self._known: dict[bytes, str] = {}
        self._next_look = 0.0

    def close(self) -> None:
        """Let go of the table."""
        self._table.close()
        self._file.close()

    def ask(
        self, conversation: Conversation | None, counted: Iterable[Asked], event: str | None = None
    ) -> tuple[dict[Asked, int], str | None]:
        """As that of one process."""
        of = _digest(conversation)
        keys = {one: _key(of, one) for one in counted}
        named = None if conversation is None or event is None else _short(event)
        if not keys and named is None:
            return {}, None
        with self._part(of) as part:
            turns = {one: self._count(part, key) for one, key in keys.items()}
            previous = None if named is None else self._swap(part, _key(of, _PREVIOUS), named)
        return turns, self._name(previous) if previous and any(previous) else None

    def _count(self, part: int, key: bytes) -> int:
        place, value = self._find(part, key)
        known = int.from_bytes(value, "little")
        self._put(place, key, (known + 1).to_bytes(_VALUE, "little"))
        return known

    def _swap(self, part: int, key: bytes, value: bytes) -> bytes:
        """Put a value where another one was; returns that."""
        place, before = self._find(part, key)
        self._put(place, key, value)
        return before

    @contextmanager
    def _part(self, of: bytes) -> Iterator[int]:
        """A context in which a conversation's part of the table is ours; yields where it begins."""
        number = int.from_bytes(of[:4], "little") % _PARTS
        fcntl.lockf(self._file, fcntl.LOCK_EX, 1, number)
        try:
            yield number * _PART
        finally:
            fcntl.lockf(self._file, fcntl.LOCK_UN, 1, number)

    def _find(self, part: int, key: bytes) -> tuple[int, bytes]:
        """Where the counter is, or may be, and its value, which is zero where it is not there."""
        begin = part + key[0] % _GROUPS * _GROUP
        found = self._table.find(key, begin, begin + _GROUP)
        if found >= 0 and (found - begin) % _SLOT.size == 0:
            return found, self._table[found + _KEY : found + _KEY + _VALUE]
        slots = list(_SLOT.iter_unpack(self._table[begin : begin + _GROUP]))
        oldest = min(range(_WAYS), key=lambda way: slots[way][2])
        return begin + oldest * _SLOT.size, bytes(_VALUE)

    def _put(self, place: int, key: bytes, value: bytes) -> None:
        _SLOT.pack_into(self._table, place, key, value, time.monotonic())

    def _name(self, named: bytes) -> str:
        # Not each time: a bot may ask for any number of events that nobody knows.
        if named not in self._known and time.monotonic() >= self._next_look:
            self._known = {_short(name): name for name in self._names() if name is not None}
            self._next_look = time.monotonic() + _LOOK
        return self._known.get(named, _UNKNOWN)


# The same conversation comes again and again.
@lru_cache(maxsize=4096)
def _digest(conversation: Conversation | None) -> bytes:
    spelled = repr(conversation).encode("utf-8", "surrogatepass")
    return blake2b(spelled, digest_size=_KEY).digest()


def _key(of: bytes, asked: Asked) -> bytes:
    named = asked if isinstance(asked, bytes) else b"event " + asked.encode("utf-8", "surrogatepass")
    return blake2b(named, digest_size=_KEY, key=of).digest()


@lru_cache(maxsize=4096)
def _short(event: str) -> bytes:
    return blake2b(event.encode("utf-8", "surrogatepass"), digest_size=_VALUE).digest()
