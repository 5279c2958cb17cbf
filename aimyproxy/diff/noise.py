"""Noise: differences that the baseline also shows against itself, learned from its recording.

Two exchanges of the baseline are *comparable* when the webhook was asked the same question and answered with the same
status: the same event, the same occurrence number in their conversation, and the same inputs (`queryText`,
`channelType` and the bot author's own variables). Comparable exchanges form a group; each is held against the one
before it. Where two of them differ at a path in a scalar of the same type, that path shows noise. It counts as noisy
for its event if it differs

- in at least half of the groups in which it could be compared, and
- in at least a quarter of the pairs in which it could be compared (half of the pairs of a fair coin differ),

so a field that was odd once hides nothing. At a noisy path a value that only *changed* is noise; one that was added,
was removed, or changed its type is a difference all the same.

Values that an answer took from its own request (a name or an id out of `rawRequest`) differ from user to user and are
no noise: they are masked before two answers are held against each other. What a webhook knows of a user from elsewhere
looks like noise from here, which is why the evidence is always shown.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from aimyproxy.aimylogic import SYSTEM_VARIABLES, VOLATILE_VARIABLES, Effect
from aimyproxy.diff.answers import answer_of, leaves
from aimyproxy.diff.comparison import comparable, effect_differences
from aimyproxy.diff.masking import masked
from aimyproxy.diff.pairs import Occurrences, question
from aimyproxy.diff.structure import pattern
from aimyproxy.jsonvalue import canonical

if TYPE_CHECKING:
    from aimyproxy.diff.comparison import Finding
    from aimyproxy.exchange import Exchange

_SYSTEM_INPUTS: Final = frozenset({"queryText", "channelType"})
_NO_INPUTS: Final = (SYSTEM_VARIABLES | VOLATILE_VARIABLES) - _SYSTEM_INPUTS
_GROUPS_AT_LEAST: Final = 1 / 2
_PAIRS_AT_LEAST: Final = 1 / 4

Spot: TypeAlias = tuple[str | None, str]
"""An event and the pattern of a path (`$.items[*].price`)."""


@dataclass(slots=True)
class Evidence:
    """How often a path could be compared within the baseline and how often it differed; counts of groups and pairs."""

    groups: int = 0
    groups_differing: int = 0
    pairs: int = 0
    pairs_differing: int = 0

    @property
    def noisy(self) -> bool:
        """Whether a change here says nothing about the candidate."""
        return (
            self.pairs_differing > 0
            and self.groups_differing >= self.groups * _GROUPS_AT_LEAST
            and self.pairs_differing >= self.pairs * _PAIRS_AT_LEAST
        )


@dataclass(frozen=True, slots=True)
class Noise:
    """The noisy spots of a baseline, with the evidence for each."""

    spots: dict[Spot, Evidence] = field(default_factory=dict)

    def evidence(self, event: str | None, finding: Finding) -> Evidence | None:
        """Why this finding is noise, or None where it is a difference."""
        if finding.aspect != "effect" or finding.difference.kind != "changed":
            return None
        return self.spots.get((event, pattern(finding.difference.path)))


class NoiseLearner:
    """Learns noise from the exchanges of a baseline, given one after another in their order.

    Keeps one effect for each question that was asked.
    """

    def __init__(self) -> None:
        self._occurrences = Occurrences()
        self._latest: dict[bytes, Effect] = {}
        self._groups: dict[bytes, _Group] = {}

    def add(self, exchange: Exchange) -> None:
        """Take one more exchange into account; one without an answer teaches nothing."""
        _, occurrence = self._occurrences.key(exchange)
        answer = answer_of(0, exchange)
        if answer.status is None:
            return
        asked = _asked(exchange, occurrence, answer.status)
        effect = Effect(answer.effect.kind, masked(comparable(answer.effect), exchange.request))
        before = self._latest.get(asked)
        self._latest[asked] = effect
        if before is not None:
            self._groups.setdefault(asked, _Group(exchange.event)).add(before, effect)

    def learned(self) -> Noise:
        """The noise that showed so far."""
        evidence: dict[Spot, Evidence] = {}
        for group in self._groups.values():
            for path, pairs in group.compared.items():
                total = evidence.setdefault((group.event, path), Evidence())
                total.groups += 1
                total.pairs += pairs
                total.groups_differing += path in group.differing
                total.pairs_differing += group.differing[path]
        return Noise({spot: found for spot, found in evidence.items() if found.noisy})


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


def _asked(exchange: Exchange, occurrence: int, status: int) -> bytes:
    """A digest that is equal for comparable exchanges; answers of different status are not held against each other."""
    variables = exchange.request.body.variables()
    if exchange.event is None or variables is None:
        return question(exchange.request) + status.to_bytes(2, "big")
    inputs = {name: value for name, value in variables.items() if name not in _NO_INPUTS}
    # Without a conversation every exchange is the first of its own.
    number = occurrence if exchange.conversation else 1
    try:
        spelled = canonical([exchange.event, number, status, inputs])
    except RecursionError:
        spelled = exchange.request.body.raw
    return hashlib.blake2b(spelled, digest_size=16).digest()
