"""Values that came before they were met at a place that tells what they are: found by what stands for them there."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from aimyproxy.redaction.known import searched

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from aimyproxy.jsonvalue import JSON
    from aimyproxy.redaction.known import Kind
    from aimyproxy.redaction.pseudonyms import Pseudonyms

_ESCAPED: Final = re.compile(r"\\+u([0-9a-fA-F]{4})")


class _Looks(dict[int, str]):
    """For `str.translate`: what a replacement has in common with its value, character by character."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        if character.isdecimal():
            look = "0"
        elif character.isalpha():
            look = "a" if character == character.lower() else "A"
        else:
            look = character if character.isascii() else "?"
        self[code] = look
        return look


_LOOKS: Final = _Looks()


class Strays:
    """Finds values by their replacements (texts, with their kinds): what looks like one of them is tried.

    Every text is looked at once only, so that a walk through a recording is quick: most of what it says, it repeats.
    """

    def __init__(self, pseudonyms: Pseudonyms, replacements: Mapping[str, Kind]) -> None:
        self._pseudonyms = pseudonyms
        self._replacements = {text: kind for text, kind in replacements.items() if searched(text, kind)}
        self._looks: defaultdict[int, set[str]] = defaultdict(set)
        for text in self._replacements:
            self._looks[len(text)].add(text.translate(_LOOKS))
        self._seen: set[str] = set()

    def found_in(self, value: JSON) -> Iterator[tuple[str, Kind]]:
        """The values in a JSON value that replacements stand for, and what they are; none that was found before."""
        if isinstance(value, dict):
            for name, member in value.items():
                yield from self._in_text(name)
                yield from self.found_in(member)
        elif isinstance(value, list):
            for member in value:
                yield from self.found_in(member)
        elif isinstance(value, str):
            yield from self._in_text(value)
        elif value is not None and not isinstance(value, bool):
            yield from self._in_text(repr(value))

    def _in_text(self, text: str) -> Iterator[tuple[str, Kind]]:
        if text in self._seen:
            return
        self._seen.add(text)
        yield from self._spelled(text)
        if "%" in text:
            yield from self._spelled(unquote(text))
        if "\\u" in text:
            yield from self._spelled(_ESCAPED.sub(lambda found: chr(int(found[1], 16)), text))

    def _spelled(self, text: str) -> Iterator[tuple[str, Kind]]:
        looks = text.translate(_LOOKS)
        for length, wanted in self._looks.items():
            for start in range(len(text) - length + 1):
                if looks[start : start + length] in wanted:
                    found = text[start : start + length]
                    if found not in self._replacements and (kind := self._kind(found)):
                        yield found, kind

    def _kind(self, text: str) -> Kind | None:
        return self._replacements.get(self._pseudonyms.of(text))
