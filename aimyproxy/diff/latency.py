"""How long both sides took to answer, and whether the candidate is clearly slower.

Slower means both: the candidate's times are larger than the baseline's by the one-sided Mann-Whitney test (chance alone
would do it less than once in a thousand times), and its median is larger by a fifth and by 25 milliseconds: many
requests shall not make a matter of a hair's breadth, and those that are sent side by side wait for each other a little.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from math import erfc, sqrt
from random import Random
from statistics import median
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_MOST: Final = 1_000
_SIGNIFICANT: Final = 0.001
_FEWEST: Final = 8
"""Fewer times on a side prove nothing."""
_SHARE: Final = 1.2
_MILLISECONDS: Final = 25.0


@dataclass(frozen=True, slots=True)
class Times:
    """Of one side: how many answers were timed, their median and the 95th percentile in milliseconds."""

    count: int
    median: float
    p95: float

    @classmethod
    def of(cls, sample: Sequence[float], count: int) -> Times:
        ordered = sorted(sample)
        return cls(count, round(median(ordered), 3), round(ordered[min(len(ordered) - 1, len(ordered) * 95 // 100)], 3))


@dataclass(frozen=True, slots=True)
class Compared:
    """The times of an event on both sides."""

    baseline: Times
    candidate: Times
    slower: bool


@dataclass(slots=True)
class Latency:
    """The times of one event, in milliseconds; of many pairs, a sample of a thousand is kept."""

    _pairs: list[tuple[float, float]] = field(default_factory=list)
    _count: int = 0
    _random: Random = field(default_factory=lambda: Random(1))  # noqa: S311 - to be repeated, not to be secret

    def add(self, baseline: float | None, candidate: float | None) -> None:
        """Take one more pair into account, where both sides were timed."""
        if baseline is None or candidate is None:
            return
        self._count += 1
        if len(self._pairs) < _MOST:
            self._pairs.append((baseline, candidate))
        elif (place := self._random.randrange(self._count)) < _MOST:
            self._pairs[place] = baseline, candidate

    def compared(self) -> Compared | None:
        """Both sides, None where nothing was timed."""
        if not self._pairs:
            return None
        before, after = [pair[0] for pair in self._pairs], [pair[1] for pair in self._pairs]
        baseline, candidate = Times.of(before, self._count), Times.of(after, self._count)
        slower = (
            len(before) >= _FEWEST
            and candidate.median >= baseline.median * _SHARE
            and candidate.median >= baseline.median + _MILLISECONDS
            and chance_of_larger(before, after) < _SIGNIFICANT
        )
        return Compared(baseline, candidate, slower)


def chance_of_larger(before: Sequence[float], after: Sequence[float]) -> float:
    """How likely chance alone makes the latter so much larger: the one-sided Mann-Whitney test, ties corrected."""
    ranks, ties = _ranks([*before, *after])
    first, second = len(before), len(after)
    total = first + second
    larger = sum(ranks[first:]) - second * (second + 1) / 2
    spread = first * second / 12 * (total + 1 - ties / (total * (total - 1)))
    if spread <= 0:
        return 1.0
    return erfc((larger - first * second / 2 - 0.5) / sqrt(2 * spread)) / 2


def _ranks(values: Sequence[float]) -> tuple[list[float], float]:
    """The rank of each value from 1, equal ones sharing theirs, and the sum of t³ - t over the ties."""
    counted = Counter(values)
    rank_of, below = {}, 0
    for value in sorted(counted):
        rank_of[value] = below + (counted[value] + 1) / 2
        below += counted[value]
    return [rank_of[value] for value in values], float(sum(count**3 - count for count in counted.values()))
