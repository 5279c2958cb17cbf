"""The structural difference of any two JSON values."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from aimyproxy.jsonvalue import canonical, kind_of, path_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aimyproxy.jsonvalue import JSON, Path

Kind: TypeAlias = Literal["added", "removed", "changed", "type"]

# Equal elements make SequenceMatcher quadratic: with more equal pairs than this, frequent ones anchor nothing.
_MOST_EQUAL_PAIRS: Final = 500_000


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where two values differ.

    kind "added": `path` leads to `after` in the second value, `before` is None. "removed": `path` leads to `before` in
    the first value, `after` is None. "changed" (two scalars of one type) and "type" (two values of different JSON
    types): `path` leads to `after` in the second value, and `before` stood in its place.
    """

    path: Path
    kind: Kind
    before: JSON
    after: JSON


@dataclass(frozen=True, slots=True)
class _Place:
    """Two values to compare, and where each of them stands."""

    before_path: Path
    after_path: Path
    before: JSON
    after: JSON


def differences(before: JSON, after: JSON) -> list[Difference]:
    """All places where two JSON values differ, in the order of the values; empty exactly where `same` holds.

    Objects are compared by key. Arrays are aligned by their equal elements, so an insertion at the front is one
    addition; what stands between equal elements is compared in order, and the longer side's rest is added or removed.

    The result says everything: taking out what was removed (last first), then putting in what was added (first
    first), then setting what changed, makes the first value the second.
    """
    found: list[Difference] = []
    open_ends: list[_Place | Difference] = [_Place((), (), before, after)]
    # A stack of our own instead of recursion: bodies may be nested deeper than Python calls.
    while open_ends:
        end = open_ends.pop()
        if isinstance(end, Difference):
            found.append(end)
        else:
            open_ends.extend(reversed(list(_look_into(end))))
    return found


def pattern(path: Path) -> str:
    """The path as JSONPath with every index as `[*]`: what the same change in each element has in common."""
    return "$" + "".join("[*]" if isinstance(step, int) else path_text((step,))[1:] for step in path)


def _look_into(place: _Place) -> Iterator[_Place | Difference]:
    kind = kind_of(place.before)
    if kind != kind_of(place.after):
        yield Difference(place.after_path, "type", place.before, place.after)
    elif kind == "object":
        yield from _members(place)
    elif kind == "array":
        yield from _elements(place)
    elif place.before != place.after:
        yield Difference(place.after_path, "changed", place.before, place.after)


def _members(place: _Place) -> Iterator[_Place | Difference]:
    for key, value in place.before.items():
        if key in place.after:
            yield _Place((*place.before_path, key), (*place.after_path, key), value, place.after[key])
        else:
            yield Difference((*place.before_path, key), "removed", value, None)
    for key, value in place.after.items():
        if key not in place.before:
            yield Difference((*place.after_path, key), "added", None, value)


def _elements(place: _Place) -> Iterator[_Place | Difference]:
    for ours, theirs in _unequal_runs(place.before, place.after):
        common = min(len(ours), len(theirs))
        for i, j in zip(ours, theirs, strict=False):
            yield _Place((*place.before_path, i), (*place.after_path, j), place.before[i], place.after[j])
        for i in ours[common:]:
            yield Difference((*place.before_path, i), "removed", place.before[i], None)
        for j in theirs[common:]:
            yield Difference((*place.after_path, j), "added", None, place.after[j])


def _unequal_runs(before: list[JSON], after: list[JSON]) -> Iterator[tuple[range, range]]:
    """The stretches of two arrays that lie between their equal elements, as ranges of indices."""
    ours, theirs = [canonical(element) for element in before], [canonical(element) for element in after]
    start = common_start(ours, theirs)
    ours, theirs = ours[start:], theirs[start:]
    end = common_start(ours[::-1], theirs[::-1])
    ours, theirs = ours[: len(ours) - end], theirs[: len(theirs) - end]
    if not (ours and theirs):
        yield range(start, start + len(ours)), range(start, start + len(theirs))
        return
    for tag, i, i_end, j, j_end in SequenceMatcher(None, ours, theirs, _too_alike(ours, theirs)).get_opcodes():
        if tag != "equal":
            yield range(start + i, start + i_end), range(start + j, start + j_end)


def common_start(ours: Sequence[object], theirs: Sequence[object]) -> int:
    """How many elements two sequences have in common at their beginning."""
    for index, (one, other) in enumerate(zip(ours, theirs, strict=False)):
        if one != other:
            return index
    return min(len(ours), len(theirs))


def _too_alike(ours: list[bytes], theirs: list[bytes]) -> bool:
    counts = Counter(theirs)
    return sum(counts[element] for element in ours) > _MOST_EQUAL_PAIRS
