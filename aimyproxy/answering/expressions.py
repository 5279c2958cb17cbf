"""Expressions: how a value of an answer is made from its request. Learned ones only; nothing here is evaluated text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

from aimyproxy import jsonvalue
from aimyproxy.answering.features import Situation, words
from aimyproxy.jsonvalue import is_number

if TYPE_CHECKING:
    from aimyproxy.jsonvalue import JSON, Path


class _Absent:
    """The mark of a member that the answer doesn't have."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "nothing"


ABSENT: Final = _Absent()

Value: TypeAlias = "JSON | _Absent"


class Unknown(Exception):
    """The expression has no value in this situation: what it is made from isn't there."""


class Expression(Protocol):
    """How to make a value in a situation. `paths` are where it looks in the request, or in the answer up to there."""

    @property
    def paths(self) -> tuple[Path, ...]: ...

    def value(self, situation: Situation) -> Value:
        """The value; raises Unknown."""

    def words(self) -> str:
        """The expression for people."""


@dataclass(frozen=True, slots=True)
class Constant:
    """Always the same value."""

    constant: Value

    @property
    def paths(self) -> tuple[Path, ...]:
        return ()

    def value(self, _situation: Situation) -> Value:
        return self.constant

    def words(self) -> str:
        if self.constant is ABSENT:
            return "nothing"
        text = jsonvalue.dumps(self.constant).decode()
        return f"always {text if len(text) <= 60 else text[:57] + '…'}"


@dataclass(frozen=True, slots=True)
class Echo:
    """What the request has at this path, or nothing where it has nothing."""

    path: Path

    @property
    def paths(self) -> tuple[Path, ...]:
        return (self.path,)

    def value(self, situation: Situation) -> Value:
        try:
            return situation.at(self.path)
        except (KeyError, IndexError):
            return ABSENT

    def words(self) -> str:
        return f"the request's {words(self.path)}"


@dataclass(frozen=True, slots=True)
class Copy:
    """A value that the request has at another path."""

    path: Path

    @property
    def paths(self) -> tuple[Path, ...]:
        return (self.path,)

    def value(self, situation: Situation) -> Value:
        if self.path in situation.values:
            return situation.values[self.path]
        try:
            return situation.at(self.path)
        except (KeyError, IndexError):
            raise Unknown from None

    def words(self) -> str:
        return words(self.path)


@dataclass(frozen=True, slots=True)
class Linear:
    """A number of the request, times `factor`, plus `offset`."""

    path: Path
    factor: float
    offset: float

    @property
    def paths(self) -> tuple[Path, ...]:
        return (self.path,)

    def value(self, situation: Situation) -> Value:
        return _whole(number(situation, self.path) * self.factor + self.offset)

    def words(self) -> str:
        text = words(self.path) + (f" × {self.factor:g}" if self.factor != 1 else "")
        return text + (f" {'+' if self.offset > 0 else '−'} {abs(self.offset):g}" if self.offset else "")


@dataclass(frozen=True, slots=True)
class Pair:
    """Two numbers of the request, multiplied or added; one that is missing counts as 0 in a sum."""

    left: Path
    right: Path
    product: bool

    @property
    def paths(self) -> tuple[Path, ...]:
        return self.left, self.right

    def value(self, situation: Situation) -> Value:
        if self.product:
            return _whole(number(situation, self.left) * number(situation, self.right))
        left, right = situation.values.get(self.left, 0), situation.values.get(self.right, 0)
        if not (is_number(left) and is_number(right)):
            raise Unknown
        return _whole(left + right)

    def words(self) -> str:
        return f"{words(self.left)} {'×' if self.product else '+'} {words(self.right)}"


@dataclass(frozen=True, slots=True)
class Text:
    """A text with values of the request in it: literal parts and paths, in turn."""

    parts: tuple[str | Path, ...]

    @property
    def paths(self) -> tuple[Path, ...]:
        return tuple(part for part in self.parts if not isinstance(part, str))

    def value(self, situation: Situation) -> Value:
        return "".join([part if isinstance(part, str) else spelled(_present(situation, part)) for part in self.parts])

    def may_be(self, value: Value) -> bool:
        """Whether a value begins and ends as this text does, for a quick look."""
        first, last = self.parts[0], self.parts[-1]
        return (
            isinstance(value, str)
            and (not isinstance(first, str) or value.startswith(first))
            and (not isinstance(last, str) or value.endswith(last))
        )

    def words(self) -> str:
        inside = "".join(part if isinstance(part, str) else "{" + words(part) + "}" for part in self.parts)
        return f'"{inside}"'


def spelled(value: JSON) -> str:
    """A scalar as it stands inside a text, or a text that occurs nowhere."""
    if isinstance(value, str):
        return value
    if is_number(value):
        return f"{value:g}" if isinstance(value, float) and value.is_integer() and abs(value) < 1e15 else str(value)
    raise Unknown


def number(situation: Situation, path: Path) -> float:
    """The number at this path; raises Unknown."""
    value = situation.values.get(path)
    if not is_number(value):
        raise Unknown
    return value


def _present(situation: Situation, path: Path) -> JSON:
    if path not in situation.values:
        raise Unknown
    return situation.values[path]


def _whole(value: float) -> float:
    if isinstance(value, int):
        return value
    rounded = round(value, 6)
    return int(rounded) if rounded.is_integer() and abs(rounded) < 1e15 else rounded
