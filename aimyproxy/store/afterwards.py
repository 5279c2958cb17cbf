"""Redacting what a recording holds already, in all its files; and finding what is left to redact."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aimyproxy.documents import to_document
from aimyproxy.errors import InvalidOption, StoreError
from aimyproxy.redaction.beside import Beside
from aimyproxy.redaction.pseudonyms import name_of
from aimyproxy.redaction.redactor import Redactor
from aimyproxy.redaction.rules import SECRETS
from aimyproxy.redaction.strays import Strays
from aimyproxy.redaction.targets import secrets_of
from aimyproxy.store import atomic, lines
from aimyproxy.store.mocksfile import PrettyStorage
from aimyproxy.store.redacted import Standing, described, key_of, standing_of, understood
from aimyproxy.target import Target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from aimyproxy.exchange import Exchange
    from aimyproxy.jsonvalue import JSON
    from aimyproxy.redaction.known import Kind
    from aimyproxy.redaction.rules import Rules
    from aimyproxy.store.recording import Recording

    Documents = Callable[[], Iterable[tuple[int, JSON]]]

# What is redacted afterwards is read several times, so that no value is met before it is known.
_ALL: Final = 1_000_000
_AN_OBJECT: Final = "a JSON object of objects"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What redacting afterwards did: how many exchanges changed, of how many, and the names of the other files."""

    changed: int
    exchanges: int
    files: tuple[str, ...]


def redact(recording: Recording, rules: Rules) -> Outcome:
    """Redact all of the recording by its rules and these, while every writer is kept out; mocks and all else, too.

    What writers left who were killed is removed.

    Every value is known before the first exchange is written: memory grows with the number of different values.

    Raises:
        BrokenFile: one of the files can't be understood; nothing was changed.
        StoreError: the operating system refused. Of the files some may be redacted, each of them whole.
    """
    key = key_of(recording).made()
    with recording.transaction() as snapshot:
        known = understood(recording, snapshot.about)
        walk = Walk(recording, lambda: snapshot, known, key, rules)
        target = _target(snapshot.about)
        walk.redactor.learn(secrets_of(target) if target else ())
        walk.meet()
        files = Files(recording, walk)
        standing = _after(known, walk.redactor.rules, key, walk.last, files.prints)
        about = {**snapshot.about, "target": target and target.display}
        changed: list[int] = []
        recording.rewrite(walk.redacted(changed.append), described(about, standing))
        files.write()
        for path in atomic.leftovers(recording.folder):
            path.unlink(missing_ok=True)
    return Outcome(len(changed), walk.exchanges, files.names)


@dataclass(frozen=True, slots=True)
class Unredacted:
    """What should be redacted and isn't: the ids of exchanges, and the names of other files."""

    exchanges: tuple[int, ...]
    files: tuple[str, ...]


def unredacted(recording: Recording) -> Unredacted:
    """What of the recording holds values as they came that its rules name (or secrets, where it has no rules).

    Without its key, only what was never redacted is looked at. Raises as `redact`.
    """
    known, key = standing_of(recording), key_of(recording).read()
    walk = Walk(recording, recording.documents, known, key, SECRETS)
    walk.meet()
    exchanges: list[int] = []
    for _ in walk.redacted(exchanges.append) if walk.redactor.knows else ():
        pass
    looked = key is not None or known.rules is None
    return Unredacted(tuple(exchanges), Files(recording, walk).names if looked else ())


class Walk:
    """Walks through a recording's exchanges: first to `meet` every value, then to have them `redacted`.

    Then `exchanges` is their number, `last` the last one's id, and `replacements` are those that the key has made.
    """

    def __init__(
        self, recording: Recording, documents: Documents, known: Standing, key: bytes | None, rules: Rules
    ) -> None:
        self._recording = recording
        self._documents = documents
        self._key = key
        self.known = known
        self.redactor = Redactor(key or bytes(32), known.rules.with_more(rules) if known.rules else rules, _ALL)
        self.replacements: dict[str, Kind] = {}
        self.exchanges = self.last = 0

    def meet(self) -> None:
        """Know every value that has to be replaced, wherever it is first met."""
        for identity, document in self._documents():
            self.exchanges += 1
            self.last = identity
            self._meet(identity, self._recording.parsed(identity, document))
        strays = Strays(self.redactor.pseudonyms, self.replacements)
        for _, document in self._documents() if self.replacements else ():
            for value, kind in strays.found_in(document):
                self.redactor.meet(value, kind)

    def _meet(self, identity: int, exchange: Exchange) -> None:
        rules, marked = self.known.rules, self.known.marked(identity, self._key)
        if rules is None or not self.known.covers(identity):
            self.redactor.exchange(exchange)
            return
        found = self.redactor.replacements(exchange, rules, marked=marked)
        if marked:
            self.replacements |= found.texts
        if found.others or self.redactor.rules != rules:
            self.redactor.further(exchange, rules, marked=marked)

    def redacted(self, changed: Callable[[int], None]) -> Iterator[tuple[int, JSON]]:
        """The stored forms of all exchanges, redacted; `changed` is told the id of each that was not."""
        for identity, document in self._documents():
            exchange = self._recording.parsed(identity, document)
            redacted = self._redacted(identity, exchange)
            if redacted == exchange:
                yield identity, document
            else:
                changed(identity)
                yield identity, to_document(redacted)

    def _redacted(self, identity: int, exchange: Exchange) -> Exchange:
        if self.known.rules is None or not self.known.covers(identity):
            return self.redactor.exchange(exchange)
        return self.redactor.further(exchange, self.known.rules, marked=self.known.marked(identity, self._key))


class Files:
    """The files beside the exchanges, as they are redacted: read whole, before the first is written.

    `names` are those of the files that change, and `prints` what `Beside` keeps of them.
    """

    def __init__(self, recording: Recording, walk: Walk) -> None:
        self._known = walk.known
        self._beside = Beside(walk.redactor, walk.replacements, walk.known.beside)
        self._changes: dict[Path, Callable[[], None]] = {}
        for path in recording.edited_files():
            redact = self._beside.mocks if path == recording.mocks.path else self._beside.json
            self._edited(PrettyStorage(path, _AN_OBJECT), redact)
        for path in sorted(recording.folder.glob("*.torn-*")):
            self._torn(path)
        self.names = tuple(path.name for path in self._changes)
        self.prints = self._beside.prints

    def write(self) -> None:
        """Write those that change; raises StoreError."""
        for write in self._changes.values():
            write()

    def _edited(self, file: PrettyStorage, redact: Callable[[JSON], JSON]) -> None:
        if (document := file.read()) is not None and (redacted := redact(document)) is not document:
            self._changes[file.path] = lambda: file.write(redacted)

    def _torn(self, path: Path) -> None:
        """What a crash left of a line; it was redacted before it was written, if the recording was so then."""
        try:
            raw = path.read_bytes()
        except OSError as error:
            raise StoreError(f"{path} can't be read: {error.strerror}.") from None
        redacted = self._beside.raw(raw, redacted=self._known.covers(lines.parse_identity(raw)))
        if redacted != raw:
            self._changes[path] = lambda: _write(path, redacted)


def _write(path: Path, raw: bytes) -> None:
    try:
        atomic.replace(path, [raw])
    except OSError as error:
        raise StoreError(f"{path} can't be redacted: {error.strerror}.") from None


def _after(known: Standing, rules: Rules, key: bytes, last: int, beside: Sequence[str]) -> Standing:
    """What holds when all is redacted."""
    name, since = name_of(key), last + 1
    if not known.covers(last):
        since = 1
    elif known.key == name:
        since = 1 if known.key_since <= known.since else known.key_since
    return Standing(rules, 1, name, since, tuple(beside))


def _target(about: dict[str, JSON]) -> Target | None:
    try:
        return Target.parse(str(about.get("target") or ""))
    except InvalidOption:
        return None
