"""Noise served fresh: the kind of a field's noise, told by all of its recorded values, and new values of that kind."""

from __future__ import annotations

import re
import string
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from itertools import pairwise
from random import Random
from statistics import median
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aimyproxy.jsonvalue import JSON

_FEWEST: Final = 4
"""Fewer different values don't tell a kind."""
_SHORTEST_TOKEN: Final = 4
_STEADY_SECONDS: Final = 120.0
"""By how much clocks may differ from the moments of recording, and by how much what they show may be rounded."""
_PRESENT_SECONDS: Final = 300.0
"""What is no further from the moment of recording means the present; what is further, a term or a zone's time."""
_FURTHEST_SECONDS: Final = 366 * 86_400.0
_LONGEST_NUMBER: Final = 18
_LARGEST: Final = 10**_LONGEST_NUMBER
_ISO: Final = re.compile(r"\d{4}-\d\d-\d\d([T ])\d\d:\d\d(:\d\d(?:\.(\d{1,9}))?)?(Z|[+-]\d\d:?\d\d)?")
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-([0-9a-f])[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_TOKEN: Final = re.compile(r"[A-Za-z0-9]+")


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
    """A date and time in ISO 8601, `offset` seconds from now, spelled as recorded.

    `digits` are those of a second's fraction, -1 where there are no seconds at all; `zone` is as written.
    """

    separator: str
    digits: int
    zone: str
    offset: float = 0.0
    words: str = "a timestamp"

    def made(self, dice: Dice) -> str:
        moment = datetime.fromtimestamp(dice.now() + self.offset, _zone(self.zone))
        seconds = "" if self.digits < 0 else ":%S"
        fraction = f".{moment.microsecond:06d}000"[: self.digits + 1] if self.digits > 0 else ""
        return moment.strftime(f"%Y-%m-%d{self.separator}%H:%M{seconds}") + fraction + self.zone


@dataclass(frozen=True, slots=True)
class Epoch:
    """Seconds since 1970 times `scale`, `offset` seconds from now, with so many `decimals`; a number or a text."""

    scale: int
    decimals: int
    text: bool
    offset: float = 0.0
    words: str = "a timestamp"

    def made(self, dice: Dice) -> JSON:
        value = (dice.now() + self.offset) * self.scale
        made = round(value, self.decimals) if self.decimals else int(value)
        return f"{made:.{self.decimals}f}" if self.text else made


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
    """What all begin with, and so many characters out of an alphabet."""

    prefix: str
    alphabet: str
    length: int
    words: str = "a random token"

    def made(self, dice: Dice) -> str:
        return self.prefix + "".join(dice.random.choices(self.alphabet, k=self.length))


@dataclass(frozen=True, slots=True)
class Number:
    """A number in the recorded range, with so many `decimals`; with a `width`, a text of so many digits."""

    least: float
    most: float
    decimals: int = 0
    width: int = 0
    prefix: str = ""
    words: str = "a random number"

    def made(self, dice: Dice) -> JSON:
        if self.decimals:
            return round(dice.random.uniform(self.least, self.most), self.decimals)
        value = dice.random.randint(int(self.least), int(self.most))
        return f"{self.prefix}{value:0{self.width}d}" if self.width else value


def recognised(values: Sequence[JSON], moments: Sequence[float | None]) -> Kind | None:
    """The kind that all of these values are of, in recorded order; None where it is not plain.

    `moments` says for each when it was recorded, in seconds since 1970, None where nobody knows.
    """
    if len({str(value) for value in values}) < _FEWEST:
        return None
    if all(isinstance(value, str) for value in values):
        return _of_texts(values, moments)
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        return _of_numbers(values, moments)
    return None


def _of_texts(texts: Sequence[str], moments: Sequence[float | None]) -> Kind | None:
    if all(_ISO.fullmatch(text) for text in texts):
        return _moment(texts, moments)
    if all(_UUID.fullmatch(text) for text in texts):
        return Uuid(int(texts[-1][14], 16), texts[-1].isupper())
    prefix = "" if _digits(texts) else _prefix(texts)
    rests = [text[len(prefix) :] for text in texts]
    if len({len(rest) for rest in rests}) > 1 or not all(_TOKEN.fullmatch(rest) for rest in rests):
        return None
    if _digits(rests):
        return _of_digits(prefix, rests, moments)
    # Words have no digits; a token may have none by chance.
    if len(rests[0]) < _SHORTEST_TOKEN or 2 * sum(bool(re.search(r"\d", rest)) for rest in rests) < len(rests):
        return None
    return Token(prefix, _alphabet("".join(rests)), len(rests[0]))


def _of_digits(prefix: str, rests: Sequence[str], moments: Sequence[float | None]) -> Kind | None:
    width = len(rests[0])
    if (prefix and width < _SHORTEST_TOKEN) or width > _LONGEST_NUMBER:
        return None
    numbers = [int(rest) for rest in rests]
    if not prefix and (clock := _epoch(numbers, moments, text=True)):
        return clock
    return None if _growing(numbers) else Number(min(numbers), max(numbers), 0, width, prefix)


def _of_numbers(numbers: Sequence[float], moments: Sequence[float | None]) -> Kind | None:
    if not all(-_LARGEST < number < _LARGEST for number in numbers):
        return None
    if clock := _epoch(numbers, moments, text=False):
        return clock
    return None if _growing(numbers) else Number(min(numbers), max(numbers), _decimals(numbers))


def _moment(texts: Sequence[str], moments: Sequence[float | None]) -> Moment | None:
    found = [_ISO.fullmatch(text) for text in texts]
    styles = {(one[1], bool(one[2]), bool(one[4])) for one in found if one}
    try:
        shown = [datetime.fromisoformat(text) for text in texts]
        offset = _offset([(one if one.tzinfo else one.replace(tzinfo=UTC)).timestamp() for one in shown], moments)
    except (ValueError, OverflowError):
        return None
    if len(styles) > 1 or offset is None:
        return None
    ((separator, seconds, _),) = styles
    digits = max(len(one[3] or "") for one in found if one) if seconds else -1
    return Moment(separator, digits, (found[-1] and found[-1][4]) or "", offset)


def _epoch(numbers: Sequence[float], moments: Sequence[float | None], *, text: bool) -> Epoch | None:
    for scale in (1, 1000):
        offset = _offset([number / scale for number in numbers], moments)
        if offset is not None:
            return Epoch(scale, _decimals(numbers), text, offset)
    return None


def _offset(shown: Sequence[float], moments: Sequence[float | None]) -> float | None:
    """How many seconds after their recording these clocks all were; None where they were no clocks."""
    offsets = [clock - moment for clock, moment in zip(shown, moments, strict=True) if moment is not None]
    if len(offsets) < len(shown) or max(offsets) - min(offsets) > _STEADY_SECONDS:
        return None
    offset = median(offsets)
    if abs(offset) > _FURTHEST_SECONDS:
        return None
    return offset if abs(offset) > _PRESENT_SECONDS else 0.0


def _growing(numbers: Sequence[float]) -> bool:
    """Whether they only grow: that is a counter, whose next value nobody can make up."""
    return all(before <= after for before, after in pairwise(numbers))


def _digits(texts: Sequence[str]) -> bool:
    return all(text.isascii() and text.isdecimal() for text in texts)


def _prefix(texts: Sequence[str]) -> str:
    """What all of them begin with."""
    first, last = min(texts), max(texts)
    return first[: next((at for at, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), None)]


def _decimals(numbers: Sequence[float]) -> int:
    if all(float(number).is_integer() for number in numbers):
        return 0
    return max(-int(Decimal(str(number)).as_tuple().exponent) for number in numbers)


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
