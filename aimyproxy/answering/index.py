"""The index: made from a recording's exchanges and mocks, which stay as they were; asked by dictionary look-ups."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from aimyproxy.answering.answers import Answerer
from aimyproxy.answering.contents import Contents
from aimyproxy.answering.features import Situation
from aimyproxy.answering.misses import Exhausted
from aimyproxy.answering.serving import AS_RECORDED
from aimyproxy.answering.survey import HeldExchanges

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from aimyproxy.answering.answers import Answer
    from aimyproxy.answering.asked import Asked
    from aimyproxy.answering.background import Hints
    from aimyproxy.answering.fresh import Dice
    from aimyproxy.answering.latency import Waits
    from aimyproxy.answering.misses import Samples, Standing
    from aimyproxy.answering.mocks import Mock
    from aimyproxy.answering.models import EventModel
    from aimyproxy.answering.recorded import Group
    from aimyproxy.answering.serving import Match, Serving
    from aimyproxy.answering.survey import Held
    from aimyproxy.exchange import Exchange


class Index:
    """Finds what answers a request. `exchanges` and `answering` count what there is and what can answer.

    `mocks` counts those that are enabled; `failing` says whether one of them has a fault. `samples` are recorded
    requests, the latest ones, for explaining misses; `waits` how long the webhook took. What a request needs is read
    and learned when it is first asked for. Safe to use from several threads.
    """

    def __init__(self, contents: Contents | None = None) -> None:
        self._contents = contents = contents or Contents.of(HeldExchanges(()), (), "event", {})
        self._rules = contents.mocks.rules
        self._recorded = contents.recorded
        survey = self._recorded.survey
        self._sequences = survey.sequences
        self._ruled = self._rules.events
        self.match: Match = contents.match
        self.exchanges = len(survey.identities)
        self.answering = sum(survey.answering)
        self.mocks = contents.mocks.count
        self.failing = contents.mocks.failing
        self.samples: Samples = self._recorded
        self.waits: Waits = survey.waits

    @classmethod
    def of(
        cls,
        held: Held,
        mocks: Iterable[Mock] = (),
        match: Match = "event",
        hints: Mapping[str, Hints] | None = None,
    ) -> Index:
        """The index of these exchanges and mocks (in the order of the file); raises as the walk over the exchanges.

        `hints` is what the user knows of an event's deciding paths, for the match `learned`.
        """
        return cls(Contents.of(held, mocks, match, hints or {}))

    @classmethod
    def build(
        cls,
        exchanges: Iterable[tuple[int, Exchange]],
        mocks: Iterable[Mock] = (),
        match: Match = "event",
        hints: Mapping[str, Hints] | None = None,
    ) -> Index:
        """As `of`, for exchanges that were read whole: their ids and they themselves, in recorded order."""
        return cls.of(HeldExchanges(exchanges), mocks, match, hints)

    def edited(self, mocks: Iterable[Mock], hints: Mapping[str, Hints]) -> Index | None:
        """This index with other mocks and hints, the exchanges being the same; None for "make it anew"."""
        contents = self._contents.edited(mocks, hints)
        return Index(contents) if contents else None

    @property
    def learned(self) -> set[str]:
        """The events that were learned by now, since somebody asked for them."""
        return self._recorded.learned

    def prepare(self, events: Iterable[str] = ()) -> None:
        """Do beforehand what takes longest when a request first needs it; learn these events, as far as they exist."""
        if self.match == "exact":
            return
        self._recorded.listen()
        for event in events:
            if event in self._sequences:
                self._recorded.lessons(event).model()

    def read_on(self) -> Iterator[None]:
        """Read what no request has needed yet, one conversation's exchanges of one event at a time."""
        return self._recorded.read_on()

    @property
    def warnings(self) -> list[str]:
        """Sentences about what will never answer; more where what was read later turns out to be broken."""
        return self._contents.warnings

    def overlaid(self, mocks: Sequence[Mock]) -> Index:
        """This index with more mocks: they win over the others that say as much, the last one over all."""
        if not mocks:
            return self
        rules = self._rules.copy()
        for mock in mocks:
            rules.add(mock, Answerer.of_mock(mock), first=True)
        known = self._contents.mocks
        more = replace(known, count=known.count + len(mocks), rules=rules)
        return Index(replace(self._contents, mocks=more))

    @property
    def events(self) -> set[str]:
        """The events that something answers."""
        return {event for event in {*self._sequences, *self._rules.events} if event is not None}

    def models(self) -> dict[str, EventModel]:
        """What the recording teaches, by event; nothing unless the match is `learned`."""
        if self.match != "learned":
            return {}
        learned = ((event, self._recorded.lessons(event).model()) for event in self._sequences)
        return {event: model for event, model in learned if model}

    def summary(self) -> str:
        """What there is, for people: `36 exchanges, 1 mock, 5 events`."""
        counted = ((self.exchanges, "exchange"), (self.mocks, "mock"), (len(self.events), "event"))
        return ", ".join(f"{number:,} {noun}" + ("" if number == 1 else "s") for number, noun in counted)

    def standing(self, event: str | None) -> Standing:
        """What there is for this event, for the explanation of a miss."""
        if event in self._sequences:
            return "private" if self.match == "event" else "answered"
        if event in self.samples.events:
            return "unanswered"
        return "mocked" if event in self._rules.events else "unknown"

    def counted(self, asked: Asked) -> list[str | bytes]:
        """What of this request has to be counted for `find`: nothing that the recording doesn't know.

        So a bot that asks for ever new things does not fill the memory.
        """
        counted: list[str | bytes] = []
        event = asked.event
        group = self._recorded.group_of(asked)
        if group and group.of(asked.key):
            counted.append(asked.key)
        if event is not None and (event in self._sequences or event in self._ruled):
            counted.append(event)
        return counted

    def find(
        self,
        asked: Asked,
        turns: dict[str | bytes, int],
        previous: str | None = None,
        serving: Serving = AS_RECORDED,
        live: Asked | None = None,
    ) -> Answer | None:
        """The answer, or None; `turns` says how often what `counted` names was asked before in the conversation.

        `previous` is the conversation's event before this one. Where `asked` is a redacted request, mocks may also ask
        for what the `live` one says.
        """
        if asked.event not in self._ruled:
            return self._recorded_answer(asked, turns, previous, serving)
        # To parse it takes as long as all else.
        variables = asked.variables
        root = asked.root if variables is None else variables
        rules = self._rules.find(asked.event, *((root,) if live is None else (root, live.root)))
        found = None
        # A mock that doesn't merge hides all below it.
        if not rules or rules[-1].merge:
            found = self._recorded_answer(asked, turns, previous, serving)
        count = turns.get(asked.event or "", 0) + 1
        for rule in reversed(rules):
            found = rule.answer("mock", variables, count, found)
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
            group = self._recorded.group(None, None)
            return len(group.of(asked.key)) if group else 0
        known = self._sequences.get(asked.event)
        return known.longest(asked.conversation) if known else 0

    def _recorded_answer(
        self, asked: Asked, turns: dict[str | bytes, int], previous: str | None, serving: Serving
    ) -> Answer | None:
        after_last = serving.after_last
        if after_last == "miss" and self.exhausted(asked, turns, serving):
            return None
        group = self._recorded.group_of(asked)
        exact = group and group.same(asked.key, turns.get(asked.key, 0), cycle=after_last == "cycle")
        if exact:
            # What is the same for all need not be parsed.
            variables = None if exact.fixed else asked.variables
            answer = exact.answer("exact", variables, turns.get(asked.event or "", 0) + 1)
            return answer if serving.dice is None else self._refreshed(asked, answer, serving.dice)
        if asked.event is None or self.match == "exact":
            return None
        return self._generalised(asked, asked.event, group, turns, previous, serving)

    def _generalised(
        self,
        asked: Asked,
        event: str,
        group: Group | None,
        turns: dict[str | bytes, int],
        previous: str | None,
        serving: Serving,
    ) -> Answer | None:
        sequences = self._sequences.get(event)
        if sequences is None:
            return None
        turn, cycle = turns.get(event, 0), serving.after_last == "cycle"
        variables, learned = asked.variables, None
        if self.match == "learned" and variables is not None:
            occurrence = turn % sequences.longest(asked.conversation) + 1 if cycle else turn + 1
            learned = self._recorded.lessons(event).answer(Situation(variables, occurrence, previous))
            learned = learned and self._refreshed(asked, learned, serving.dice)
            if learned and learned.source.step != "guess":
                return learned
        following = group.following(turn, cycle=cycle) if group and asked.conversation is not None else None
        if following:
            answer = following.answer("conversation", variables, turn + 1)
            return self._refreshed(asked, answer, serving.dice)
        if self.match == "learned":
            return learned
        usual = self._recorded.usual(event)
        return usual.answer("usual", variables, turn + 1) if usual else None

    def _refreshed(self, asked: Asked, answer: Answer, dice: Dice | None) -> Answer:
        """An answer with its noise made anew, if that is wanted; what a person wrote stays as it is."""
        if dice is None or asked.variables is None or answer.source.mock is not None or self.match != "learned":
            return answer
        from aimyproxy.answering.refresh import refreshed

        model = self._recorded.lessons(asked.event).model() if asked.event in self._sequences else None
        return refreshed(answer, model, asked.variables, dice) if model else answer
