"""Conditions: what a mock wants of a request; a path, and what has to stand there.

The value of a condition in `when` is an operator object where it is an object, not empty, and all of its keys are
OPERATORS; it is a plain value, to be equalled, in all other cases. An object is refused only where each of its keys is
an operator or a misspelled one. `{"equals": …}` compares with any value, also with such objects.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, ClassVar, Final, Protocol

from aimyproxy import jsonvalue
from aimyproxy.answering import regexes
from aimyproxy.errors import InvalidDocument
from aimyproxy.selectors import Selector

if TYPE_CHECKING:
    import re
    from collections.abc import Iterable, Sequence

    from aimyproxy.jsonvalue import JSON

RANGES: Final = ("at_least", "at_most", "above", "below")
OPERATORS: Final = ("equals", "one_of", "matches", "exists", *RANGES)
"""All keys of operator objects; only those of ranges may stand beside each other."""

STRENGTHS: Final = 4
"""How many kinds of conditions differ in how much they say: equals, one_of, matches and ranges, exists."""

_ALIKE: Final = 0.8


class Wanted(Protocol):
    """What a condition wants; of those with equally many conditions, the mock with the lower strengths wins."""

    strength: ClassVar[int]

    def fits(self, found: Sequence[JSON]) -> bool:
        """Whether these values, all that the path leads to, are what is wanted."""

    def implies(self, other: Wanted) -> bool:
        """Whether all that fits this fits the other; False also where that can't be told."""


@dataclass(frozen=True, slots=True)
class Equals:
    """One of the values means the same as `value`: `1` and `1.0` do, `1` and `true` don't."""

    value: JSON
    strength: ClassVar[int] = 0

    def fits(self, found: Sequence[JSON]) -> bool:
        """As Wanted says."""
        return any(jsonvalue.same(one, self.value) for one in found)

    def implies(self, other: Wanted) -> bool:
        """As Wanted says."""
        return other.fits([self.value])


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of the values means the same as one of these."""

    values: tuple[JSON, ...]
    strength: ClassVar[int] = 1

    def fits(self, found: Sequence[JSON]) -> bool:
        """As Wanted says."""
        return any(jsonvalue.same(one, value) for one in found for value in self.values)

    def implies(self, other: Wanted) -> bool:
        """As Wanted says."""
        return all(other.fits([value]) for value in self.values)


@dataclass(frozen=True, slots=True)
class Matches:
    """The expression is found in one of the values that are strings, in its first LONGEST_SUBJECT characters."""

    pattern: re.Pattern[str]
    strength: ClassVar[int] = 2

    def fits(self, found: Sequence[JSON]) -> bool:
        """As Wanted says."""
        strings = (one[: regexes.LONGEST_SUBJECT] for one in found if isinstance(one, str))
        return any(self.pattern.search(string) for string in strings)

    def implies(self, other: Wanted) -> bool:
        """As Wanted says."""
        return other in (self, Exists(wanted=True))


@dataclass(frozen=True, slots=True)
class Range:
    """One of the values is a number within all of these bounds; a string of digits is none."""

    at_least: float = -inf
    at_most: float = inf
    above: float = -inf
    below: float = inf
    strength: ClassVar[int] = 2

    def fits(self, found: Sequence[JSON]) -> bool:
        """As Wanted says."""
        return any(self._holds(one) for one in found if _is_number(one))

    def implies(self, other: Wanted) -> bool:
        """As Wanted says."""
        if not isinstance(other, Range):
            return other == Exists(wanted=True)
        return other.lowest <= self.lowest and self.highest <= other.highest

    @property
    def lowest(self) -> tuple[float, int]:
        """The lower bound, and 1 where it is itself outside."""
        return max((self.at_least, 0), (self.above, 1))

    @property
    def highest(self) -> tuple[float, int]:
        """The upper bound, and -1 where it is itself outside."""
        return min((self.at_most, 0), (self.below, -1))

    def _holds(self, number: float) -> bool:
        return self.at_least <= number <= self.at_most and self.above < number < self.below


@dataclass(frozen=True, slots=True)
class Exists:
    """The path leads somewhere, be it to null; or nowhere, where `wanted` is false."""

    wanted: bool
    strength: ClassVar[int] = 3

    def fits(self, found: Sequence[JSON]) -> bool:
        """As Wanted says."""
        return bool(found) == self.wanted

    def implies(self, other: Wanted) -> bool:
        """As Wanted says."""
        return other == self


@dataclass(frozen=True, slots=True)
class Condition:
    """That what a path leads to, in the request's variables, is what is wanted."""

    path: Selector
    wanted: Wanted

    @classmethod
    def parse(cls, path: str, value: JSON) -> Condition:
        """The condition that a member of `when` spells.

        Raises:
            InvalidDocument: the path is no JSONPath, or an operator is wrong.
        """
        selector = Selector.parse(path)
        try:
            return cls(selector, _wanted(value))
        except InvalidDocument as error:
            raise InvalidDocument(f"{path}: {error}") from None

    def holds(self, root: JSON) -> bool:
        """Whether this request is as wanted."""
        return self.wanted.fits(self.path.values(root))

    def implies(self, other: Condition) -> bool:
        """Whether the other holds wherever this one does; False also where that can't be told."""
        return self.path.spelled == other.path.spelled and self.wanted.implies(other.wanted)


def specificity(conditions: Iterable[Condition]) -> tuple[int, ...]:
    """A rank that is lower the more the conditions say: by their number, then by how many are of each strength."""
    strengths = [condition.wanted.strength for condition in conditions]
    return (-len(strengths), *(-strengths.count(strength) for strength in range(STRENGTHS)))


def _wanted(value: JSON) -> Wanted:
    if not isinstance(value, dict) or not value:
        return Equals(value)
    if not value.keys() <= set(OPERATORS):
        _refuse_misspelled(value)
        return Equals(value)
    if value.keys() <= set(RANGES):
        return _range(value)
    if len(value) > 1:
        raise InvalidDocument(f"{' and '.join(value)} can't stand beside each other; only {', '.join(RANGES)} can")
    ((operator, operand),) = value.items()
    return Equals(operand) if operator == "equals" else _ALONE[operator](operand)


def _one_of(operand: JSON) -> Wanted:
    if not isinstance(operand, list) or not operand:
        raise InvalidDocument(f"one_of has to be a list of values, not {jsonvalue.kind_of(operand)} or empty")
    return OneOf(tuple(operand))


def _matches(operand: JSON) -> Wanted:
    if not isinstance(operand, str):
        raise InvalidDocument(f"matches has to be a regular expression in a string, not {jsonvalue.kind_of(operand)}")
    try:
        return Matches(regexes.compiled(operand))
    except InvalidDocument as error:
        raise InvalidDocument(f"matches: {error}") from None


def _exists(operand: JSON) -> Wanted:
    if not isinstance(operand, bool):
        raise InvalidDocument(f"exists has to be true or false, not {jsonvalue.kind_of(operand)}")
    return Exists(operand)


_ALONE: Final = {"one_of": _one_of, "matches": _matches, "exists": _exists}


def _range(bounds: dict[str, JSON]) -> Range:
    for operator, bound in bounds.items():
        if not _is_number(bound):
            raise InvalidDocument(f"{operator} has to be a number, not {jsonvalue.kind_of(bound)}")
    wanted = Range(**bounds)
    low, high = max(wanted.at_least, wanted.above), min(wanted.at_most, wanted.below)
    if low > high or (low == high and not wanted.fits([low])):
        raise InvalidDocument(f"no number is {' and '.join(f'{name} {bound}' for name, bound in bounds.items())}")
    return wanted


def _is_number(value: JSON) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _refuse_misspelled(value: dict[str, JSON]) -> None:
    meant = {key: _operator_like(key) for key in value}
    if not all(meant.values()):
        return
    wrong = next(key for key in value if key not in OPERATORS)
    raise InvalidDocument(
        f"{wrong!r} is no operator; did you mean {meant[wrong]}? There are {', '.join(OPERATORS)}. "
        'To compare with this very object, write {"equals": {…}}'
    )


def _operator_like(key: str) -> str | None:
    if key in OPERATORS:
        return key
    bare = {operator.replace("_", ""): operator for operator in OPERATORS}
    spelled = "".join(char for char in key.lower() if char.isalnum())
    close = difflib.get_close_matches(spelled[:20], bare, n=1, cutoff=_ALIKE)
    return bare[close[0]] if close else None
