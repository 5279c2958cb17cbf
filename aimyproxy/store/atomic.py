"""Files that appear or change whole or not at all."""

from __future__ import annotations

import os
import re
import stat
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_TEMPORARY: Final = re.compile(r"\..+\.([0-9]+)-[0-9]+\.tmp")
_OWNERS_FILE: Final = 0o600
_OWNERS_FOLDER: Final = 0o700


def make_folder(path: Path) -> None:
    """Make a folder that only its owner can enter, and those above it that are missing; one that exists stays."""
    if path.is_dir():
        return
    make_folder(path.parent)
    path.mkdir(exist_ok=True, mode=_OWNERS_FOLDER)
    sync_folder(path.parent)


def owner_only(path: str, flags: int) -> int:
    """An opener: what it creates, only its owner can read."""
    return os.open(path, flags, _OWNERS_FILE)


def write_synced(path: Path, parts: Iterable[bytes]) -> None:
    """Write a file that only its owner can read, and wait until the disk has it."""
    with open(path, "wb", opener=owner_only) as file:
        file.writelines(parts)
        file.flush()
        os.fsync(file.fileno())


def replace(path: Path, parts: Iterable[bytes]) -> None:
    """Put these bytes under the name; whoever reads sees the old file or the new one.

    Who may read it stays as it was: whoever let others read a file meant it.
    """
    with prepared(path, parts) as temporary:
        with suppress(FileNotFoundError):
            temporary.chmod(stat.S_IMODE(path.stat().st_mode))
        temporary.replace(path)
    sync_folder(path.parent)


@contextmanager
def prepared(path: Path, parts: Iterable[bytes]) -> Iterator[Path]:
    """A synced file beside `path` with these bytes, gone at the end unless it was renamed."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.tmp")
    try:
        write_synced(temporary, parts)
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def leftovers(folder: Path) -> list[Path]:
    """The temporary files in a folder whose processes are no more: each was killed while it wrote."""
    found = [(path, _TEMPORARY.fullmatch(path.name)) for path in sorted(folder.glob(".*.tmp"))]
    return [path for path, name in found if name and not _lives(int(name[1]))]


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return True


def sync_folder(folder: Path) -> None:
    """Wait until the disk has the names in a folder."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
