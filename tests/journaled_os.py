"""`python -m tests.journaled_os JOURNAL …`: aimyproxy, with a journal of what it writes and flushes.

The journal holds a JSON object a line: `{"call": "pwrite", "file": INODE, "offset": N, "data": HEX}`, `ftruncate` with
`length`, and `fsync` twice, as it begins and (`"done": true`) when it has returned.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from typing import Any


class Journal:
    """Writes down calls before they are made."""

    def __init__(self, path: str) -> None:
        self._file = open(path, "a", buffering=1, encoding="utf-8")  # noqa: PTH123, SIM115 - open until the process ends
        self._lock = threading.Lock()
        self._pwrite, self._ftruncate, self._fsync = os.pwrite, os.ftruncate, os.fsync

    def _note(self, call: str, descriptor: int, **more: Any) -> None:
        with self._lock:
            about = {"call": call, "file": os.fstat(descriptor).st_ino}
            self._file.write(json.dumps({**about, **more}) + "\n")

    def pwrite(self, descriptor: int, data: bytes, offset: int) -> int:
        """Note and write."""
        self._note("pwrite", descriptor, offset=offset, data=data.hex())
        return self._pwrite(descriptor, data, offset)

    def ftruncate(self, descriptor: int, length: int) -> None:
        """Note and cut."""
        self._note("ftruncate", descriptor, length=length)
        self._ftruncate(descriptor, length)

    def fsync(self, descriptor: int) -> None:
        """Note, flush, and note that it is done."""
        self._note("fsync", descriptor)
        self._fsync(descriptor)
        self._note("fsync", descriptor, done=True)


if __name__ == "__main__":
    journal = Journal(sys.argv[1])
    os.pwrite, os.ftruncate, os.fsync = journal.pwrite, journal.ftruncate, journal.fsync

    from aimyproxy.cli import run

    sys.exit(run(sys.argv[2:]))
