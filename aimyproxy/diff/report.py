"""The result of a diff: findings of all pairs, grouped by event and path, with counts and examples."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, TypeAlias

from aimyproxy.diff.changes import Change, Event, Shape
from aimyproxy.diff.comparison import compare
from aimyproxy.diff.gate import Gate
from aimyproxy.diff.kinds import Seen, kind_of
from aimyproxy.diff.latency import Latency
from aimyproxy.diff.noise import Noise
from aimyproxy.diff.rules import NO_RULES, Rules
from aimyproxy.diff.structure import pattern
from aimyproxy.errors import EXIT_DIFFERENT, EXIT_INTERRUPTED, EXIT_OK, EXIT_TROUBLE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aimyproxy.diff.answers import Answer
    from aimyproxy.diff.kinds import KindName
    from aimyproxy.diff.latency import Compared
    from aimyproxy.diff.noise import Evidence
    from aimyproxy.diff.pairs import Alike, Pair
    from aimyproxy.diff.structure import Difference

_DETAILS: Final = 1_000
"""How many pairs are kept one by one for who wants to see them."""

Ids: TypeAlias = "dict[Event, list[int]]"
"""Exchange ids by event."""


@dataclass(frozen=True, slots=True)
class Detail:
    """A pair of answers that differ, with what was asked, and its differences by their shape."""

    baseline: Answer
    candidate: Answer
    differences: dict[Shape, list[Difference]]


@dataclass(slots=True)
class Report:
    """All that a diff found, gathered pair by pair.

    `baseline` and `candidate` are what people call the two sides. `verbose` keeps pairs one by one.
    `planned` is how many requests were to be re-sent
    (None where two recordings are compared), `unsent` those that did not get through, by the baseline's ids.
    """

    baseline: str
    candidate: str
    noise: Noise = field(default_factory=Noise)
    rules: Rules = NO_RULES
    gate: Gate = field(default_factory=Gate)
    verbose: bool = False
    planned: int | None = None
    interrupted: bool = False
    saved: str | None = None
    compared: Counter[Event] = field(default_factory=Counter)
    only_in_baseline: Ids = field(default_factory=dict)
    only_in_candidate: Ids = field(default_factory=dict)
    unknown: Ids = field(default_factory=dict)
    unsent: Ids = field(default_factory=dict)
    unsent_reasons: Counter[str] = field(default_factory=Counter)
    _details: list[Detail] = field(default_factory=list)
    _changes: dict[tuple[Event, Shape], Change] = field(default_factory=dict)
    _answers: Counter[tuple[Event, frozenset[Shape]]] = field(default_factory=Counter)
    _latency: dict[Event, Latency] = field(default_factory=dict)
    _differing: Counter[Event] | None = None

    def add(self, pair: Pair, altered: frozenset[str] = frozenset(), unaltered: Answer | None = None) -> None:
        """Compare one pair and count what it shows.

        `altered` are the variables of which the candidate was told what its own earlier answers had made of them, and
        `unaltered` is its answer without that: what differs there, too, is no consequence.
        """
        baseline, candidate = pair.baseline, pair.candidate
        if baseline is None or candidate is None:
            self._add_alone(baseline, candidate)
        elif not (baseline.known and candidate.known):
            self.unknown.setdefault(baseline.event, []).append(baseline.id)
        else:
            self._add_compared(baseline, candidate, altered, unaltered)

    def add_alike(self, pair: Alike) -> None:
        """Count a pair that is the same to the letter."""
        self.compared[pair.event] += 1
        self._time(pair.event, pair.baseline_ms, pair.candidate_ms)
        self._answers[pair.event, frozenset()] += 1
        self._differing = None

    @property
    def changed_events(self) -> set[Event]:
        """The events in which a value changed that could be noise."""
        return {change.event for change in self._changes.values() if change.may_be_noise}

    @property
    def unexplained(self) -> bool:
        """Whether such a value could not be compared within the baseline, so that only other events can tell."""
        return any(
            change.may_be_noise and (change.event, change.path) not in self.noise.spots
            for change in self._changes.values()
        )

    def add_unsent(self, event: Event, identity: int, reason: str) -> None:
        """Count a request that did not get through to the candidate, so that there is nothing to compare."""
        self.unsent.setdefault(event, []).append(identity)
        self.unsent_reasons[reason] += 1

    @property
    def differing(self) -> Counter[Event]:
        """How many answers of each event differ, noise aside."""
        return self._judge()

    @property
    def changes(self) -> list[Change]:
        """The differences: the event with most differing answers first, in it what most answers show."""
        self._judge()
        found = [change for change in self._changes.values() if not change.evidence]
        return sorted(found, key=lambda change: (self.rank(change.event), -change.answers, _order(change)))

    @property
    def noisy_changes(self) -> list[Change]:
        """What changed and is noise, by event."""
        self._judge()
        found = [change for change in self._changes.values() if change.evidence]
        return sorted(found, key=lambda change: (_name(change.event), -change.answers, change.path))

    @property
    def times(self) -> list[tuple[Event, Compared]]:
        """How long both sides took, by event; those that were timed on both."""
        found = [(event, latency.compared()) for event, latency in self._latency.items()]
        return sorted(
            ((event, compared) for event, compared in found if compared), key=lambda of_event: _name(of_event[0])
        )

    @property
    def details(self) -> list[Detail]:
        """The first pairs that differ, one by one, noise aside, by the baseline's ids; none unless it is `verbose`."""
        self._judge()
        noisy = {key for key, change in self._changes.items() if change.evidence}
        found = []
        for detail in sorted(self._details, key=lambda detail: detail.baseline.id):
            event = detail.baseline.event
            kept = {shape: each for shape, each in detail.differences.items() if (event, shape) not in noisy}
            if kept:
                found.append(replace(detail, differences=kept))
        return found

    @property
    def alone(self) -> int:
        """How many exchanges have no partner."""
        return count(self.only_in_baseline) + count(self.only_in_candidate)

    @property
    def told(self) -> list[str]:
        """What a person told this diff, in words."""
        return [*self.rules.words, *self.gate.words]

    @property
    def exit_status(self) -> int:
        """0 same (noise aside), 1 different, 2 trouble, 130 interrupted.

        Exchanges without a partner make two recordings different; a run in which nothing could be compared is trouble.
        """
        if self.interrupted:
            return EXIT_INTERRUPTED
        if self.unsent or not (self.compared or self.alone):
            return EXIT_TROUBLE
        alone = len(self.only_in_baseline) + len(self.only_in_candidate)
        slower = sum(compared.slower for _, compared in self.times)
        return EXIT_DIFFERENT if self.gate.fails(self.changes, alone, slower) else EXIT_OK

    def rank(self, event: Event) -> tuple[object, ...]:
        """Sorts events: most differing answers first, then the larger share of them, then by name."""
        differing = self.differing[event]
        return -differing, -differing / (self.compared[event] or 1), _name(event)

    def _judge(self) -> Counter[Event]:
        """Tell noise from differences by all that was compared up to now; returns how many answers differ."""
        if self._differing is None:
            kinds = self._kinds()
            evidence = {key: self._evidence(change, kinds) for key, change in self._changes.items()}
            noisy = {key for key, found in evidence.items() if found}
            variables = {self._changes[key].variable for key in noisy}
            for key, change in self._changes.items():
                change.judge(evidence[key], variables)
            self._differing = Counter()
            for (event, shapes), answers in self._answers.items():
                self._differing[event] += answers * any((event, shape) not in noisy for shape in shapes)
        return self._differing

    def _kinds(self) -> dict[str, KindName]:
        """The kinds of values by path, where those of several events are alike: it is the same variable of the bot."""
        seen: dict[str, list[Seen]] = {}
        for change in self._changes.values():
            if change.may_be_noise:
                seen.setdefault(change.path, []).extend(change.seen)
        found = ((path, kind_of(of_path)) for path, of_path in seen.items())
        return {path: kind for path, kind in found if kind}

    def _evidence(self, change: Change, kinds: Mapping[str, KindName]) -> Evidence | None:
        """Why a change is noise, by all that was compared up to now; None where it is a difference."""
        if not change.may_be_noise:
            return None
        kind = kind_of(change.seen) or kinds.get(change.path)
        evidence = replace(self.noise.evidence(change.event, change.path), kind=kind)
        return evidence if evidence.explains(change.answers, self.compared[change.event]) else None

    def _add_alone(self, baseline: Answer | None, candidate: Answer | None) -> None:
        if baseline is not None:
            self.only_in_baseline.setdefault(baseline.event, []).append(baseline.id)
        if candidate is not None:
            self.only_in_candidate.setdefault(candidate.event, []).append(candidate.id)

    def _add_compared(
        self, baseline: Answer, candidate: Answer, altered: frozenset[str], unaltered: Answer | None
    ) -> None:
        event = baseline.event
        self.compared[event] += 1
        self._time(event, baseline.milliseconds, candidate.milliseconds)
        grouped = self._shapes(baseline, candidate)
        direct = self._shapes(baseline, unaltered) if unaltered else {}
        for shape, found in grouped.items():
            change = self._changes.setdefault((event, shape), Change(event, *shape))
            change.add(baseline, candidate, found, frozenset() if shape in direct else altered)
        if self.verbose and grouped and len(self._details) < _DETAILS:
            self._details.append(Detail(baseline, candidate, grouped))
        self._answers[event, frozenset(grouped)] += 1
        self._differing = None

    def _time(self, event: Event, baseline: float | None, candidate: float | None) -> None:
        latency = self._latency.get(event)
        if latency is None:
            latency = self._latency[event] = Latency()
        latency.add(baseline, candidate)

    def _shapes(self, baseline: Answer, candidate: Answer) -> dict[Shape, list[Difference]]:
        """What differs between two answers, by shape."""
        grouped: dict[Shape, list[Difference]] = {}
        for finding in compare(baseline, candidate, self.rules):
            path = finding.difference.path
            where = str(path[0]) if finding.aspect == "header" else pattern(path)
            grouped.setdefault((finding.aspect, where, finding.difference.kind), []).append(finding.difference)
        return grouped


def in_order(ids: Ids) -> list[tuple[Event, list[int]]]:
    """The events and their ids, sorted: live answers come in any order."""
    return sorted(((event, sorted(of_event)) for event, of_event in ids.items()), key=lambda pair: _name(pair[0]))


def count(ids: Ids) -> int:
    """How many exchanges these are, of all events."""
    return sum(len(of_event) for of_event in ids.values())


def _name(event: Event) -> tuple[bool, str]:
    return event is not None, event or ""


def _order(change: Change) -> tuple[int, str, str]:
    return ("failure", "status", "header", "effect").index(change.aspect), change.path, change.kind
