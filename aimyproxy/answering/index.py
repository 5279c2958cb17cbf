"""The index: built once from a recording's exchanges and mocks, never changed, asked by dictionary look-ups."""

from __future__ import annotations

import copy
import sys
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from aimyproxy import aimylogic, jsonvalue
from aimyproxy.answering.answers import Answerer
from aimyproxy.answering.asked import Asked
from aimyproxy.answering.conversations import Conversations
from aimyproxy.answering.features import Situation
from aimyproxy.answering.latency import Waits
from aimyproxy.answering.lessons import Lessons
from aimyproxy.answering.misses import SAMPLES, Sample
from aimyproxy.answering.privacy import Owners
from aimyproxy.answering.rules import Rules
from aimyproxy.answering.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from aimyproxy.answering.answers import Answer
    from aimyproxy.answering.fitting import Hints
    from aimyproxy.answering.fresh import Dice
    from aimyproxy.answering.misses import Standing
    from aimyproxy.answering.mocks import Mock
    from aimyproxy.answering.models import EventModel
    from aimyproxy.exchange import Exchange

Match: TypeAlias = Literal["exact", "learned", "event"]
MATCHES: Final[tuple[Match, ...]] = ("exact", "learned", "event")
"""How much may be generalised: not at all, as far as the recording teaches, or to the event's usual answer."""


AfterLast: TypeAlias = Literal["last", "cycle", "miss"]
AFTER_LAST: Final[tuple[AfterLast, ...]] = ("last", "cycle", "miss")
"""Where a conversation asks more often than any recorded one: its last answer, the first again, or none."""


@dataclass(frozen=True, slots=True)
class Serving:
    """How a replay wants its answers. With `dice`, noise is made anew; else it is as recorded."""

    after_last: AfterLast = "last"
    dice: Dice | None = None


AS_RECORDED: Final = Serving()


@dataclass(slots=True)
class _EventAnswers:
    """What the recording knows of one event: who answered whom in which turn, and the effect seen most often."""

    lessons: Lessons
    turns: Turns = field(default_factory=Turns)
    first: dict[bytes, Answerer] = field(default_factory=dict)
    seen: Counter[bytes] = field(default_factory=Counter)
    usual: Answerer | None = None

    def add(self, effect: bytes, exchange: Exchange, answerer: Answerer) -> None:
        """Add an exchange and the key of its effect."""
        if exchange.conversation is not None:
            self.turns.add(exchange.conversation, answerer)
        self.first.setdefault(effect, answerer)
        self.seen[effect] += 1

    def close(self) -> None:
        """Settle on the usual answer, and forget what was only counted for it."""
        # max() keeps the first of equals, and the effects stand in the order of their first exchange.
        self.usual = self.first[max(self.first, key=lambda effect: self.seen[effect])]
        self.first.clear()
        self.seen.clear()


class Index:
    """Finds what answers a request. `exchanges` and `answering` count what was read and what can answer.

    `warnings` are sentences about what will never answer; `samples` hold recorded requests of each event, the latest
    ones, for explaining misses; `waits` how long the webhook took.
    """

    def __init__(self, match: Match = "event", hints: Mapping[str, Hints] | None = None) -> None:
        self.match = match
        self._hints = hints or {}
        self.exchanges = 0
        self.answering = 0
        self.mocks = 0
        self.warnings: list[str] = []
        self.samples: dict[str | None, list[Sample]] = {}
        self.waits = Waits()
        self._latest: dict[str | None, deque[tuple[int, Asked]]] = {}
        self._rules = Rules()
        self._exact: dict[bytes, Turns] = {}
        self._events: dict[str, _EventAnswers] = {}
        self._owners = Owners()
        self._recorded = Conversations(sys.maxsize)

    @classmethod
    def build(
        cls,
        exchanges: Iterable[tuple[int, Exchange]],
        mocks: Iterable[Mock] = (),
        match: Match = "event",
        hints: Mapping[str, Hints] | None = None,
    ) -> Index:
        """The index of these exchanges (ids and exchanges, in recorded order) and mocks (in the order of the file).

        `hints` is what the user knows of an event's deciding paths, for the match `learned`.
        """
        index = cls(match, hints)
        pending = [mock for mock in mocks if mock.enabled]
        index.mocks = len(pending)
        # Behind the last so that the first of several edits of one exchange wins.
        edits = {mock.from_exchange: mock for mock in reversed(pending) if mock.edits_exchange}
        origins: dict[int | None, Exchange] = {}
        wanted = {mock.from_exchange for mock in pending if mock.from_exchange is not None}
        for identity, exchange in exchanges:
            if identity in wanted:
                origins[identity] = exchange
            index._add(identity, exchange, edits.get(identity))
        index._add_rules(pending, origins)
        index._close()
        return index

    def overlaid(self, mocks: Sequence[Mock]) -> Index:
        """This index with more mocks: they win over the others that say as much, the last one over all."""
        if not mocks:
            return self
        other = copy.copy(self)
        rules = self._rules.copy()
        for mock in mocks:
            rules.add(mock, Answerer.of_mock(mock), first=True)
        other._rules = rules  # noqa: SLF001
        other.mocks += len(mocks)
        return other

    @property
    def events(self) -> set[str]:
        """The events that something answers."""
        return {event for event in {*self._events, *self._rules.events} if event is not None}

    def models(self) -> dict[str, EventModel]:
        """What the recording teaches, by event; nothing unless the match is `learned`."""
        learned = ((event, known.lessons.model()) for event, known in self._events.items())
        return {event: model for event, model in learned if model}

    def summary(self) -> str:
        """What there is, for people: `36 exchanges, 1 mock, 5 events`."""
        counted = ((self.exchanges, "exchange"), (self.mocks, "mock"), (len(self.events), "event"))
        return ", ".join(f"{number:,} {noun}" + ("" if number == 1 else "s") for number, noun in counted)

    def standing(self, event: str | None) -> Standing:
        """What there is for this event, for the explanation of a miss."""
        if event in self._events:
            return "answered"
        if event in self.samples:
            return "unanswered"
        return "mocked" if event in self._rules.events else "unknown"

    def counted(self, asked: Asked) -> list[str | bytes]:
        """What of this request has to be counted for `find`: nothing that the recording doesn't know.

        So a bot that asks for ever new things does not fill the memory.
        """
        counted: list[str | bytes] = []
        if asked.key in self._exact:
            counted.append(asked.key)
        if asked.event is not None and (asked.event in self._events or asked.event in self._rules.events):
            counted.append(asked.event)
        return counted

    def find(
        self,
        asked: Asked,
        turns: dict[str | bytes, int],
        previous: str | None = None,
        serving: Serving = AS_RECORDED,
    ) -> Answer | None:
        """The answer, or None; `turns` says how often what `counted` names was asked before in the conversation.

        `previous` is the conversation's event before this one.
        """
        rules = self._rules.find(asked.event, asked.root)
        count = turns.get(asked.event or "", 0) + 1
        found = None
        # A mock that doesn't merge hides all below it.
        if not rules or rules[-1].merge:
            within = self._within(asked, turns, serving.after_last)
            found = None if within is None else self._recorded_answer(asked, within, previous, serving.dice)
        for rule in reversed(rules):
            found = rule.answer("mock", asked.variables, count, found)
        return found

    def longest(self, asked: Asked) -> int:
        """How often at most a recorded conversation asked for this event, or for this where it is none; 0 for never."""
        if asked.event is not None:
            known = self._events.get(asked.event)
            return len(known.turns.anyone) if known and asked.conversation is not None else 0
        same = self._exact.get(asked.key)
        return same.length(asked.conversation) if same else 0

    def _within(
        self, asked: Asked, turns: dict[str | bytes, int], after_last: AfterLast
    ) -> dict[str | bytes, int] | None:
        """The turns that stand for these in the recorded sequences; None where there are no more of them."""
        longest = self.longest(asked)
        if after_last == "last" or not longest:
            return turns
        counted = asked.event if asked.event is not None else asked.key
        if after_last == "miss":
            return turns if turns.get(counted, 0) < longest else None
        within = {**turns, counted: turns.get(counted, 0) % longest}
        if same := self._exact.get(asked.key):
            within[asked.key] = turns.get(asked.key, 0) % same.length(asked.conversation)
        return within

    def _recorded_answer(
        self, asked: Asked, turns: dict[str | bytes, int], previous: str | None, dice: Dice | None
    ) -> Answer | None:
        same = self._exact.get(asked.key)
        exact = same and same.of_anyone(asked.conversation, turns.get(asked.key, 0))
        if exact:
            return exact.answer("exact", asked.variables, turns.get(asked.event or "", 0) + 1)
        if asked.event is None or self.match == "exact":
            return None
        return self._generalised(asked, asked.event, turns, previous, dice)

    def _generalised(
        self, asked: Asked, event: str, turns: dict[str | bytes, int], previous: str | None, dice: Dice | None
    ) -> Answer | None:
        known = self._events.get(event)
        if known is None:
            return None
        learned = None
        if self.match == "learned" and asked.variables is not None:
            learned = known.lessons.answer(Situation.of(asked.variables, turns.get(event, 0) + 1, previous, dice))
            if learned and learned.source.step != "guess":
                return learned
        following = known.turns.of(asked.conversation, turns.get(event, 0))
        if following:
            return following.answer("conversation", asked.variables, turns.get(event, 0) + 1)
        if self.match == "learned":
            return learned
        return known.usual.answer("usual", asked.variables, turns.get(event, 0) + 1) if known.usual else None

    def _add(self, identity: int, exchange: Exchange, edit: Mock | None) -> None:
        self.exchanges += 1
        try:
            asked = Asked.of(exchange.request)
            answerer = Answerer.of_exchange(identity, exchange, edit)
            effect = _effect_key(exchange)
        except RecursionError:
            self.warnings.append(f"Exchange {identity} is nested too deep to answer anything.")
            return
        self._latest.setdefault(asked.event, deque(maxlen=SAMPLES)).append((identity, asked))
        (turn,) = self._recorded.count(asked.conversation, [asked.event or ""])
        previous = self._recorded.follow(asked.conversation, asked.event)
        if answerer is None:
            return
        self.answering += 1
        self.waits.add(asked.event, exchange.timing.upstream_ms)
        self._exact.setdefault(asked.key, Turns()).add(asked.conversation, answerer)
        if asked.event is None:
            return
        if asked.event not in self._events:
            self._events[asked.event] = _EventAnswers(lessons=Lessons(self._hints.get(asked.event), self._owners))
        known = self._events[asked.event]
        known.add(effect, exchange, answerer)
        if self.match == "learned" and asked.variables is not None:
            known.lessons.add(identity, Situation.of(asked.variables, turn + 1, previous), exchange, answerer)

    def _close(self) -> None:
        for answers in self._events.values():
            answers.close()
        # Packed only now: of a long recording, most requests are not among the latest.
        for event, latest in self._latest.items():
            self.samples[event] = [Sample.of(identity, asked) for identity, asked in latest]
        self._latest.clear()
        self._recorded = Conversations()

    def _add_rules(self, mocks: list[Mock], origins: dict[int | None, Exchange]) -> None:
        for mock in mocks:
            origin = origins.get(mock.from_exchange)
            if not mock.edits_exchange:
                self._rules.add(mock, Answerer.of_mock(mock, mock.from_exchange if origin else None, origin))
            elif origin is None:
                self.warnings.append(
                    f"Mock {mock.identity} edits exchange {mock.from_exchange}, which is not in the recording: "
                    "it answers nothing."
                )


def _effect_key(exchange: Exchange) -> bytes:
    effect = aimylogic.effect_of(exchange.request, exchange.response)
    value = effect.value.hex() if isinstance(effect.value, bytes) else effect.value
    status = exchange.response.status if exchange.response else 0
    return jsonvalue.canonical([status, effect.kind, value])
