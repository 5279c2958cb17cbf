"""The result of a diff: findings of all pairs, grouped by event and path, with counts and examples."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from operator import itemgetter
from typing import TYPE_CHECKING, Final, TypeAlias

from aimyproxy.diff.comparison import Aspect, compare
from aimyproxy.diff.noise import Noise
from aimyproxy.diff.rules import NO_RULES, Rules
from aimyproxy.diff.structure import pattern
from aimyproxy.errors import EXIT_DIFFERENT, EXIT_INTERRUPTED, EXIT_OK, EXIT_TROUBLE
from aimyproxy.jsonvalue import canonical

if TYPE_CHECKING:
    from aimyproxy.diff.answers import Answer
    from aimyproxy.diff.comparison import Finding
    from aimyproxy.diff.noise import Evidence
    from aimyproxy.diff.pairs import Pair
    from aimyproxy.diff.structure import Difference, Kind

_EXAMPLES: Final = 3

Event: TypeAlias = str | None
Ids: TypeAlias = "dict[Event, list[int]]"
"""Exchange ids by event."""


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
    array is many places of one answer). `evidence` is set for noise only.
    """

    event: Event
    aspect: Aspect
    path: str
    kind: Kind
    evidence: Evidence | None = None
    answers: int = 0
    places: int = 0
    _ids: list[int] = field(default_factory=list)
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
    def same_everywhere(self) -> bool:
        """Whether the values before and after are the same in all places."""
        return len(self._kept) == 1

    def add(self, baseline: int, candidate: int | None, found: list[Difference]) -> None:
        """Count one more answer that shows it, in so many places."""
        self.answers += 1
        self.places += len(found)
        self._ids.append(baseline)
        for place, difference in enumerate(found):
            self._keep((baseline, place), Example(baseline, candidate, difference))

    def _keep(self, order: tuple[int, int], example: Example) -> None:
        """Keep the first three of different values, whatever the order in which live answers come."""
        values = canonical([example.difference.before, example.difference.after])
        if values not in self._kept or order < self._kept[values][0]:
            self._kept[values] = order, example
        if len(self._kept) > _EXAMPLES:
            del self._kept[max(self._kept, key=lambda values: self._kept[values][0])]


@dataclass(slots=True)
class Report:
    """All that a diff found, gathered pair by pair.

    `baseline` and `candidate` are what people call the two sides. `planned` is how many requests were to be re-sent
    (None where two recordings are compared), `unsent` those that did not get through, by the baseline's ids.
    """

    baseline: str
    candidate: str
    noise: Noise = field(default_factory=Noise)
    rules: Rules = NO_RULES
    planned: int | None = None
    interrupted: bool = False
    saved: str | None = None
    compared: Counter[Event] = field(default_factory=Counter)
    differing: Counter[Event] = field(default_factory=Counter)
    only_in_baseline: Ids = field(default_factory=dict)
    only_in_candidate: Ids = field(default_factory=dict)
    unknown: Ids = field(default_factory=dict)
    unsent: Ids = field(default_factory=dict)
    unsent_reasons: Counter[str] = field(default_factory=Counter)
    _changes: dict[tuple[Event, Aspect, str, Kind], Change] = field(default_factory=dict)

    def add(self, pair: Pair) -> None:
        """Compare one pair and count what it shows."""
        baseline, candidate = pair.baseline, pair.candidate
        if baseline is None or candidate is None:
            self._add_alone(baseline, candidate)
        elif not (baseline.known and candidate.known):
            self.unknown.setdefault(baseline.event, []).append(baseline.id)
        else:
            self._add_compared(baseline, candidate)

    def add_unsent(self, event: Event, identity: int, reason: str) -> None:
        """Count a request that did not get through to the candidate, so that there is nothing to compare."""
        self.unsent.setdefault(event, []).append(identity)
        self.unsent_reasons[reason] += 1

    @property
    def changes(self) -> list[Change]:
        """The differences: the event with most differing answers first, in it what most answers show."""
        found = [change for change in self._changes.values() if not change.evidence]
        return sorted(found, key=lambda change: (self.rank(change.event), -change.answers, _order(change)))

    @property
    def noisy_changes(self) -> list[Change]:
        """What changed and is noise, by event."""
        found = [change for change in self._changes.values() if change.evidence]
        return sorted(found, key=lambda change: (_name(change.event), -change.answers, change.path))

    @property
    def alone(self) -> int:
        """How many exchanges have no partner."""
        return count(self.only_in_baseline) + count(self.only_in_candidate)

    @property
    def exit_status(self) -> int:
        """0 same (noise aside), 1 different, 2 trouble, 130 interrupted.

        Exchanges without a partner make two recordings different; a run in which nothing could be compared is trouble.
        """
        if self.interrupted:
            return EXIT_INTERRUPTED
        if self.unsent or not (self.compared or self.alone):
            return EXIT_TROUBLE
        return EXIT_DIFFERENT if self.differing.total() or self.alone else EXIT_OK

    def rank(self, event: Event) -> tuple[object, ...]:
        """Sorts events: most differing answers first, then the larger share of them, then by name."""
        differing = self.differing[event]
        return -differing, -differing / (self.compared[event] or 1), _name(event)

    def _add_alone(self, baseline: Answer | None, candidate: Answer | None) -> None:
        if baseline is not None:
            self.only_in_baseline.setdefault(baseline.event, []).append(baseline.id)
        if candidate is not None:
            self.only_in_candidate.setdefault(candidate.event, []).append(candidate.id)

    def _add_compared(self, baseline: Answer, candidate: Answer) -> None:
        event, different = baseline.event, False
        self.compared[event] += 1
        grouped: dict[tuple[Aspect, str, Kind], list[Finding]] = {}
        for finding in compare(baseline, candidate, self.rules):
            shape = (finding.aspect, pattern(finding.difference.path), finding.difference.kind)
            grouped.setdefault(shape, []).append(finding)
        for shape, findings in grouped.items():
            evidence = self.noise.evidence(event, findings[0])
            change = self._changes.setdefault((event, *shape), Change(event, *shape, evidence))
            change.add(baseline.id, candidate.id or None, [finding.difference for finding in findings])
            different = different or evidence is None
        self.differing[event] += different


def in_order(ids: Ids) -> list[tuple[Event, list[int]]]:
    """The events and their ids, sorted: live answers come in any order."""
    return sorted(((event, sorted(of_event)) for event, of_event in ids.items()), key=lambda pair: _name(pair[0]))


def count(ids: Ids) -> int:
    """How many exchanges these are, of all events."""
    return sum(len(of_event) for of_event in ids.values())


def _name(event: Event) -> tuple[bool, str]:
    return event is not None, event or ""


def _order(change: Change) -> tuple[int, str, str]:
    return ("failure", "status", "effect").index(change.aspect), change.path, change.kind
