"""`redaction.key`: what a recording's replacements are made by; its owner's only, and no part of a git repository."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from aimyproxy.errors import BrokenFile, StoreError
from aimyproxy.store import atomic

if TYPE_CHECKING:
    from pathlib import Path

KEY_FILE: Final = "redaction.key"
IGNORE_FILE: Final = ".gitignore"
_BYTES: Final = 32


class KeyFile:
    """A key of 32 bytes, in hexadecimal."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> bytes | None:
        """The key; None where there is no file.

        Raises:
            BrokenFile: the file holds something else.
            StoreError: the operating system refused to read it.
        """
        try:
            key = bytes.fromhex(self.path.read_text(encoding="ascii"))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreError(f"{self.path} can't be read: {error.strerror}.") from None
        except ValueError:
            key = b""
        if len(key) != _BYTES:
            advice = "Put the right one back; without the file, a new key is made, and it makes other replacements."
            raise BrokenFile(self.path, f"has to be {_BYTES * 2} hexadecimal digits", advice=advice)
        return key

    def made(self, key: bytes | None = None) -> bytes:
        """The key, made if there is none: this one, or one by chance. Of several processes, one makes it.

        Raises:
            BrokenFile: there is a file that holds something else.
            StoreError: the operating system refused.
        """
        if (known := self.read()) is not None:
            return known
        try:
            self._ignore()
            self._put(key or secrets.token_bytes(_BYTES))
        except OSError as error:
            raise StoreError(f"{self.path} can't be written: {error.strerror}.") from None
        if (made := self.read()) is None:
            raise StoreError(f"{self.path} is a link that leads nowhere: remove it, or put the key there.")
        return made

    def restore(self, key: bytes) -> None:
        """Put the key back where it is missing, and the line for git; raises StoreError."""
        try:
            self._ignore()
            if not self.path.exists():
                self._put(key)
        except OSError as error:
            raise StoreError(f"{self.path} can't be written: {error.strerror}.") from None

    def _put(self, key: bytes) -> None:
        text = key.hex() + "\n"
        with atomic.prepared(self.path, [text.encode()]) as temporary, suppress(FileExistsError):
            os.link(temporary, self.path)
            atomic.sync_folder(self.path.parent)

    def _ignore(self) -> None:
        """Keep git from taking the key along, in whatever repository the recording is."""
        ignore = self.path.with_name(IGNORE_FILE)
        with suppress(FileNotFoundError):
            if KEY_FILE in ignore.read_text(encoding="utf-8", errors="replace").split():
                return
        with open(ignore, "a", encoding="utf-8", opener=atomic.owner_only) as file:
            file.write(f"{KEY_FILE}\n")
            file.flush()
            os.fsync(file.fileno())
