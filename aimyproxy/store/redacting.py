"""What redacts a recording that grows: by its header, also when others change that meanwhile."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from aimyproxy import jsonvalue
from aimyproxy.documents import from_document
from aimyproxy.redaction.pseudonyms import name_of
from aimyproxy.redaction.redactor import Redactor
from aimyproxy.redaction.rules import SECRETS
from aimyproxy.store.appendable import Outdated
from aimyproxy.store.recording import stored
from aimyproxy.store.redacted import begin, key_of, standing_of, understood

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aimyproxy.exchange import Exchange
    from aimyproxy.jsonvalue import JSON
    from aimyproxy.redaction.rules import Rules
    from aimyproxy.store.recording import Recording


class Redacting:
    """Redacts what is added to a recording; looks after its rules and its key while it grows.

    `redactor` is None where nothing is redacted, and stays the same one otherwise. It knows `secrets` from the
    beginning. `tell` is called with a sentence when the rules change.
    """

    def __init__(
        self, recording: Recording, redactor: Redactor | None, secrets: Sequence[str], tell: Callable[[str], None]
    ) -> None:
        self._recording = recording
        self._secrets = secrets
        self._tell = tell
        self._lock = threading.Lock()
        self._rules: list[Rules | None] = [None if redactor is None else redactor.rules]
        self.redactor = redactor
        if redactor is not None:
            redactor.learn(secrets)
        recording.attend(self)

    @property
    def version(self) -> int:
        """How often the rules have changed."""
        return len(self._rules) - 1

    def redacted(self, exchange: Exchange) -> tuple[Exchange, bytes, int]:
        """The exchange as it may be kept and shown, its stored form, and the version of the rules that made it so."""
        with self._lock:
            if self.redactor is None:
                return exchange, stored(exchange), self.version
            return *self.redactor.kept(exchange), self.version

    def text(self, text: str) -> str:
        """A text for a screen or a log, with the known values replaced in it."""
        return self.redactor.text(text) if self.redactor else text

    def renewed(self, document: bytes, version: int) -> bytes:
        """A stored form of an earlier version, as it may be kept now."""
        exchange, rules = from_document(jsonvalue.loads(document)), self._rules[version]
        with self._lock:
            if self.redactor is None:
                return document
            return stored(self.redactor.further(exchange, rules) if rules else self.redactor.exchange(exchange))

    def accept(self, about: dict[str, JSON]) -> None:
        """See that the header says what is done; raises Outdated where it wants more, or another key."""
        known, redactor = understood(self._recording, about), self.redactor
        if redactor is None:
            if known.rules is None:
                return
        elif known.rules and redactor.rules.covers(known.rules) and known.key == name_of(redactor.key):
            return
        raise Outdated

    def restore(self) -> None:
        """Put the key back where somebody removed it; raises StoreError."""
        if self.redactor is not None:
            key_of(self._recording).restore(self.redactor.key)

    def take_up(self) -> None:
        """Redact by what the header and the key file say now; what was wanted before stays so.

        Raises:
            BrokenFile, StoreError: that can't be read, or a header without rules can't be given any.
        """
        known, redactor = standing_of(self._recording).rules, self.redactor
        if redactor is None and known is None:
            return
        rules = known or SECRETS
        if redactor is not None:
            rules = rules.with_more(redactor.rules)
        key = key_of(self._recording).made(None if redactor is None else redactor.key)
        with self._lock:
            if redactor is None:
                self.redactor = redactor = Redactor(key, rules)
                redactor.learn(self._secrets)
            redactor.take_up(key, rules)
            self._rules.append(rules)
        begin(self._recording, rules, key)
        self._tell(f"{self._recording.name} is redacted by other rules from now on: {', '.join(rules.document())}.")
