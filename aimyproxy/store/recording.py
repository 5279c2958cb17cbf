"""A recording: its exchanges, in order, and its mocks."""

from __future__ import annotations

import stat
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, cast

from aimyproxy import jsonvalue
from aimyproxy.documents import FORMAT, from_document, to_document
from aimyproxy.errors import BrokenFile, ExchangeNotFound, InvalidDocument, NewerFormat
from aimyproxy.store import atomic, lines
from aimyproxy.store.files import is_marked
from aimyproxy.store.hintsfile import HintsFile
from aimyproxy.store.mocksfile import MocksFile
from aimyproxy.store.rulesfile import RulesFile
from aimyproxy.store.tables import ExchangeDB, ExchangeTable, LineStorage
from aimyproxy.store.whole import create

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from aimyproxy.exchange import Exchange
    from aimyproxy.jsonvalue import JSON
    from aimyproxy.store.appendable import Attendant
    from aimyproxy.store.snapshot import Snapshot

EXCHANGES_FILE: Final = "exchanges.json"
MOCKS_FILE: Final = "mocks.json"
HINTS_FILE: Final = "hints.json"
RULES_FILE: Final = "diff.json"
_OTHERS_ENTER: Final = stat.S_IXGRP | stat.S_IXOTH
_OTHERS_READ: Final = stat.S_IRGRP | stat.S_IROTH


def now() -> str:
    """The present moment in the form that exchanges carry: ISO 8601, UTC, microseconds, `Z`."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def stored(exchange: Exchange) -> bytes:
    """The exchange's stored form, as it stands in the file."""
    return jsonvalue.dumps(to_document(exchange))


class Recording:
    """The named folder of exchanges and mocks; reading needs no write access, the first append opens for writing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = folder.name
        self.mocks = MocksFile(folder / MOCKS_FILE)
        self.hints = HintsFile(folder / HINTS_FILE)
        self.rules = RulesFile(folder / RULES_FILE)
        self.path = folder / EXCHANGES_FILE
        self._db = ExchangeDB(self.path)

    @classmethod
    def create(cls, folder: Path, target: str | None) -> Recording:
        """A new recording without exchanges; `target` is the webhook's URL, None where there is none.

        Raises:
            RecordingExists: the folder has one already.
            StoreError: the operating system refused.
        """
        atomic.make_folder(folder)
        create(folder / EXCHANGES_FILE, {"format": FORMAT, "created": now(), "target": target})
        return cls(folder)

    @property
    def _table(self) -> ExchangeTable:
        return cast("ExchangeTable", self._db.table(lines.DOCUMENTS))

    @property
    def _storage(self) -> LineStorage:
        return cast("LineStorage", self._db.storage)

    def about(self) -> dict[str, JSON]:
        """What describes the recording: `format`, `created`, `target`; `redacted` and `redacted_from` where it is.

        Raises:
            NewerFormat: a later version of aimyproxy wrote it.
        """
        with self._storage.snapshot() as snapshot:
            return self._checked(snapshot.about)

    def torn_bytes(self) -> int:
        """How many bytes at the end of the file a crash or a power failure tore; the next append sets them aside."""
        with self._storage.snapshot() as snapshot:
            return snapshot.torn_anywhere()

    def is_closed(self) -> bool:
        """Whether the file ends as JSON has to; where it doesn't, the next append repairs it."""
        with self._storage.snapshot() as snapshot:
            return snapshot.closed

    def marked(self) -> list[Path]:
        """The files that begin with a byte order mark: we read them, other readers of JSON don't."""
        return [path for path in (self.path, self.mocks.path, self.hints.path, self.rules.path) if is_marked(path)]

    def others_may_read(self) -> bool:
        """Whether other users of this machine can read some of the files."""
        paths = (self.folder, *self.folder.iterdir())
        folder, *files = [path.stat().st_mode for path in paths if path.exists()]
        return bool(folder & _OTHERS_ENTER) and any(mode & _OTHERS_READ for mode in files)

    def open_for_append(self) -> Path | None:
        """Make sure that appends will work, and repair what a crash left; returns where torn bytes were put."""
        self.about()
        return self._storage.file.set_aside

    def append(self, exchange: Exchange) -> int:
        """Add one exchange behind the others; returns its id. It survives the end of this process from here on.

        Raises:
            StoreError: it could not be written; the file is as it was.
        """
        return self.append_stored([stored(exchange)])[0]

    def append_stored(self, documents: list[bytes], *, wait: bool = True) -> list[int]:
        """Add exchanges in their stored form, all or none; returns their ids.

        Raises:
            StoreError: they could not be written; the file is as it was.
            Busy: another writer has the file, and `wait` is false.
        """
        return self._table.append_encoded(documents, wait=wait)

    def documents(self, parse: Callable[[bytes], JSON] = jsonvalue.loads) -> Iterator[tuple[int, JSON]]:
        """The ids and the stored forms, in order, as they were when the walk began; in bounded memory.

        `parse` gives for a line what `jsonvalue.loads` does, quicker.
        """
        with self._storage.snapshot() as snapshot:
            self._checked(snapshot.about)
            yield from snapshot.parsed_by(parse)

    def size(self) -> int:
        """How many bytes the exchanges take on the disk; 0 where they can't be reached."""
        try:
            return self.path.stat().st_size
        except OSError:
            return 0

    def line_bytes(self) -> bytes | None:
        """All exchanges in their stored form, one a line, as they stand in the file; None where a person edited it."""
        with self._storage.snapshot() as snapshot:
            self._checked(snapshot.about)
            return snapshot.line_bytes()

    def __iter__(self) -> Iterator[tuple[int, Exchange]]:
        """The ids and the exchanges, as `documents`; raises BrokenFile at one that is no exchange."""
        for identity, document in self.documents():
            yield identity, self.parsed(identity, document)

    def get(self, identity: int) -> Exchange:
        """The exchange of this id.

        Raises:
            ExchangeNotFound: there is none.
        """
        self.about()
        document = self._table.get(doc_id=identity)
        if document is None:
            raise ExchangeNotFound(f"Recording {self.name} has no exchange {identity}. `show {self.name}` lists them.")
        return self.parsed(identity, document)

    def __len__(self) -> int:
        return len(self._table)

    def replace(self, identity: int, exchange: Exchange) -> None:
        """Put another exchange in the place of one; raises ExchangeNotFound."""
        self._rewrite({identity: to_document(exchange)})

    def remove(self, identities: Iterable[int]) -> None:
        """Take exchanges out; raises ExchangeNotFound where one is missing, and then takes none."""
        self._rewrite(dict.fromkeys(identities))

    def attend(self, attendant: Attendant) -> None:
        """Let somebody look after what belongs to the exchanges, while they are appended to."""
        self._storage.attend(attendant)

    def sync(self) -> None:
        """Force what was appended onto the disk, and have put back what belongs to it; raises StoreError."""
        self._storage.file.sync()
        self._storage.restore()

    def close(self) -> None:
        """Flush and let go of the files."""
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[Snapshot]:
        """A context with the file as it is, in which every other writer is kept out; for `rewrite`."""
        with self._storage.file.transaction(), self._storage.snapshot() as snapshot:
            self._checked(snapshot.about)
            yield snapshot

    def rewrite(self, documents: Iterable[tuple[int, JSON]], about: dict[str, JSON] | None = None) -> None:
        """Replace all exchanges, in their stored forms, and what describes the recording, if given.

        Raises:
            StoreError: the file is as it was.
        """
        self._storage.file.rewrite(documents, about)

    def edited_files(self) -> tuple[Path, ...]:
        """The files beside the exchanges that people edit, whether they exist or not."""
        return self.mocks.path, self.hints.path, self.rules.path

    def _rewrite(self, changes: dict[int, JSON]) -> None:
        with self.transaction() as snapshot:
            missing = changes.keys() - {identity for identity, _ in snapshot}
            if missing:
                raise ExchangeNotFound(f"Recording {self.name} has no exchange {min(missing)}.")
            self.rewrite(
                (identity, changes.get(identity, document))
                for identity, document in snapshot
                if changes.get(identity, document) is not None
            )

    def _checked(self, about: dict[str, JSON]) -> dict[str, JSON]:
        version = about.get("format")
        if isinstance(version, bool) or not isinstance(version, int):
            raise BrokenFile(self.path, f'the recording\'s "format" has to be a number, not {version!r}')
        if version < 1:
            raise BrokenFile(self.path, f'the recording\'s "format" is {version}, and there is no such format')
        if version > FORMAT:
            raise NewerFormat(
                f"{self.path} has format {version}, and this aimyproxy reads up to {FORMAT}: "
                f"a later version wrote it. Upgrade aimyproxy (`pip install --upgrade aimyproxy`) to use it."
            )
        return about

    def parsed(self, identity: int, document: JSON) -> Exchange:
        """The exchange of which `documents` gave the stored form; raises BrokenFile where it is none."""
        try:
            return from_document(document)
        except InvalidDocument as error:
            raise self.broken(identity, str(error)) from None

    def broken(self, identity: int, problem: str) -> BrokenFile:
        """The error that tells what is wrong with an exchange, and where it stands."""
        return BrokenFile(self.path, f"exchange {identity}: {problem}", line=_line_of(self.path, identity), column=1)


def _line_of(path: Path, identity: int) -> int:
    key = b'"%d"' % identity
    with path.open("rb") as file:
        return next((number for number, line in enumerate(file, 1) if line.lstrip().startswith(key)), 1)
