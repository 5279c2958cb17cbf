"""The index: built once from a recording's exchanges and mocks, never changed, asked by dictionary look-ups."""

from __future__ import annotations

import copy
import sys
from collections import deque
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from aimyproxy.answering.answers import Answerer
from aimyproxy.answering.asked import Asked
from aimyproxy.answering.conversations import Conversations
from aimyproxy.answering.eventanswers import EventAnswers
from aimyproxy.answering.features import Situation
from aimyproxy.answering.latency import Waits
from aimyproxy.answering.lessons import Lessons
from aimyproxy.answering.misses import SAMPLES, Exhausted, Sample
from aimyproxy.answering.privacy import Owners
from aimyproxy.answering.refresh import refreshed
from aimyproxy.answering.rules import Rules
from aimyproxy.answering.turns import Turns
from aimyproxy.answering.usual import Usual

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

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
        self._edits: tuple[Mock, ...] = ()
        self._exact: dict[bytes, Turns] = {}
        self._events: dict[str, EventAnswers] = {}
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
        index._edits = tuple(mock for mock in pending if mock.edits_exchange)
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

    def remocked(self, mocks: Iterable[Mock], exchange_of: Callable[[int], Exchange | None]) -> Index | None:
        """This index with these mocks in the place of its own, the exchanges being the same; None for "build it anew".

        That is where edits of exchanges changed, since what was learned depends on them. `exchange_of` gives the
        exchange of an id, or None.
        """
        pending = [mock for mock in mocks if mock.enabled]
        if tuple(mock for mock in pending if mock.edits_exchange) != self._edits:
            return None
        other = copy.copy(self)
        other.mocks = len(pending)
        rules = Rules()
        for mock in pending:
            if not mock.edits_exchange:
                origin = exchange_of(mock.from_exchange) if mock.from_exchange is not None else None
                rules.add(mock, Answerer.of_mock(mock, mock.from_exchange if origin else None, origin))
        other._rules = rules  # noqa: SLF001
        return other

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
            return "private" if self.match == "event" else "answered"
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
        if (not rules or rules[-1].merge) and not self.exhausted(asked, turns, serving):
            found = self._recorded_answer(asked, turns, previous, serving)
        for rule in reversed(rules):
            found = rule.answer("mock", asked.variables, count, found)
        return found

    def exhausted(self, asked: Asked, turns: dict[str | bytes, int], serving: Serving) -> Exhausted | None:
        """That no recorded conversation asked for this as often, where that is why nothing may answer.

        Requests without a user count as one conversation, those without an event each for itself.
        """
        longest = self._longest(asked) if serving.after_last == "miss" else 0
        turn = turns.get(asked.event if asked.event is not None else asked.key, 0)
        return Exhausted(longest, turn + 1) if 0 < longest <= turn else None

    def _longest(self, asked: Asked) -> int:
        if asked.event is None:
            same = self._exact.get(asked.key)
            return same.length(asked.conversation) if same else 0
        known = self._events.get(asked.event)
        return known.sequence(asked.conversation) if known else 0

    def _recorded_answer(
        self, asked: Asked, turns: dict[str | bytes, int], previous: str | None, serving: Serving
    ) -> Answer | None:
        same, cycle = self._exact.get(asked.key), serving.after_last == "cycle"
        exact = same and same.of_anyone(asked.conversation, turns.get(asked.key, 0), cycle=cycle)
        if exact:
            answer = exact.answer("exact", asked.variables, turns.get(asked.event or "", 0) + 1)
            return self._refreshed(asked, answer, serving.dice)
        if asked.event is None or self.match == "exact":
            return None
        return self._generalised(asked, asked.event, turns, previous, serving)

    def _generalised(
        self, asked: Asked, event: str, turns: dict[str | bytes, int], previous: str | None, serving: Serving
    ) -> Answer | None:
        known = self._events.get(event)
        if known is None:
            return None
        turn, cycle = turns.get(event, 0), serving.after_last == "cycle"
        learned = None
        if self.match == "learned" and asked.variables is not None:
            occurrence = turn % known.sequence(asked.conversation) + 1 if cycle else turn + 1
            learned = known.lessons.answer(Situation(asked.variables, occurrence, previous))
            learned = learned and self._refreshed(asked, learned, serving.dice)
            if learned and learned.source.step != "guess":
                return learned
        following = known.turns.of(asked.conversation, turn, cycle=cycle)
        if following:
            answer = following.answer("conversation", asked.variables, turn + 1)
            return self._refreshed(asked, answer, serving.dice)
        if self.match == "learned":
            return learned
        return known.usual.answer("usual", asked.variables, turn + 1) if known.usual else None

    def _refreshed(self, asked: Asked, answer: Answer, dice: Dice | None) -> Answer:
        """An answer with its noise made anew, if that is wanted; what a person wrote stays as it is."""
        known = self._events.get(asked.event or "")
        if dice is None or asked.variables is None or known is None or answer.source.mock is not None:
            return answer
        model = known.lessons.model()
        return refreshed(answer, model, asked.variables, dice) if model else answer

    def _add(self, identity: int, exchange: Exchange, edit: Mock | None) -> None:
        self.exchanges += 1
        try:
            asked = Asked.of(exchange.request)
            answerer = Answerer.of_exchange(identity, exchange, edit)
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
            lessons = Lessons(self._hints.get(asked.event), self._owners)
            self._events[asked.event] = EventAnswers(lessons, Usual(self._owners))
        known = self._events[asked.event]
        known.add(exchange, answerer)
        known.count(asked.conversation, turn)
        if asked.variables is not None:
            situation = Situation(asked.variables, turn + 1, previous, _moment(exchange))
            if self.match == "learned":
                known.lessons.add(identity, situation, exchange, answerer)
            elif self.match == "event":
                known.effects.add(self._owners.heard(situation), exchange, answerer)

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


def _moment(exchange: Exchange) -> float | None:
    """When the exchange was recorded, in seconds since 1970; None where it doesn't say so."""
    try:
        return datetime.fromisoformat(exchange.at).timestamp()
    except (ValueError, OverflowError):
        return None
