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
        new = _texts(value) - self._seen
        self._seen |= new
        for text in sorted(new):
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


def _texts(value: JSON) -> set[str]:
    """All texts in a JSON value, names of members and numbers included."""
    found: set[str] = set()
    containers: list[JSON] = [[value]]
    for container in containers:
        members = container
        if type(container) is dict:
            found.update(container)
            members = container.values()
        for member in members:
            kind = type(member)
            if kind is str:
                found.add(member)
            elif kind is dict or kind is list:
                containers.append(member)
            elif kind is int or kind is float:
                found.add(repr(member))
    return found
