"""Files that appear or change whole or not at all."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_OWNER_ONLY: Final = 0o600


def write_synced(path: Path, parts: Iterable[bytes]) -> None:
    """Write a file that only its owner can read, and wait until the disk has it."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _OWNER_ONLY), "wb") as file:
        file.writelines(parts)
        file.flush()
        os.fsync(file.fileno())


def replace(path: Path, parts: Iterable[bytes]) -> None:
    """Put these bytes under the name; whoever reads sees the old file or the new one."""
    with prepared(path, parts) as temporary:
        temporary.replace(path)
    _sync_folder(path.parent)


@contextmanager
def prepared(path: Path, parts: Iterable[bytes]) -> Iterator[Path]:
    """A synced file beside `path` with these bytes, gone at the end unless it was renamed."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.tmp")
    try:
        write_synced(temporary, parts)
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
