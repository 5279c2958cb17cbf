"""Noise served fresh: the kinds of noise, and new values of each kind."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from random import Random
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from aimyproxy.jsonvalue import JSON


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

    @property
    def computable(self) -> bool:
        """Whether its values may follow from requests all the same, by a formula that nobody found."""

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
    computable: bool = False

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
    computable: bool = False

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
    computable: bool = False

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
    computable: bool = False

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
    computable: bool = True

    def made(self, dice: Dice) -> JSON:
        if self.decimals:
            return round(dice.random.uniform(self.least, self.most), self.decimals)
        value = dice.random.randint(int(self.least), int(self.most))
        return f"{self.prefix}{value:0{self.width}d}" if self.width else value


@dataclass(frozen=True, slots=True)
class Phrase:
    """A text in which some places are noise, each of its kind."""

    parts: tuple[str | Kind, ...]

    @property
    def words(self) -> str:
        return "a text with " + " and ".join(
            dict.fromkeys(part.words for part in self.parts if not isinstance(part, str))
        )

    @property
    def computable(self) -> bool:
        return any(part.computable for part in self.parts if not isinstance(part, str))

    def made(self, dice: Dice) -> str:
        return "".join(part if isinstance(part, str) else str(part.made(dice)) for part in self.parts)


def _zone(spelled: str) -> timezone:
    if spelled in ("", "Z"):
        return UTC
    minutes = int(spelled[1:3]) * 60 + int(spelled[-2:])
    return timezone(timedelta(minutes=-minutes if spelled[0] == "-" else minutes))
