"""What a person tells a diff: what not to look at, what alone to look at, what may differ by how much, how arrays go.

Paths are JSONPaths (RFC 9535) and begin at the effect: `$.order.total` is inside the variable `order`.
"""

from __future__ import annotations

import re
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from aimyproxy.diff.arrays import NOTHING_TOLD, Arrays
from aimyproxy.diff.structure import differences
from aimyproxy.errors import InvalidDocument
from aimyproxy.selectors import Selector

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from aimyproxy.diff.structure import Difference
    from aimyproxy.jsonvalue import JSON, Path

_TOLERANCE: Final = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ms|s|m|h)?")
_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
# Epochs from 1973 on, in seconds; those in milliseconds are a thousand times as large.
_EPOCH_SECONDS: Final = 100_000_000
_EPOCH_MILLISECONDS: Final = _EPOCH_SECONDS * 1000
# What adding binary fractions leaves behind is no difference.
_ROUNDING: Final = 1 + 1e-9

Told: TypeAlias = "Mapping[str, Mapping[str, JSON]]"
"""Rules as they are written: by path, `ignore`, `only` and `set` (true), `tolerance` and `key` (texts)."""


@dataclass(frozen=True, slots=True)
class Tolerance:
    """By how much two numbers may differ, or two points in time, in seconds."""

    amount: float
    of_time: bool

    @classmethod
    def parse(cls, spelled: str) -> Tolerance:
        """The tolerance that `0.01` or `500ms` spells; raises InvalidDocument."""
        found = _TOLERANCE.fullmatch(spelled)
        if not found:
            raise InvalidDocument(f"{spelled!r} is no tolerance: write a number (0.01) or a time (500ms, 1s, 2m, 1h)")
        return cls(float(found[1]) * _SECONDS.get(found[2], 1.0), found[2] is not None)

    def allows(self, before: JSON, after: JSON) -> bool:
        """Whether these two are near enough; what is no number, or no time, never is."""
        if self.of_time:
            one, other = _seconds(before), _seconds(after)
        else:
            one, other = _number(before), _number(after)
        if one is None or other is None:
            return False
        try:
            return abs(one - other) <= self.amount * _ROUNDING
        except OverflowError:
            # An integer that no float can hold is far from every other number.
            return False


@dataclass(frozen=True, slots=True)
class Rules:
    """What a person told; `words` says it again, for the report."""

    ignored: tuple[Selector, ...] = ()
    only: tuple[Selector, ...] = ()
    tolerances: tuple[tuple[Selector, Tolerance], ...] = ()
    keys: tuple[tuple[Selector, str], ...] = ()
    sets: tuple[Selector, ...] = ()
    words: tuple[str, ...] = ()

    @classmethod
    def parse(cls, told: Told) -> Rules:
        """The rules that these are written for; raises InvalidDocument, naming the path."""
        selectors = {path: Selector.parse(path) for path in told}
        for path, members in told.items():
            _check(path, members)
        by = {
            member: [(path, members[member]) for path, members in told.items() if members.get(member)]
            for member in _MEMBERS
        }
        words = [
            *(f"{path} is left out" for path, _ in by["ignore"]),
            *(f"only {path} is looked at" for path, _ in by["only"]),
            *(f"{path} may differ by {value}" for path, value in by["tolerance"]),
            *(f"elements of {path} are told apart by {value}" for path, value in by["key"]),
            *(f"{path} is a set" for path, _ in by["set"]),
        ]
        return cls(
            tuple(selectors[path] for path, _ in by["ignore"]),
            tuple(selectors[path] for path, _ in by["only"]),
            tuple((selectors[path], Tolerance.parse(str(value))) for path, value in by["tolerance"]),
            tuple((selectors[path], str(value)) for path, value in by["key"]),
            tuple(selectors[path] for path, _ in by["set"]),
            tuple(words),
        )

    def differences(self, before: JSON, after: JSON) -> list[Difference]:
        """The differences of two values that count."""
        if not self.words:
            return differences(before, after)
        ignored = {*_places(self.ignored, before)}, {*_places(self.ignored, after)}
        # Left out beforehand: what is ignored shall not decide which elements of two arrays belong together.
        ours, theirs = _masked(before, ignored[0]), _masked(after, ignored[1])
        found = differences(ours, theirs, self._arrays(theirs))
        if self.ignored:
            found = [one for one in found if one.path not in (ignored[0] if one.kind == "removed" else ignored[1])]
        if self.only:
            wanted = {*_places(self.only, before)}, {*_places(self.only, after)}
            found = [one for one in found if _wanted(one, *wanted)]
        for selector, tolerance in self.tolerances:
            near = set(selector.places(after))
            found = [
                one
                for one in found
                if not (one.path in near and one.kind != "removed" and tolerance.allows(one.before, one.after))
            ]
        return found

    def _arrays(self, value: JSON) -> Arrays:
        if not (self.keys or self.sets):
            return NOTHING_TOLD
        keys = {place: member for selector, member in self.keys for place in selector.places(value)}
        return Arrays(keys, frozenset(_places(self.sets, value)))


NO_RULES: Final = Rules()

_MEMBERS: Final = ("ignore", "only", "tolerance", "key", "set")


def _check(path: str, members: Mapping[str, JSON]) -> None:
    if members.get("ignore") and members.get("only"):
        raise InvalidDocument(f"{path}: ignore and only contradict each other; leave out one of them")
    for member, value in members.items():
        if member not in _MEMBERS:
            raise InvalidDocument(f"{path}: {member!r} is no rule; there are {', '.join(_MEMBERS)}")
        wanted, fits = (
            ("a text", isinstance(value, str) and value)
            if member in ("tolerance", "key")
            else (
                "true or false",
                isinstance(value, bool),
            )
        )
        if not (fits or value is False):
            raise InvalidDocument(f"{path}: {member} has to be {wanted}")


def _places(selectors: Iterable[Selector], value: JSON) -> Iterator[Path]:
    for selector in selectors:
        yield from selector.places(value)


def _masked(value: JSON, places: Collection[Path]) -> JSON:
    """The value without the members at these places; elements are null there, so that the others keep their index."""
    if not places or () in places:
        return None if places else value
    copies: dict[Path, Any] = {(): copy(value)}
    for place in places:
        # What is inside of what is gone is gone, too.
        if any(place[:depth] in places for depth in range(1, len(place))):
            continue
        within = copies[()]
        for depth in range(1, len(place)):
            outer = place[:depth]
            if outer not in copies:
                copies[outer] = within[outer[-1]] = copy(within[outer[-1]])
            within = copies[outer]
        if isinstance(within, dict):
            del within[place[-1]]
        else:
            within[place[-1]] = None
    return cast("JSON", copies[()])


def _wanted(one: Difference, before: Collection[Path], after: Collection[Path]) -> bool:
    """Whether it is at a place, inside it, or around it."""
    sides = {"removed": (before,), "added": (after,)}.get(one.kind, (before, after))
    return any(_related(one.path, place) for side in sides for place in side)


def _related(one: Path, other: Path) -> bool:
    common = min(len(one), len(other))
    return one[:common] == other[:common]


def _number(value: JSON) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _seconds(value: JSON) -> float | None:
    """A point in time in seconds since 1970: from ISO 8601, or from an epoch in seconds or milliseconds."""
    number = _number(value)
    if number is not None and _EPOCH_SECONDS <= abs(number) < _EPOCH_MILLISECONDS * 1000:
        return number / 1000 if abs(number) >= _EPOCH_MILLISECONDS else number
    if not isinstance(value, str):
        return None
    try:
        return datetime.fromisoformat(value).timestamp()
    except (ValueError, OverflowError, OSError):
        return None
