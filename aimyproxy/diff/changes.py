"""What many pairs of answers show alike: a change, with its counts and examples."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from operator import itemgetter
from typing import TYPE_CHECKING, Final, TypeAlias

from aimyproxy.diff.kinds import Seen
from aimyproxy.jsonvalue import canonical

if TYPE_CHECKING:
    from collections.abc import Collection

    from aimyproxy.diff.answers import Answer
    from aimyproxy.diff.comparison import Aspect
    from aimyproxy.diff.noise import Evidence
    from aimyproxy.diff.structure import Difference, Kind

_EXAMPLES: Final = 3
_SEEN: Final = 20
"""How many values of a change are kept to tell their kind."""

Event: TypeAlias = str | None
Shape: TypeAlias = "tuple[Aspect, str, Kind]"
"""What findings have in common that are the same change: the pattern of their path, and of which kind they are."""


@dataclass(frozen=True, slots=True)
class Example:
    """One difference and the two exchanges that show it; `candidate` is None where that side was not recorded."""

    baseline: int
    candidate: int | None
    difference: Difference


@dataclass(slots=True)
class Change:
    """The same difference in one answer or many: one event, one aspect, one pattern of a path, one kind.

    `answers` counts the answers that show it, `places` the differences themselves (a change in each element of an
    array is many places of one answer). `evidence` is set for noise only. `altered` are the answers that show
    it only since earlier changes had changed the request.
    """

    event: Event
    aspect: Aspect
    path: str
    kind: Kind
    evidence: Evidence | None = None
    answers: int = 0
    places: int = 0
    altered: int = 0
    _altered: Counter[frozenset[str]] = field(default_factory=Counter)
    _ids: list[int] = field(default_factory=list)
    _seen: dict[int, Seen] = field(default_factory=dict)
    _kept: dict[bytes, tuple[tuple[int, int], Example]] = field(default_factory=dict)

    @property
    def exchanges(self) -> list[int]:
        """The baseline's ids of the answers that show it."""
        return sorted(self._ids)

    @property
    def examples(self) -> list[Example]:
        """Up to three with different values, the first ones in the baseline; with one, the values are all the same."""
        return [example for _, example in sorted(self._kept.values(), key=itemgetter(0))]

    @property
    def consequence(self) -> bool:
        """Whether it shows only where earlier changes had changed the request."""
        return self.altered == self.answers

    @property
    def same_everywhere(self) -> bool:
        """Whether the values before and after are the same in all places."""
        return len(self._kept) == 1

    @property
    def seen(self) -> list[Seen]:
        """Values before and after, of one place of the first answers that show it, in the baseline's order."""
        return [seen for _, seen in sorted(self._seen.items())]

    @property
    def may_be_noise(self) -> bool:
        """Whether it is of a sort that noise makes."""
        return self.aspect == "effect" and self.kind == "changed"

    @property
    def variable(self) -> str:
        """The variable that changed, "" where it is none."""
        first = next(iter(self._kept.values()))[1].difference.path[:1] if self.aspect == "effect" else ()
        return str(first[0]) if first else ""

    def judge(self, evidence: Evidence | None, noisy: Collection[str]) -> None:
        """Take the evidence for noise, and the names of variables whose changes are no changes."""
        self.evidence = evidence
        self.altered = sum(answers for names, answers in self._altered.items() if names.difference(noisy))

    def add(
        self, baseline: Answer, candidate: Answer, found: list[Difference], altered: frozenset[str] = frozenset()
    ) -> None:
        """Count one more answer that shows it, in so many places, to a request with these variables altered."""
        self._altered[altered] += 1
        self.answers += 1
        self.places += len(found)
        self._ids.append(baseline.id)
        if len(self._seen) < _SEEN:
            self._seen[baseline.id] = Seen(found[0].before, found[0].after, baseline.at, candidate.at)
        for place, difference in enumerate(found):
            self._keep((baseline.id, place), Example(baseline.id, candidate.id or None, difference))

    def _keep(self, order: tuple[int, int], example: Example) -> None:
        """Keep the first three of different values, whatever the order in which live answers come."""
        values = canonical([example.difference.before, example.difference.after])
        if values not in self._kept or order < self._kept[values][0]:
            self._kept[values] = order, example
        if len(self._kept) > _EXAMPLES:
            del self._kept[max(self._kept, key=lambda values: self._kept[values][0])]
