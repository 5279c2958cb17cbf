"""Files that a person may have edited, or put something else in the place of: opened and decoded with care."""

from __future__ import annotations

import codecs
import os
import stat
from typing import TYPE_CHECKING, Final

from aimyproxy.errors import BrokenFile, StoreError

if TYPE_CHECKING:
    from pathlib import Path

_MARK: Final = codecs.BOM_UTF8
_KINDS: Final = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def opened(path: Path, flags: int) -> int:
    """A descriptor of the file; nothing waits for a pipe's other end, or reads a device that never ends.

    Raises:
        OSError: there is no such file, or the operating system refused.
        StoreError: it is no file.
    """
    descriptor = os.open(path, flags | os.O_CLOEXEC | os.O_NONBLOCK)
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return descriptor
    os.close(descriptor)
    kind = next((name for is_one, name in _KINDS if is_one(mode)), "something else")
    raise StoreError(f"{path} has to be a file, and is {kind}.")


def read(path: Path) -> bytes:
    """The file's bytes; raises as `opened`."""
    with os.fdopen(opened(path, os.O_RDONLY), "rb") as file:
        return file.read()


def decoded(data: bytes, path: Path) -> str:
    """The text of the file with these bytes, without the byte order mark that editors on Windows leave.

    Raises:
        BrokenFile: it is not UTF-8; with the line and the column.
    """
    data = data.removeprefix(_MARK)
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = len(data[data.rfind(b"\n", 0, error.start) + 1 : error.start].decode()) + 1
        raise BrokenFile(path, "not valid UTF-8", line=line, column=column) from None


def is_marked(path: Path) -> bool:
    """Whether the file begins with a byte order mark; False also where it can't be read."""
    try:
        with os.fdopen(opened(path, os.O_RDONLY), "rb") as file:
            return file.read(len(_MARK)) == _MARK
    except (OSError, StoreError):
        return False
