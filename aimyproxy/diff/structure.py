"""The structural difference of any two JSON values."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, TypeAlias

from aimyproxy.diff.arrays import NOTHING_TOLD, Arrays
from aimyproxy.jsonvalue import kind_of, path_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aimyproxy.jsonvalue import JSON, Path

Kind: TypeAlias = Literal["added", "removed", "changed", "type"]


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


def differences(before: JSON, after: JSON, arrays: Arrays = NOTHING_TOLD) -> list[Difference]:
    """All places where two JSON values differ, in the order of the values; empty where `same` holds.

    Objects are compared by key. The elements of arrays are aligned by a key where all of them are objects that have
    one (`id`, `sku`, …, or what `arrays` tells), else by their equal elements, so that an insertion at the front is
    one addition; what stands between equal elements is compared in order, and the longer side's rest is added or
    removed. Of an array that `arrays` calls a set, the order means nothing.

    The result says everything but the order of sets: taking out what was removed (last first), then putting in what
    was added (first first), then setting what changed, makes the first value the second. `patch` says it in JSON.
    """
    found: list[Difference] = []
    open_ends: list[_Place | Difference] = [_Place((), (), before, after)]
    # A stack of our own instead of recursion: bodies may be nested deeper than Python calls.
    while open_ends:
        end = open_ends.pop()
        if isinstance(end, Difference):
            found.append(end)
        else:
            open_ends.extend(reversed(list(_look_into(end, arrays))))
    return found


def patch(found: list[Difference]) -> list[dict[str, JSON]]:
    """The JSON Patch (RFC 6902) that makes the first value the second, out of what `differences` found."""
    removed = [
        {"op": "remove", "path": pointer(one.path)} for one in reversed([one for one in found if one.kind == "removed"])
    ]
    added = [{"op": "add", "path": pointer(one.path), "value": one.after} for one in found if one.kind == "added"]
    changed = [
        {"op": "replace", "path": pointer(one.path), "value": one.after}
        for one in found
        if one.kind in ("changed", "type")
    ]
    return [*removed, *added, *changed]


def pointer(path: Path) -> str:
    """The path as JSON Pointer (RFC 6901): `/order/items/0`; the empty path is the empty text."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


# Answers have the same paths again and again.
@lru_cache(maxsize=8192)
def pattern(path: Path) -> str:
    """The path as JSONPath with every index as `[*]`: what the same change in each element has in common."""
    return "$" + "".join("[*]" if isinstance(step, int) else path_text((step,))[1:] for step in path)


def _look_into(place: _Place, arrays: Arrays) -> Iterator[_Place | Difference]:
    kind = kind_of(place.before)
    if kind != kind_of(place.after):
        yield Difference(place.after_path, "type", place.before, place.after)
    elif kind == "object":
        yield from _members(place)
    elif kind == "array":
        yield from _elements(place, arrays)
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


def _elements(place: _Place, arrays: Arrays) -> Iterator[_Place | Difference]:
    for i, j in arrays.partners(place.after_path, place.before, place.after):
        if j is None:
            yield Difference((*place.before_path, i or 0), "removed", place.before[i], None)
        elif i is None:
            yield Difference((*place.after_path, j), "added", None, place.after[j])
        else:
            yield _Place((*place.before_path, i), (*place.after_path, j), place.before[i], place.after[j])
