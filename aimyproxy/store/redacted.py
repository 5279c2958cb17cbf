"""How a recording is redacted: the rules in its header, the key beside it, and the rewriting of what isn't yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aimyproxy.errors import BrokenFile, InvalidDocument, InvalidOption, StoreError
from aimyproxy.exchange import to_document
from aimyproxy.redaction.redactor import Redactor
from aimyproxy.redaction.rules import Rules
from aimyproxy.redaction.targets import secrets_of
from aimyproxy.store import atomic
from aimyproxy.store.keyfile import KEY_FILE, KeyFile
from aimyproxy.store.mocksfile import PrettyStorage
from aimyproxy.target import Target

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from aimyproxy.jsonvalue import JSON
    from aimyproxy.store.recording import Recording
    from aimyproxy.store.snapshot import Snapshot

_RULES: Final = "redacted"
_SINCE: Final = "redacted_from"
# What is redacted afterwards is read twice, so that no value is met before it is known.
_ALL: Final = 1_000_000
_AN_OBJECT: Final = "a JSON object of objects"


@dataclass(frozen=True, slots=True)
class Standing:
    """By which rules a recording is redacted, None where it isn't; and the first exchange that is."""

    rules: Rules | None
    since: int = 1

    def covers(self, identity: int) -> bool:
        """Whether the exchange of this id is redacted by the rules."""
        return self.rules is not None and identity >= self.since


def key_of(recording: Recording) -> KeyFile:
    """The file with the recording's key."""
    return KeyFile(recording.folder / KEY_FILE)


def standing_of(recording: Recording) -> Standing:
    """How the recording is redacted; raises BrokenFile where its header says what can't be."""
    return _standing(recording, recording.about())


def begin(recording: Recording, rules: Rules) -> Standing:
    """Let what is recorded from now on be redacted by these rules, if no rules hold yet; returns what holds.

    In a recording without exchanges, they take the place of others.

    Raises:
        StoreError: the file could not be rewritten; it is as it was.
    """
    with recording.transaction() as snapshot:
        known = _standing(recording, snapshot.about)
        last = max((identity for identity, _ in snapshot), default=0)
        if known.rules is not None and last:
            return known
        recording.rewrite(snapshot, {**snapshot.about, _RULES: rules.document(), _SINCE: last + 1})
    return Standing(rules, last + 1)


def redactor_of(recording: Recording) -> Redactor | None:
    """What redacts as the recording is; None where it isn't.

    Without its key file, it makes replacements that are nowhere in the recording.

    Raises:
        BrokenFile: the header or the key file is broken.
        StoreError: the operating system refused to read one of them.
    """
    rules = standing_of(recording).rules
    if rules is None:
        return None
    return Redactor(key_of(recording).read() or bytes(32), rules)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What redacting afterwards did: how many exchanges changed, of how many, and the names of the other files."""

    changed: int
    exchanges: int
    files: tuple[str, ...]


def redact(recording: Recording, rules: Rules) -> Outcome:
    """Redact all of the recording by its rules and these, while every writer is kept out; mocks and all else, too.

    Every value is known before the first exchange is written: memory grows with the number of different values.

    Raises:
        BrokenFile: one of the files can't be understood; nothing was changed.
        StoreError: the operating system refused. Of the files some may be redacted, each of them whole.
    """
    key = key_of(recording).made()
    others = [PrettyStorage(path, _AN_OBJECT) for path in recording.edited_files()]
    with recording.transaction() as snapshot:
        known = _standing(recording, snapshot.about)
        wanted = rules if known.rules is None else known.rules.with_more(rules)
        redactor = Redactor(key, wanted, _ALL)
        target = _target(snapshot.about)
        redactor.learn(secrets_of(target) if target else ())
        total = sum(1 for _ in _redacted(recording, snapshot, redactor, known))
        documents = [other.read() for other in others]
        changed: list[int] = []
        recording.rewrite(
            ((identity, document) for identity, document in _redacted(recording, snapshot, redactor, known, changed)),
            {**snapshot.about, "target": target and target.display, _RULES: wanted.document(), _SINCE: 1},
        )
    files = [
        *(
            other.path.name
            for other, document in zip(others, documents, strict=True)
            if _pretty(other, document, redactor)
        ),
        *(path.name for path in sorted(recording.folder.glob("*.torn-*")) if _torn(path, redactor)),
    ]
    return Outcome(len(changed), total, tuple(files))


def secrets_in(recording: Recording) -> list[int]:
    """The ids of the exchanges that hold secrets as they came; none where all are redacted."""
    known = standing_of(recording)
    redactor = Redactor(bytes(32))
    return [
        identity
        for identity, exchange in recording
        if not known.covers(identity) and redactor.exchange(exchange) is not exchange
    ]


def _standing(recording: Recording, about: dict[str, JSON]) -> Standing:
    if _RULES not in about:
        return Standing(None)
    since = about.get(_SINCE, 1)
    if type(since) is not int:
        raise BrokenFile(recording.path, f"the recording's \"{_SINCE}\" has to be an exchange's id, not {since!r}")
    try:
        return Standing(Rules.from_document(about[_RULES]), since)
    except InvalidDocument as error:
        raise BrokenFile(recording.path, str(error)) from None


def _target(about: dict[str, JSON]) -> Target | None:
    try:
        return Target.parse(str(about.get("target") or ""))
    except InvalidOption:
        return None


def _redacted(
    recording: Recording, snapshot: Snapshot, redactor: Redactor, known: Standing, changed: list[int] | None = None
) -> Iterator[tuple[int, JSON]]:
    for identity, document in snapshot:
        exchange = recording.parsed(identity, document)
        if known.rules is not None and known.covers(identity):
            redacted = redactor.further(exchange, known.rules)
        else:
            redacted = redactor.exchange(exchange)
        if redacted == exchange:
            yield identity, document
            continue
        if changed is not None:
            changed.append(identity)
        yield identity, to_document(redacted)


def _pretty(file: PrettyStorage, document: dict[str, JSON] | None, redactor: Redactor) -> bool:
    if document is None:
        return False
    redacted = redactor.json(document)
    if redacted is document:
        return False
    file.write(redacted)
    return True


def _torn(path: Path, redactor: Redactor) -> bool:
    """Redact what a crash left of a line: what has no places is searched for what is known, and for secrets' names."""
    try:
        raw = path.read_bytes()
        redacted = redactor.raw(raw)
        if redacted == raw:
            return False
        atomic.replace(path, [redacted])
    except OSError as error:
        raise StoreError(f"{path} can't be redacted: {error.strerror}.") from None
    return True
