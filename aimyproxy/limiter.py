"""How often an address may ask: counted in one process, or by several in a file that all of them map."""

from __future__ import annotations

import fcntl
import mmap
import os
import re
import struct
import time
from collections import OrderedDict
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from aimyproxy.errors import InvalidOption

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_SECONDS: Final = {"s": 1.0, "m": 60.0, "h": 3600.0}
_RATE: Final = re.compile(r"(\d{1,9})/([smh])")
_MOST_ADDRESSES: Final = 10_000
# What an address is known by, and when its next request is due.
_SLOT: Final = struct.Struct("=8sd")
_GROUPS: Final = 4096
_WAYS: Final = 8
_GROUP: Final = _SLOT.size * _WAYS


@dataclass(frozen=True, slots=True)
class Rate:
    """So many requests (`count`) within so many seconds, all of them at once if need be; `text` is how it was told."""

    count: int
    seconds: float
    text: str

    @classmethod
    def parse(cls, text: str) -> Rate:
        """From `100/s`, `30/m` or `5/h`; raises InvalidOption."""
        found = _RATE.fullmatch(text.strip())
        if not found or not int(found[1]):
            raise InvalidOption("write how many a second, a minute or an hour, as 100/s, 30/m or 5/h")
        return cls(int(found[1]), _SECONDS[found[2]], text.strip())

    def asked(self, due: float, now: float) -> tuple[float, float]:
        """When the next request is due, after one that was due then and comes now; and how much too early this one is.

        Where that is 0, it may pass; else it does not count.
        """
        each = self.seconds / self.count
        due = max(due, now)
        # With all that may come at once behind it, an address is so many seconds ahead of its time.
        too_early = due - now - (self.seconds - each)
        # Less than a millisecond is what the arithmetic leaves over.
        return (due + each, 0.0) if too_early < 1e-3 else (due, too_early)


class Limiter:
    """Keeps each address to the rate. Of more addresses than `most`, those that were silent longest are forgotten."""

    def __init__(self, rate: Rate, clock: Callable[[], float] = time.monotonic, most: int = _MOST_ADDRESSES) -> None:
        self._rate = rate
        self._clock = clock
        self._most = most
        self._due: OrderedDict[str, float] = OrderedDict()

    def wait(self, address: str) -> float:
        """Count a request: 0 where it may pass, else after how many seconds one may (and this one does not count)."""
        now = self._clock()
        self._due[address], too_early = self._rate.asked(self._due.pop(address, now), now)
        if len(self._due) > self._most:
            self._due.popitem(last=False)
        return too_early


class SharedLimiter:
    """As a Limiter, for all processes that have it: each is given a copy before it counts.

    The file at `path` is a table of fixed size: an address has one of the few places of its group, and whoever looks at
    a group has it locked meanwhile. In a full one, the address that was silent longest is forgotten.
    """

    def __init__(self, rate: Rate, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._path = path
        self._clock = clock
        self._table: mmap.mmap | None = None
        self._descriptor = -1
        with path.open("xb") as file:
            file.truncate(_GROUPS * _GROUP)

    def wait(self, address: str) -> float:
        """As a Limiter's."""
        if self._table is None:
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CLOEXEC)
            self._table = mmap.mmap(self._descriptor, 0)
        key = blake2b(address.encode(), digest_size=8).digest()
        start = int.from_bytes(key[:4], "big") % _GROUPS * _GROUP
        fcntl.lockf(self._descriptor, fcntl.LOCK_EX, _GROUP, start)
        try:
            return self._count(self._table, start, key)
        finally:
            fcntl.lockf(self._descriptor, fcntl.LOCK_UN, _GROUP, start)

    def __del__(self) -> None:
        if self._table is not None:
            self._table.close()
            os.close(self._descriptor)

    def _count(self, table: mmap.mmap, start: int, key: bytes) -> float:
        places = range(start, start + _GROUP, _SLOT.size)
        known = {at: _SLOT.unpack_from(table, at) for at in places}
        # An empty place has been due longest of all.
        place = next((at for at in places if known[at][0] == key), min(places, key=lambda at: known[at][1]))
        now = self._clock()
        due, too_early = self._rate.asked(known[place][1] if known[place][0] == key else now, now)
        _SLOT.pack_into(table, place, key, due)
        return too_early
