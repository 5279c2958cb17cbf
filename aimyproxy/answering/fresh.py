"""Noise served fresh: the kind of a field's noise, told by all of its recorded values, and new values of that kind."""

from __future__ import annotations

import re
import string
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aimyproxy.jsonvalue import JSON

_FEWEST: Final = 4
"""Fewer different values don't tell a kind."""
_SHORTEST_TOKEN: Final = 8
_ISO: Final = re.compile(r"\d{4}-\d\d-\d\d([T ])\d\d:\d\d:\d\d(?:\.(\d{1,6})\d*)?(Z|[+-]\d\d:?\d\d)?")
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-([0-9a-f])[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_TOKEN: Final = re.compile(r"[A-Za-z0-9]+")
_FIRST_EPOCH: Final = datetime(2010, 1, 1, tzinfo=UTC).timestamp()
_LAST_EPOCH: Final = datetime(2100, 1, 1, tzinfo=UTC).timestamp()


@dataclass(frozen=True, slots=True)
class Dice:
    """Where fresh values come from: chance, and the time in seconds since 1970."""

    random: Random = field(default_factory=Random)
    now: Callable[[], float] = time.time


class Kind(Protocol):
    """A kind of noise."""

    @property
    def words(self) -> str:
        """Its name for people."""

    def made(self, dice: Dice) -> JSON:
        """A new value."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A date and time in ISO 8601, in the recorded spelling: `digits` of a second's fraction, `zone` as written."""

    separator: str
    digits: int
    zone: str
    words: str = "a timestamp"

    def made(self, dice: Dice) -> str:
        moment = datetime.fromtimestamp(dice.now(), _zone(self.zone))
        fraction = f".{moment.microsecond:06d}"[: self.digits + 1] if self.digits else ""
        return moment.strftime(f"%Y-%m-%d{self.separator}%H:%M:%S") + fraction + self.zone


@dataclass(frozen=True, slots=True)
class Epoch:
    """Seconds since 1970 times `scale`, with so many `decimals`, as a number or as a text."""

    scale: int
    decimals: int
    text: bool
    words: str = "a timestamp"

    def made(self, dice: Dice) -> JSON:
        value = dice.now() * self.scale
        if self.text:
            return f"{value:.{self.decimals}f}"
        return round(value, self.decimals) if self.decimals else int(value)


@dataclass(frozen=True, slots=True)
class Uuid:
    """A UUID of a version, in small or in capital letters."""

    version: int
    capital: bool
    words: str = "a UUID"

    def made(self, dice: Dice) -> str:
        number = dice.random.getrandbits(128) & ~(0xF << 76) | self.version << 76
        text = str(uuid.UUID(int=number & ~(0x3 << 62) | 0x2 << 62))
        return text.upper() if self.capital else text


@dataclass(frozen=True, slots=True)
class Token:
    """So many characters out of an alphabet."""

    alphabet: str
    length: int
    words: str = "a random token"

    def made(self, dice: Dice) -> str:
        return "".join(dice.random.choices(self.alphabet, k=self.length))


@dataclass(frozen=True, slots=True)
class Number:
    """A number in the recorded range, with so many `decimals`; as a text of `width` digits where that is not 0."""

    least: float
    most: float
    decimals: int = 0
    width: int = 0
    words: str = "a random number"

    def made(self, dice: Dice) -> JSON:
        if self.decimals:
            return round(dice.random.uniform(self.least, self.most), self.decimals)
        value = dice.random.randint(int(self.least), int(self.most))
        return f"{value:0{self.width}d}" if self.width else value


def recognised(values: Sequence[JSON]) -> Kind | None:
    """The kind that all of these recorded values are of, in recorded order; None where it is not plain."""
    if len({str(value) for value in values}) < _FEWEST:
        return None
    if all(isinstance(value, str) for value in values):
        return _of_texts(values)
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        return _of_numbers(values, values)
    return None


def _of_texts(texts: Sequence[str]) -> Kind | None:
    moments = [_ISO.fullmatch(text) for text in texts]
    if found := [moment for moment in moments if moment]:
        return _moment(found) if len(found) == len(texts) else None
    if all(_UUID.fullmatch(text) for text in texts):
        return Uuid(int(texts[-1][14], 16), texts[-1].isupper())
    if all(text.isascii() and text.isdecimal() for text in texts):
        width = len(texts[0])
        kind = _of_numbers([int(text) for text in texts], texts)
        return kind if kind is None or all(len(text) == width for text in texts) else None
    length = len(texts[0])
    if length < _SHORTEST_TOKEN or any(len(text) != length or not _TOKEN.fullmatch(text) for text in texts):
        return None
    # Words have no digits.
    return Token(_alphabet("".join(texts)), length) if all(re.search(r"\d", text) for text in texts) else None


def _moment(found: Sequence[re.Match[str]]) -> Moment | None:
    separator, _, zone = found[-1].groups()
    if any((one[1], bool(one[3])) != (separator, bool(zone)) for one in found):
        return None
    return Moment(separator, max(len(one[2] or "") for one in found), zone or "")


def _of_numbers(numbers: Sequence[float], spelled: Sequence[JSON]) -> Kind | None:
    decimals = max(len(str(number).partition(".")[2]) for number in numbers) if _fractional(numbers) else 0
    text = isinstance(spelled[0], str)
    if all(before <= after for before, after in pairwise(numbers)):
        # What only grows is a clock, or a counter that nobody can foretell.
        for scale in (1, 1000):
            if all(_FIRST_EPOCH <= number / scale <= _LAST_EPOCH for number in numbers):
                return Epoch(scale, decimals, text)
        return None
    return Number(min(numbers), max(numbers), decimals, len(str(spelled[0])) if text else 0)


def _fractional(numbers: Sequence[float]) -> bool:
    return any(isinstance(number, float) and not number.is_integer() for number in numbers)


def _alphabet(seen: str) -> str:
    if set(seen) <= set(string.hexdigits.lower()):
        return string.hexdigits[:16]
    if set(seen) <= set(string.hexdigits.upper()):
        return string.hexdigits[:16].upper()
    classes = (string.ascii_lowercase, string.ascii_uppercase, string.digits)
    return "".join(letters for letters in classes if not set(letters).isdisjoint(seen))


def _zone(spelled: str) -> timezone:
    if spelled in ("", "Z"):
        return UTC
    minutes = int(spelled[1:3]) * 60 + int(spelled[-2:])
    return timezone(timedelta(minutes=-minutes if spelled[0] == "-" else minutes))
