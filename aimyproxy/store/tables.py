"""The recording's database as TinyDB sees it: a storage and a table that append instead of rewriting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from tinydb import TinyDB
from tinydb.storages import Storage
from tinydb.table import Document, Table

from aimyproxy import jsonvalue
from aimyproxy.store import lines
from aimyproxy.store.appendable import AppendableFile
from aimyproxy.store.snapshot import Snapshot
from aimyproxy.store.whole import check_foreign

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from tinydb.queries import QueryLike

    from aimyproxy.jsonvalue import JSON
    from aimyproxy.store.appendable import Attendant


class LineStorage(Storage):
    """A TinyDB storage over an appendable file; the file is opened for writing at the first write."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.attendant: Attendant | None = None
        self._file: AppendableFile | None = None

    @property
    def file(self) -> AppendableFile:
        """The file, open for appending and repaired where that was needed."""
        if self._file is None:
            self._file = AppendableFile(self.path, self.attendant)
        return self._file

    def attend(self, attendant: Attendant) -> None:
        """Let somebody look after what belongs to the file, while it is appended to."""
        self.attendant = attendant
        if self._file is not None:
            self._file.attendant = attendant

    def restore(self) -> None:
        """Have the attendant put back what is missing, unless the file itself is; raises StoreError."""
        if self.attendant is not None and self.path.exists():
            self.attendant.restore()

    def snapshot(self) -> Snapshot:
        """The file as it is now, for reading."""
        return self._file.snapshot() if self._file else Snapshot(self.path)

    def read(self) -> dict[str, dict[str, Any]]:
        """All tables; the memory that takes grows with the file."""
        with self.snapshot() as snapshot:
            documents = {str(identity): document for identity, document in snapshot}
            return {lines.ABOUT: {"1": snapshot.about}, lines.DOCUMENTS: documents}

    def write(self, data: dict[str, dict[str, Any]]) -> None:
        """Replace the file's contents, in line form; raises StoreError where that has no place for a table."""
        check_foreign((name for name in data if data[name] and name not in (lines.ABOUT, lines.DOCUMENTS)), self.path)
        documents = data.get(lines.DOCUMENTS, {})
        about = data.get(lines.ABOUT, {}).get("1", {})
        self.file.rewrite(((int(identity), document) for identity, document in documents.items()), about)

    def close(self) -> None:
        """Flush and let go of the file."""
        if self._file is not None:
            self._file.close()


class ExchangeTable(Table):
    """TinyDB's table, with appends of constant cost and reads in bounded memory.

    Everything else (update, upsert, remove, truncate) is TinyDB's own: read, change and rewrite, here in one
    transaction against other processes.
    """

    @property
    def _lines(self) -> LineStorage:
        return cast("LineStorage", self._storage)

    def insert(self, document: Mapping[str, Any]) -> int:
        """Append one document; returns its id. An id that a Document brings along is not kept."""
        return self.insert_multiple([document])[0]

    def insert_multiple(self, documents: Iterable[Mapping[str, Any]]) -> list[int]:
        """Append documents in one write; returns their ids."""
        if self.name != lines.DOCUMENTS:
            return super().insert_multiple(documents)
        return self.append_encoded([jsonvalue.dumps(dict(document)) for document in documents])

    def append_encoded(self, documents: list[bytes], *, wait: bool = True) -> list[int]:
        """Append documents that are JSON already; returns their ids. Without `wait` it may raise Busy."""
        identities = self._lines.file.append(documents, wait=wait)
        self.clear_cache()
        return identities

    def __iter__(self) -> Iterator[Document]:
        if self.name != lines.DOCUMENTS:
            yield from super().__iter__()
            return
        with self._lines.snapshot() as snapshot:
            for identity, document in snapshot:
                yield Document(document, identity)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def all(self) -> list[Document]:
        """Every document."""
        return list(self)

    def search(self, cond: QueryLike) -> list[Document]:
        """The documents for which the query holds, in order."""
        return [document for document in self if cond(document)]

    def get(  # type: ignore[override]  # in one signature, what TinyDB has three for
        self, cond: QueryLike | None = None, doc_id: int | None = None, doc_ids: list[int] | None = None
    ) -> Document | list[Document] | None:
        """The document of that id, or the first for which the query holds, or those of several ids."""
        if doc_ids is not None:
            return [document for document in self if document.doc_id in doc_ids]
        if doc_id is None:
            return next((document for document in self if cond is not None and cond(document)), None)
        if self.name != lines.DOCUMENTS:
            return super().get(doc_id=doc_id)
        with self._lines.snapshot() as snapshot:
            document = snapshot.get(doc_id)
        return None if document is None else Document(document, doc_id)

    def _update_table(self, updater: Callable[[dict[int, Mapping[str, JSON]]], None]) -> None:
        with self._lines.file.transaction():
            super()._update_table(updater)


class ExchangeDB(TinyDB):
    """`TinyDB` over an appendable file: `ExchangeDB(path).table("exchanges")` is an ExchangeTable."""

    table_class = ExchangeTable

    def __init__(self, path: Path) -> None:
        super().__init__(path, storage=LineStorage)
