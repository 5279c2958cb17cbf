"""What lies beside the exchanges, redacted again and again: mocks, files that people edit, what a crash left."""

from __future__ import annotations

import hashlib
from functools import partial
from typing import TYPE_CHECKING, Final

from aimyproxy.documents import headers_of
from aimyproxy.errors import InvalidDocument
from aimyproxy.exchange import ABSENT, Body, Exchange, Request, Response, Timing
from aimyproxy.selectors import Selector

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from aimyproxy.exchange import Headers
    from aimyproxy.jsonvalue import JSON
    from aimyproxy.redaction.known import Kind
    from aimyproxy.redaction.redactor import Redactor

_TEMPLATES: Final = ("{{", "{%")
_VALUES: Final = frozenset({"equals", "one_of"})
_NOTHING: Final = Request("POST", "/", (), ABSENT)


class Beside:
    """Redacts what has no exchange's form. What stands for a value already stays, also in a later run.

    Of that, `replacements` are those that exchanges have, `prints` are kept from an earlier run, and the rest bears its
    key's mark. Afterwards, `prints` are those of all replacements here that can't be told otherwise.
    """

    def __init__(self, redactor: Redactor, replacements: Collection[str], prints: Iterable[str]) -> None:
        self._redactor = redactor
        self._replacements = replacements
        self._before = frozenset(prints)
        self._prints: set[str] = set()

    @property
    def prints(self) -> list[str]:
        """What tells a replacement from a value, without saying which it is; sorted."""
        return sorted(self._prints)

    def mocks(self, tables: JSON) -> JSON:
        """The tables of a file of mocks; the very same where there is nothing to replace."""
        with self._redactor.sparing(self._stays_in_mocks):
            redacted = {
                name: {identity: self._mock(mock) for identity, mock in table.items()} for name, table in tables.items()
            }
            return self._redactor.echoes(tables if redacted == tables else redacted)

    def json(self, value: JSON) -> JSON:
        """A JSON value without its secrets by name and the known values; the very same where there are none."""
        with self._redactor.sparing(self._stays):
            return self._redactor.json(value)

    def raw(self, raw: bytes, *, redacted: bool) -> bytes:
        """Bytes of whatever, likewise; if they are `redacted`, all stays that may be a replacement."""
        with self._redactor.sparing(partial(self._stays, may=redacted)):
            return self._redactor.raw(raw)

    def _stays(self, text: str, _kind: Kind, *, may: bool = False) -> bool:
        made = self._redactor.pseudonyms.made(text)
        if made is not None:
            return made
        # The shape has no room for a mark.
        stays = may or text in self._replacements or _print(text) in self._before
        self._prints.add(_print(text if stays else self._redactor.pseudonyms.of(text)))
        return stays

    def _stays_in_mocks(self, text: str, kind: Kind) -> bool:
        return any(template in text for template in _TEMPLATES) or self._stays(text, kind)

    def _mock(self, mock: JSON) -> JSON:
        """A mock, redacted as the exchange that it stands for would be."""
        changes = self._answer(mock)
        if (when := mock.get("when")) and isinstance(when, dict):
            frame = {path.removeprefix("$."): wanted for path, wanted in when.items()}
            redacted = {path: self._condition(path, wanted, frame) for path, wanted in when.items()}
            if any(redacted[path] is not wanted for path, wanted in when.items()):
                changes["when"] = redacted
        return {**mock, **changes} if changes else mock

    def _answer(self, mock: JSON) -> dict[str, JSON]:
        member = "answer" if "answer" in mock else "text"
        body = Body("json" if member == "answer" else "text", mock.get(member, ""))
        before = Response(200, _headers(mock), body)
        exchange = self._redactor.exchange(Exchange("", None, None, _NOTHING, before, None, Timing(0, 0)))
        after = exchange.response or before
        changes: dict[str, JSON] = {}
        if after.body is not body and after.body.value != body.value:
            changes[member] = after.body.value
        if after.headers != before.headers:
            changes["headers"] = [list(header) for header in after.headers]
        return changes

    def _condition(self, path: str, wanted: JSON, frame: dict[str, JSON]) -> JSON:
        """What is wanted of a value at a path, with the value redacted as it would be there in a request."""
        if isinstance(wanted, dict) and not wanted.keys() <= _VALUES:
            return wanted
        try:
            steps = Selector.parse(path).steps
        except InvalidDocument:
            steps = None
        if not steps:
            return wanted
        variables: JSON = wanted
        for step in reversed(steps):
            variables = {step: variables} if isinstance(step, str) else [variables]
        redacted = self._redactor.json(variables, frame)
        if redacted is variables:
            return wanted
        for _ in steps:
            # Its name may be redacted, too.
            [redacted] = redacted.values() if isinstance(redacted, dict) else redacted
        return redacted


def _headers(mock: JSON) -> Headers:
    try:
        return headers_of(mock.get("headers", []), "headers")
    except InvalidDocument:
        return ()


def _print(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]
