"""Noise: differences that the baseline also shows against itself, learned from its recording.

Two exchanges of the baseline are *comparable* when the webhook was asked the same question and answered with the same
status: the same event, the same occurrence number in their conversation, and the same inputs (`queryText`,
`channelType` and the bot author's own variables). Comparable exchanges form a group; each is held against the one
before it. Where two of them differ at a path in a scalar of the same type, that path shows noise. A live candidate that
is asked twice (`--repeat 2`) is held against itself in the same way.

Whether that explains what a diff finds at this path is decided when all is compared, by Fisher's exact test: a change
is noise unless the candidate differs from the baseline significantly more often than the baseline (or the candidate)
differs from itself, that is so much more often that chance alone would do it less than once in a thousand times. So a
field that was odd once in a thousand comparisons does not hide a change in 400 of a thousand answers, and a field that
is 0 or 1 by chance may change in half of the answers and not in all of them.

Where an event's path could not be compared, the same path of the other events stands in: it is the same variable of the
bot. Where that couldn't either, values tell: timestamps that go with the clock on both sides, and UUIDs, tokens and
random numbers of which no two were alike (see `kinds`). At a noisy path a value that only *changed* is noise; one that
was added, was removed, or changed its type is a difference all the same.

Values that an answer took from its own request (a name or an id out of `rawRequest`) differ from user to user and are
no noise: they are masked before two answers are held against each other. What a webhook knows of a user from elsewhere
looks like noise from here, which is why the evidence is always shown.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from math import exp, inf, lgamma
from typing import TYPE_CHECKING, Final, TypeAlias

from aimyproxy.aimylogic import Effect
from aimyproxy.diff.answers import EFFECTS, answer_of, leaves
from aimyproxy.diff.comparison import comparable, effect_differences
from aimyproxy.diff.masking import masked
from aimyproxy.diff.pairs import Occurrences, inputs
from aimyproxy.diff.stored import Stored
from aimyproxy.diff.structure import pattern

if TYPE_CHECKING:
    from aimyproxy.diff.answers import Scope
    from aimyproxy.diff.kinds import KindName
    from aimyproxy.exchange import Exchange

_SIGNIFICANT: Final = 0.001
"""What chance alone would do less often than this is no chance."""
_NEGLIGIBLE: Final = 1e-12

Spot: TypeAlias = tuple[str | None, str]
"""An event and the pattern of a path (`$.items[*].price`)."""


@dataclass(slots=True)
class Evidence:
    """How often a path could be compared within the baseline and how often it differed; counts of groups and pairs.

    `repeats` and `repeats_differing` say the same of a candidate that was asked more than once. `kind` is what the
    values look like, None where that is nothing known.
    """

    groups: int = 0
    groups_differing: int = 0
    pairs: int = 0
    pairs_differing: int = 0
    repeats: int = 0
    repeats_differing: int = 0
    kind: KindName | None = None

    def add(self, other: Evidence) -> None:
        """Count what another path showed, too."""
        self.groups += other.groups
        self.groups_differing += other.groups_differing
        self.pairs += other.pairs
        self.pairs_differing += other.pairs_differing
        self.repeats += other.repeats
        self.repeats_differing += other.repeats_differing

    def explains(self, answers: int, compared: int) -> bool:
        """Whether changes in so many of the compared answers say nothing about the candidate."""
        if not (self.pairs or self.repeats):
            return self.kind is not None
        return any(
            differing and not significantly_more(answers, compared, differing, pairs)
            for differing, pairs in ((self.pairs_differing, self.pairs), (self.repeats_differing, self.repeats))
        )


def significantly_more(answers: int, compared: int, differing: int, pairs: int) -> bool:
    """Whether `answers` of `compared` is a larger share than `differing` of `pairs`, by Fisher's exact test."""
    if answers * pairs <= differing * compared:
        return False
    marked, total = answers + differing, compared + pairs
    ways = _log_ways(total, compared)
    chance = 0.0
    # A larger share than the other is beyond the most likely one: the terms only get smaller.
    for count in range(answers, min(compared, marked) + 1):
        term = exp(_log_ways(marked, count) + _log_ways(total - marked, compared - count) - ways)
        chance += term
        if chance >= _SIGNIFICANT or term < _NEGLIGIBLE:
            break
    return chance < _SIGNIFICANT


def _log_ways(number: int, chosen: int) -> float:
    """The logarithm of how many ways there are to choose so many of a number."""
    if not 0 <= chosen <= number:
        return -inf
    return lgamma(number + 1) - lgamma(chosen + 1) - lgamma(number - chosen + 1)


@dataclass(frozen=True, slots=True)
class Noise:
    """What a baseline, or a candidate that was asked again, shows against itself: the evidence for each spot."""

    spots: dict[Spot, Evidence] = field(default_factory=dict)
    _everywhere: dict[str, Evidence] = field(default_factory=dict)

    def evidence(self, event: str | None, path: str) -> Evidence:
        """The evidence at this pattern of a path: the event's own, or that of all events, which set the same variable.

        Evidence of nothing where nothing could be compared.
        """
        return self.spots.get((event, path)) or self._of_all_events().get(path) or Evidence()

    def _of_all_events(self) -> dict[str, Evidence]:
        if not self._everywhere:
            for (_, path), found in self.spots.items():
                total = self._everywhere.setdefault(path, Evidence())
                total.add(found)
        return self._everywhere


class NoiseLearner:
    """Learns noise from the exchanges of a baseline, given one after another in their order, and from repeats.

    Keeps one effect for each question that was asked.
    """

    def __init__(self, scope: Scope = EFFECTS) -> None:
        self._scope = scope
        self._occurrences = Occurrences()
        self._latest: dict[bytes, Effect] = {}
        self._groups: dict[bytes, _Group] = {}
        self._repeats: dict[str | None, _Group] = {}

    def add(self, exchange: Exchange | Stored) -> None:
        """Take one more exchange into account; one without an answer teaches nothing."""
        _, occurrence = self._occurrences.key(exchange)
        answer = exchange.answer(self._scope) if isinstance(exchange, Stored) else answer_of(0, exchange, self._scope)
        if answer.status is None:
            return
        asked = inputs(exchange, occurrence, answer.status)
        variables = exchange.variables if isinstance(exchange, Stored) else exchange.request.body.variables()
        effect = Effect(answer.effect.kind, masked(comparable(answer.effect), variables or {}))
        before = self._latest.get(asked)
        self._latest[asked] = effect
        if before is not None:
            self._groups.setdefault(asked, _Group(exchange.event)).add(before, effect)

    def add_repeat(self, exchange: Exchange, again: Exchange) -> None:
        """Take into account that the candidate was asked the same twice, one right after the other."""
        one, other = answer_of(0, exchange, self._scope), answer_of(0, again, self._scope)
        if one.status is not None and one.status == other.status:
            group = self._repeats.setdefault(exchange.event, _Group(exchange.event))
            group.add(one.effect, other.effect)

    def learned(self) -> Noise:
        """All that showed so far."""
        evidence: dict[Spot, Evidence] = {}
        for group in self._groups.values():
            for path, pairs in group.compared.items():
                total = evidence.setdefault((group.event, path), Evidence())
                total.groups += 1
                total.pairs += pairs
                total.groups_differing += path in group.differing
                total.pairs_differing += group.differing[path]
        for group in self._repeats.values():
            for path, pairs in group.compared.items():
                total = evidence.setdefault((group.event, path), Evidence())
                total.repeats += pairs
                total.repeats_differing += group.differing[path]
        return Noise(evidence)


class _Group:
    """Comparable exchanges: in how many of their pairs each path could be compared, and in how many it differed.

    A path that stands for all elements of an array counts once for a pair.
    """

    __slots__ = ("compared", "differing", "event")

    def __init__(self, event: str | None) -> None:
        self.event = event
        self.compared: Counter[str] = Counter()
        self.differing: Counter[str] = Counter()

    def add(self, before: Effect, after: Effect) -> None:
        changed = {pattern(found.path) for found in effect_differences(before, after) if found.kind == "changed"}
        self.compared.update(changed | (_scalar_paths(before) & _scalar_paths(after)))
        self.differing.update(changed)


def _scalar_paths(effect: Effect) -> set[str]:
    return {pattern(path) for path, _ in leaves(comparable(effect))}
