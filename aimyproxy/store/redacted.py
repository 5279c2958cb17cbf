"""How a recording is redacted: the rules in its header, and the key beside it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from aimyproxy.errors import BrokenFile, InvalidDocument
from aimyproxy.redaction.pseudonyms import name_of
from aimyproxy.redaction.rules import Rules
from aimyproxy.store.keyfile import KEY_FILE, KeyFile

if TYPE_CHECKING:
    from aimyproxy.jsonvalue import JSON
    from aimyproxy.redaction.redactor import Redactor
    from aimyproxy.store.recording import Recording

_RULES: Final = "redacted"
_SINCE: Final = "redacted_from"
_KEY: Final = "redacted_key"
_KEY_SINCE: Final = "redacted_key_from"
_BESIDE: Final = "redacted_beside"
_ABOUT: Final = frozenset({_RULES, _SINCE, _KEY, _KEY_SINCE, _BESIDE})


@dataclass(frozen=True, slots=True)
class Standing:
    """By which rules a recording is redacted, None where it isn't; and the first exchange that is (`since`).

    `key` is the name of the key that makes its replacements, None where that isn't known; it made those of the
    exchanges from `key_since` on. `beside` is what `Beside` keeps of the replacements in other files.
    """

    rules: Rules | None
    since: int = 1
    key: str | None = None
    key_since: int = 1
    beside: tuple[str, ...] = ()

    def covers(self, identity: int) -> bool:
        """Whether the exchange of this id is redacted by the rules."""
        return self.rules is not None and identity >= self.since

    def marked(self, identity: int, key: bytes | None) -> bool:
        """Whether the replacements in the exchange of this id were made by this key."""
        return key is not None and self.key == name_of(key) and identity >= self.key_since

    def other_key(self, key: bytes) -> bool:
        """Whether the recording was redacted by another key than this."""
        return self.key is not None and self.key != name_of(key)

    def about(self) -> dict[str, JSON]:
        """The members of the header that say so."""
        if self.rules is None:
            return {}
        said: dict[str, JSON] = {_RULES: self.rules.document(), _SINCE: self.since}
        if self.key:
            said |= {_KEY: self.key, _KEY_SINCE: self.key_since}
        return said | ({_BESIDE: list(self.beside)} if self.beside else {})


def key_of(recording: Recording) -> KeyFile:
    """The file with the recording's key."""
    return KeyFile(recording.folder / KEY_FILE)


def standing_of(recording: Recording) -> Standing:
    """How the recording is redacted; raises BrokenFile where its header says what can't be."""
    return understood(recording, recording.about())


def understood(recording: Recording, about: dict[str, JSON]) -> Standing:
    """What a header says of redaction; raises BrokenFile where that can't be."""
    if _RULES not in about:
        return Standing(None)
    since, key, key_since = about.get(_SINCE, 1), about.get(_KEY), about.get(_KEY_SINCE, 1)
    for name, identity in ((_SINCE, since), (_KEY_SINCE, key_since)):
        if type(identity) is not int:
            raise BrokenFile(recording.path, f"the recording's \"{name}\" has to be an exchange's id, not {identity!r}")
    beside = about.get(_BESIDE, [])
    if not isinstance(beside, list) or not all(isinstance(one, str) for one in (*beside, key or "")):
        problem = f'the recording\'s "{_KEY}" has to be a string, and its "{_BESIDE}" a list of strings'
        raise BrokenFile(recording.path, problem)
    try:
        return Standing(Rules.from_document(about[_RULES]), since, key, key_since, tuple(beside))
    except InvalidDocument as error:
        raise BrokenFile(recording.path, str(error)) from None


def described(about: dict[str, JSON], standing: Standing) -> dict[str, JSON]:
    """What describes a recording, with how it is redacted now."""
    return {name: value for name, value in about.items() if name not in _ABOUT} | standing.about()


def begin(recording: Recording, rules: Rules, key: bytes) -> Standing:
    """Let what is recorded from now on be redacted by this key, and by these rules, if no rules hold yet.

    In a recording without exchanges, they take the place of others. Returns what holds.

    Raises:
        StoreError: the file could not be rewritten; it is as it was.
    """
    known = standing_of(recording)
    if known.rules == rules and known.key == name_of(key):
        return known
    with recording.transaction() as snapshot:
        known = understood(recording, snapshot.about)
        last = max((identity for identity, _ in snapshot), default=0)
        if known.rules is None or not last:
            known = Standing(rules, last + 1)
        if known.key == name_of(key):
            return known
        known = replace(known, key=name_of(key), key_since=last + 1)
        recording.rewrite(snapshot, described(snapshot.about, known))
    return known


def following(redactor: Redactor | None, recording: Recording) -> Redactor | None:
    """The redactor, by what the recording's header and key say now; one that is new where there was none.

    Raises as `redactor_of`.
    """
    rules = standing_of(recording).rules
    if redactor is None or rules is None:
        return redactor_of(recording)
    key = key_of(recording).read() or redactor.key
    if (redactor.rules, redactor.key) != (rules, key):
        redactor.take_up(key, rules)
    return redactor


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
    # Who has nothing to redact need not wait for it.
    from aimyproxy.redaction.redactor import Redactor

    return Redactor(key_of(recording).read() or bytes(32), rules)
