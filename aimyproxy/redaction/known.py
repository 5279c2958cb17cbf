"""Values known to be secret or personal, found again in a text at a cost that does not grow with their number."""

from __future__ import annotations

import re
from collections import OrderedDict
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from aimyproxy.aimylogic import SYSTEM_VARIABLES
from aimyproxy.redaction.grams import FEW, Grams
from aimyproxy.redaction.shapes import phone_digits
from aimyproxy.redaction.spellings import Spelled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Kind: TypeAlias = Literal["secret", "personal", "utterance"]
"""What a value is. An utterance is what a user said: most are words that mean nothing elsewhere."""

MOST: Final = 10_000
"""How many values are remembered, in how many cases; those that were not met for the longest time are forgotten."""
_MOST_CHARACTERS: Final = 16_000_000
"""How long they are all together at most, with what stands for them as much again."""

_COMMON: Final = frozenset(
    {name.lower() for name in SYSTEM_VARIABLES}
    | {"telegram", "facebook", "chatwidget", "chatapi", "resterisk", "yandex", "zenbox", "application", "content-type"}
    | {"bearer", "secret", "password", "private", "default", "undefined", "unknown", "start", "menu"}
)
"""The protocol's own words, and what stands for no value: nobody's, even where one is somebody's password."""
_PHONE_OR_EMAIL: Final = re.compile(r"\+?\d[\d ()-]{5,}\d|[^@\s]+@[^@\s]+\.[A-Za-z]{2,}")
_ESCAPES: Final = re.compile(rb"\\u[0-9a-fA-F]{4}|\\.|%[0-9a-fA-F]{2}")
_NO_WORD: Final = re.compile(r"[0-9@]")
_LONG: Final = 12
_WORDS: Final = re.compile(rb"[A-Za-z0-9]+")


class KnownValues:
    """Values with their replacements, in bounded memory. Not safe for several threads."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._size = 0
        self._values: OrderedDict[str, Spelled] = OrderedDict()
        self._short: dict[bytes, tuple[str, ...]] = {}
        self._grams = (Grams(8), Grams(4))

    def __len__(self) -> int:
        return len(self._values)

    def add(self, text: str, replacement: str, kind: Kind) -> None:
        """Know this value from now on, if it is such that it can be told from other text (see `searched`)."""
        if known := self._values.get(text):
            for one in (text, *known.cases):
                if one in self._values:
                    self._values.move_to_end(one)
            return
        how = searched(text, kind)
        if how is None or text == replacement:
            return
        cases = _cases(text, replacement, kind)
        self._put(Spelled(text, replacement, apart=how == "apart", cases=tuple(cases)))
        for spelled, instead in cases.items():
            if spelled not in self._values:
                self._put(Spelled(spelled, instead, apart=how == "apart", encoded=False))

    def replace_by(self, replacement: Callable[[str], str]) -> None:
        """Let other replacements stand for all that is known."""
        for text, value in list(self._values.items()):
            self._forget(text)
            self._put(Spelled(text, replacement(text), apart=value.apart, encoded=value.encoded, cases=value.cases))

    def _put(self, value: Spelled) -> None:
        text = value.text
        if value.word:
            self._short[value.word] = (*self._short.get(value.word, ()), text)
        for needle in value.needles:
            self._grams_for(needle).add(needle, text)
        self._values[text] = value
        self._size += len(text)
        while len(self._values) > self._most or self._size > _MOST_CHARACTERS:
            self._forget(next(iter(self._values)))

    def found_in(self, raw: bytes) -> list[Spelled]:
        """The values that these bytes (UTF-8 or JSON) spell, the longest first; it may name some that they don't."""
        if not self._values:
            return []
        candidates = {text for grams in self._grams for text in grams.found_in(raw)}
        found = [value for value in map(self._values.get, candidates) if value and value.may_be_in(raw)]
        if self._short:
            found += [self._values[text] for text in self._short_in(raw)]
        return sorted(found, key=lambda value: (len(value.text), value.text), reverse=True)

    def _short_in(self, raw: bytes) -> Iterator[str]:
        if len(self._short) <= FEW and not any(word in raw for word in self._short):
            return
        if b"\\" in raw or b"%" in raw:
            raw = _ESCAPES.sub(b" ", raw)
        if not self._short.keys().isdisjoint(words := _WORDS.findall(raw)):
            yield from {text for word in words if word in self._short for text in self._short[word]}

    def _grams_for(self, needle: bytes) -> Grams:
        long, short = self._grams
        return long if len(needle) >= long.shortest else short

    def _forget(self, text: str) -> None:
        value = self._values.pop(text)
        self._size -= len(text)
        if value.word:
            _without(self._short, value.word, text)
        for needle in value.needles:
            self._grams_for(needle).remove(needle, text)


def searched(text: str, kind: Kind) -> Literal["anywhere", "apart"] | None:
    """How a value is looked for outside its place: inside longer words too, or only as words of its own, or not at all.

    A secret needs 6 characters, of which 4 differ (of 12 only 2, as with the numbers of some cards); it is looked for
    anywhere if it has 8 and is no number. Something personal needs 4 characters (a number 5) of which 3 differ, and an
    utterance has to be a phone number, an e-mail address, or several words of 10 characters in all.
    """
    if text.lower() in _COMMON:
        return None
    length, variety, digits = len(text), len(set(text)), text.isdecimal()
    if kind == "secret":
        if length < 6 or variety < (4 if length < _LONG else 2):
            return None
        return "apart" if digits or length < 8 else "anywhere"
    if length < (5 if digits else 4) or variety < 3:
        return None
    if kind == "utterance" and not (_PHONE_OR_EMAIL.fullmatch(text) or (length >= 10 and " " in text.strip())):
        return None
    return "apart"


def _cases(text: str, replacement: str, kind: Kind) -> dict[str, str]:
    """A value in capital letters, and in small ones unless it may be a name: then those are a word, if anything.

    Of a phone number, its digits.
    """
    if digits := phone_digits(text):
        return {digits: "".join(filter(str.isdecimal, replacement))}
    cases = {text.upper(): replacement.upper()}
    if kind == "secret" or _NO_WORD.search(text):
        cases[text.lower()] = replacement.lower()
    cases.pop(text, None)
    return cases


def _without(texts: dict[bytes, tuple[str, ...]], key: bytes, text: str) -> None:
    if left := tuple(other for other in texts.pop(key, ()) if other != text):
        texts[key] = left
