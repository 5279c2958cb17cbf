"""`mocks.json`: the answers that people wrote, a TinyDB database indented for reading and editing."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, cast

from tinydb import TinyDB
from tinydb.storages import Storage

from aimyproxy import jsonvalue
from aimyproxy.errors import BrokenFile, InvalidJSON, StoreError
from aimyproxy.store import atomic, files, lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from aimyproxy.jsonvalue import JSON

TABLE: Final = "mocks"
_MOCKS: Final = '{"mocks": {"1": {…}, "2": {…}}}'


class PrettyStorage(Storage):
    """A TinyDB storage that writes indented JSON to a new file and renames it, and says where broken JSON is broken."""

    def __init__(self, path: Path, shape: str = _MOCKS) -> None:
        self.path = path
        self._shape = shape

    def read(self) -> dict[str, dict[str, Any]] | None:
        """All tables; None where there is no file yet.

        Raises:
            BrokenFile: the file is no JSON, or not of the shape: an object of objects, in the words of the message.
        """
        try:
            data = files.read(self.path)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreError(f"{self.path} can't be read: {error.strerror}.") from None
        return self._tables(files.decoded(data, self.path))

    def broken(self, problem: str, *keys: str) -> BrokenFile:
        """The error that says what is wrong where these keys, each in the object that the one before names, lead."""
        try:
            line, column = jsonvalue.place_of(files.decoded(files.read(self.path), self.path), keys)
        except OSError:
            line, column = 0, 0
        return BrokenFile(self.path, problem, line=line, column=column)

    def _tables(self, text: str) -> dict[str, dict[str, Any]]:
        try:
            tables = jsonvalue.loads_edited(text)
        except InvalidJSON as error:
            raise BrokenFile(
                self.path, f"not valid JSON: {error.problem}", line=error.line, column=error.column
            ) from None
        if not isinstance(tables, dict) or not all(isinstance(table, dict) for table in tables.values()):
            raise BrokenFile(self.path, f"has to be {self._shape}")
        if self._shape == _MOCKS:
            self._check_mocks(tables)
        return tables

    def _check_mocks(self, tables: dict[str, dict[str, Any]]) -> None:
        if tables and TABLE not in tables:
            raise self.broken(f'there is no table "mocks", but "{next(iter(tables))}"', next(iter(tables)))
        if wrong := lines.wrong_document(tables.get(TABLE, {})):
            key, problem = wrong
            raise self.broken(f"mock {problem}", TABLE, key)

    def write(self, data: Mapping[str, Mapping[str, Any]]) -> None:
        """Replace the file; readers see the old one or the new one, whole."""
        try:
            atomic.make_folder(self.path.parent)
            atomic.replace(self.path, [jsonvalue.pretty(data).encode(), b"\n"])
        except OSError as error:
            raise StoreError(f"{self.path} can't be written: {error.strerror}.") from None


class MocksFile:
    """The mocks of a recording, as plain documents; what they mean is for replay to say."""

    def __init__(self, path: Path) -> None:
        self.path = path
        database = TinyDB(path, storage=PrettyStorage)
        self._storage = cast("PrettyStorage", database.storage)
        self._table = database.table(TABLE)

    def broken(self, identity: int, problem: str) -> BrokenFile:
        """The error that says what is wrong with a mock, and where it stands."""
        return self._storage.broken(f"mock {identity}: {problem}", TABLE, str(identity))

    def read(self) -> list[tuple[int, JSON]]:
        """The ids and the documents, in the order of the file; empty where there is no file."""
        return [(document.doc_id, dict(document)) for document in self._table]

    def add(self, document: JSON) -> int:
        """Add a mock behind the others; returns its id."""
        with self._alone():
            # TinyDB remembers the next id: another process may have used it.
            self._table._next_id = None  # noqa: SLF001 - there is no other way
            return self._table.insert(document)

    def replace(self, identity: int, document: JSON) -> None:
        """Put another mock in the place of one."""
        with self._alone():
            self._table.update(cast("Any", lambda old: (old.clear(), old.update(document))), doc_ids=[identity])

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other processes from changing the file between our reading and our writing."""
        try:
            atomic.make_folder(self.path.parent)
            descriptor = os.open(self.path.parent, os.O_RDONLY)
        except OSError as error:
            raise StoreError(f"{self.path} can't be written: {error.strerror}.") from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)
