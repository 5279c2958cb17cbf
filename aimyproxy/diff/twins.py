"""Parsing two recordings side by side: what a line has in common with the other side's line is parsed once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from aimyproxy import jsonvalue
from aimyproxy.errors import InvalidJSON

if TYPE_CHECKING:
    from aimyproxy.jsonvalue import JSON

# An exchange as we write it: `at` comes first; `timing` and `made_from` come last, and differ between the sides.
_AT: Final = re.compile(rb'\{"at":"[0-9TZ:.-]*",(?="event":)')
_LAST: Final = b',"timing":{'
_OWN: Final = frozenset({"at", "timing", "made_from"})


class Twins:
    """Two parsers, for the lines of a baseline and of a candidate, called in turns.

    Both give what `jsonvalue.loads` does. Where request, response and failure of the candidate's line are the same
    bytes as in the baseline's line before it, both documents share these members: they can be seen to be one.
    """

    def __init__(self) -> None:
        self._text = b""
        self._document: JSON = None

    def baseline(self, text: bytes) -> JSON:
        """Parse a line of the baseline."""
        self._document = jsonvalue.loads(text)
        self._text = text
        return self._document

    def candidate(self, text: bytes) -> JSON:
        """Parse a line of the candidate."""
        shared = self._shared(text)
        return jsonvalue.loads(text) if shared is None else shared

    def _shared(self, text: bytes) -> JSON:
        mine, other = _parts(self._text), _parts(text)
        if mine is None or other is None or mine[1] != other[1]:
            return None
        # What is left without the common part is an object in both: so the common part is none but whole members.
        own, others = _own_members(mine[0]), _own_members(other[0])
        if own is None or others is None or own != {name: self._document.get(name) for name in own}:
            return None
        common = {name: value for name, value in self._document.items() if name not in own}
        return {"at": others.pop("at"), **common, **others}


def _parts(text: bytes) -> tuple[bytes, bytes] | None:
    """The line's own members as an object, and the bytes between them; None where it is not as we write it."""
    start, end = _AT.match(text), text.rfind(_LAST)
    return (text[: start.end()] + text[end + 1 :], text[start.end() : end]) if start and end > 0 else None


def _own_members(text: bytes) -> dict[str, JSON] | None:
    try:
        members = jsonvalue.loads(text)
    except InvalidJSON:
        return None
    return members if members.keys() <= _OWN else None
