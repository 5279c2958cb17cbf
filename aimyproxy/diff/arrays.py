"""How the elements of two arrays belong together: by a key, as sets, or by what they hold."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Final, TypeAlias

from aimyproxy.jsonvalue import canonical

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping, Sequence

    from aimyproxy.jsonvalue import JSON, Path

# Members that name an element, the surest first.
_KEYS: Final = ("id", "_id", "uuid", "guid", "sku", "code", "key", "slug")
# Equal elements make SequenceMatcher quadratic: with more equal pairs than this, frequent ones anchor nothing.
_MOST_EQUAL_PAIRS: Final = 500_000

Partners: TypeAlias = "tuple[int | None, int | None]"
"""The indices of two elements that belong together; None where an element is alone."""


@dataclass(frozen=True, slots=True)
class Arrays:
    """What is known of the arrays of two values beforehand, by the arrays' paths in the second value.

    `keys` names the member that tells an array's elements apart, `sets` are arrays whose order means nothing.
    """

    keys: Mapping[Path, str] = field(default_factory=dict)
    sets: frozenset[Path] = frozenset()

    def partners(self, path: Path, before: list[JSON], after: list[JSON]) -> Iterator[Partners]:
        """Which elements to compare, to call removed and to call added; equal ones are left out.

        What is compared stands in the same order in both arrays. As sets, nothing is compared inside.
        """
        if path in self.sets:
            return _as_sets(before, after)
        told = self.keys.get(path)
        for member in (told, *_KEYS) if told else _KEYS:
            ours, theirs = _names(before, member), _names(after, member)
            if ours and theirs and not set(ours).isdisjoint(theirs):
                return _by_name(ours, theirs)
        return _by_content(before, after)


NOTHING_TOLD: Final = Arrays()


def common_start(ours: Sequence[object], theirs: Sequence[object]) -> int:
    """How many elements two sequences have in common at their beginning."""
    for index, (one, other) in enumerate(zip(ours, theirs, strict=False)):
        if one != other:
            return index
    return min(len(ours), len(theirs))


def _names(elements: list[JSON], member: str) -> list[tuple[type, Hashable]] | None:
    """What the elements are called; None where one has no name or two have the same."""
    names: list[tuple[type, Hashable]] = []
    for element in elements:
        name = element.get(member) if isinstance(element, dict) else None
        if isinstance(name, bool) or not isinstance(name, str | int):
            return None
        # The number 1 and the text "1" are two names.
        names.append((type(name), name))
    return names if len(set(names)) == len(names) else None


def _by_name(ours: list[tuple[type, Hashable]], theirs: list[tuple[type, Hashable]]) -> Iterator[Partners]:
    places = {name: index for index, name in enumerate(theirs)}
    kept = _longest_rising([(index, places[name]) for index, name in enumerate(ours) if name in places])
    # What changed its place among the others is removed there and added here.
    i = j = 0
    for ours_end, theirs_end in [*kept, (len(ours), len(theirs))]:
        yield from ((index, None) for index in range(i, ours_end))
        yield from ((None, index) for index in range(j, theirs_end))
        if ours_end < len(ours):
            yield ours_end, theirs_end
        i, j = ours_end + 1, theirs_end + 1


def _longest_rising(places: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest part of these pairs (rising in the first number) that rises in the second number too."""
    lowest: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for at, (_, place) in enumerate(places):
        length = bisect_left(lowest, place)
        before.append(ends[length - 1] if length else -1)
        lowest[length : length + 1] = [place]
        ends[length : length + 1] = [at]
    chosen: list[tuple[int, int]] = []
    at = ends[-1] if ends else -1
    while at >= 0:
        chosen.append(places[at])
        at = before[at]
    return chosen[::-1]


def _as_sets(before: list[JSON], after: list[JSON]) -> Iterator[Partners]:
    ours, theirs = [canonical(element) for element in before], [canonical(element) for element in after]
    yield from ((index, None) for index in _more_than(ours, theirs))
    yield from ((None, index) for index in _more_than(theirs, ours))


def _more_than(ours: list[bytes], theirs: list[bytes]) -> Iterator[int]:
    """The indices of the elements that the other side does not have as often."""
    left = Counter(theirs)
    for index, element in enumerate(ours):
        if left[element]:
            left[element] -= 1
        else:
            yield index


def _by_content(before: list[JSON], after: list[JSON]) -> Iterator[Partners]:
    for ours, theirs in _unequal_runs(before, after):
        common = min(len(ours), len(theirs))
        yield from zip(ours, theirs, strict=False)
        yield from ((index, None) for index in ours[common:])
        yield from ((None, index) for index in theirs[common:])


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


def _too_alike(ours: list[bytes], theirs: list[bytes]) -> bool:
    counts = Counter(theirs)
    return sum(counts[element] for element in ours) > _MOST_EQUAL_PAIRS
