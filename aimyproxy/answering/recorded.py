"""What a recording answers with: surveyed at once, and read where a request first needs it.

To find the answer to a request, its conversation's exchanges of its event are read. To learn, those of the event that
are kept as lessons are, and of all requests what users say in them.
"""

from __future__ import annotations

import copy
import threading
from functools import cached_property
from typing import TYPE_CHECKING, Final

from aimyproxy.answering.answers import Answerer
from aimyproxy.answering.asked import Asked
from aimyproxy.answering.lots import drawn
from aimyproxy.answering.misses import SAMPLES, Sample
from aimyproxy.answering.survey import Reader, Survey

if TYPE_CHECKING:
    from collections.abc import Iterator, KeysView, Mapping, Sequence
    from typing import TypeAlias

    from aimyproxy.answering.background import Hints
    from aimyproxy.answering.features import Situation
    from aimyproxy.answering.lessons import Lessons
    from aimyproxy.answering.mocks import Mock
    from aimyproxy.answering.situations import Situations
    from aimyproxy.answering.survey import Held
    from aimyproxy.exchange import Conversation, Exchange

    Named: TypeAlias = tuple[str | None, Conversation | None]

_NONE: Final[dict[bytes, list[Answerer]]] = {}


class Group:
    """What answers one event in one conversation, in recorded order: all of it is the `sequence`.

    `named` is the event and the conversation.
    """

    __slots__ = ("_key", "_others", "named", "sequence")

    def __init__(self, named: Named, answers: Sequence[tuple[bytes, Answerer]]) -> None:
        self.named = named
        self.sequence = tuple(answerer for _, answerer in answers)
        by_key: dict[bytes, list[Answerer]] = {}
        for key, answerer in answers:
            by_key.setdefault(key, []).append(answerer)
        # Most have one: then a dictionary, of which there would be as many as groups, is not needed.
        self._key, self._others = (next(iter(by_key)), _NONE) if len(by_key) == 1 else (b"", by_key)

    def of(self, key: bytes) -> Sequence[Answerer]:
        """What answered this very request; nothing where it was never asked."""
        return self.sequence if key == self._key else self._others.get(key, ())

    def same(self, key: bytes, turn: int, *, cycle: bool = False) -> Answerer | None:
        """What answered this request's asking number `turn` (from 0); None where it was never asked."""
        # Not with `of`: this is asked for each request.
        sequence = self.sequence if key == self._key else self._others.get(key, ())
        return _at(sequence, turn, cycle=cycle)

    def following(self, turn: int, *, cycle: bool = False) -> Answerer | None:
        """What answered the event's asking number `turn` (from 0), whatever was asked; None where nothing did."""
        return _at(self.sequence, turn, cycle=cycle)


def _at(sequence: Sequence[Answerer], turn: int, *, cycle: bool) -> Answerer | None:
    """After the last that one again, or from the first on where the sequence is a cycle; None where it is empty."""
    if not sequence:
        return None
    if cycle:
        return sequence[turn % len(sequence)]
    return sequence[turn if turn < len(sequence) else -1]


class Recorded:
    """The recorded answers, with a person's `edits` (by the exchange's id) in the place of those that they edit.

    What is read stays. Safe to use from several threads.
    """

    def __init__(self, held: Held, edits: Mapping[int, Mock], hints: Mapping[str, Hints]) -> None:
        self.survey = Survey(held.glances(), edits)
        self.hints = hints
        self.edits = edits
        self._reader = Reader(held)
        # Learning takes long: who only needs what was answered doesn't wait for it.
        self._reading, self._learning = threading.Lock(), threading.Lock()
        self._groups: dict[Named, Group] = {}
        self._lessons: dict[str, Lessons] = {}
        self._usual: dict[str, Answerer | None] = {}
        # Not itself, which others would then keep in memory after its time.
        self._mark = object()

    # What learns is imported by who first needs it: it takes a fifth of the time of a start.
    @cached_property
    def _situations(self) -> Situations:
        from aimyproxy.answering.situations import Situations

        return Situations(self.survey, self._reader)

    @property
    def troubles(self) -> list[str]:
        """Sentences about the exchanges that were read by now and can't answer, though they looked right."""
        # A copy: another thread may be reading.
        return [trouble for _, trouble in sorted(dict(self._reader.troubles).items())]

    def exchange(self, identity: int) -> Exchange | None:
        """The exchange of this id; None where there is none."""
        try:
            return self._reader.exchange(self.survey.identities.index(identity))
        except ValueError:
            return None

    def group_of(self, asked: Asked) -> Group | None:
        """What answers its event in its conversation; None where that never asked for it."""
        if asked.found_by is self._mark:
            return asked.group
        group = self.group(asked.event, asked.conversation)
        if group is not None:
            # Of all that is equal one object is enough: the fewer there are, the more of them a processor has at hand.
            asked.event, asked.conversation = group.named
            asked.group, asked.found_by = group, self._mark
        return group

    def group(self, event: str | None, conversation: Conversation | None) -> Group | None:
        """What answers this event in this conversation; None where it never asked for it."""
        named = (event, conversation)
        known = self._groups.get(named)
        if known is None and (positions := self.survey.groups.get(named)):
            with self._reading:
                known = self._groups.get(named) or self._read_group(positions)
                self._groups[known.named] = known
        return known

    def read_on(self) -> Iterator[None]:
        """Read all groups that nobody has asked for yet, one at a time."""
        for event, conversation in self.survey.groups:
            self.group(event, conversation)
            yield

    def _read_group(self, positions: list[int]) -> Group:
        survey, answers = self.survey, []
        for position in positions:
            if not survey.answering[position]:
                continue
            exchange = self._reader.exchange(position)
            if exchange is None:
                continue
            try:
                asked, answerer = Asked.of(exchange.request), self._answerer(position, exchange)
            except RecursionError:
                self._reader.too_deep(position, survey.identities[position])
                continue
            if answerer is not None:
                answers.append((asked.key, answerer))
        # Not what was asked for, which is equal: one object for all that is equal takes least memory.
        return Group((survey.events[positions[0]], survey.conversations[positions[0]]), answers)

    def _answerer(self, position: int, exchange: Exchange) -> Answerer | None:
        identity = self.survey.identities[position]
        return Answerer.of_exchange(identity, exchange, self.edits.get(identity))

    def lessons(self, event: str) -> Lessons:
        """What an event's exchanges teach."""
        known = self._lessons.get(event)
        if known is None:
            with self._learning:
                known = self._lessons.get(event) or self._read_lessons(event)
                self._lessons[event] = known
        return known

    def _read_lessons(self, event: str) -> Lessons:
        from aimyproxy.answering.lessons import MOST, Lessons
        from aimyproxy.answering.models import Lesson

        survey = self.survey
        answered = [position for position in survey.by_event[event] if survey.answered[position]]
        kept = [answered[number] for number in drawn(len(answered), MOST)]
        lessons = [
            Lesson(survey.identities[position], situation, exchange.request, exchange.response)
            for position, situation, exchange in self._situations.read(kept)
            if exchange.response is not None
        ]
        return Lessons(lessons, self._situations.owners, self.hints.get(event), self._edits_of(event))

    def _edits_of(self, event: str) -> list[tuple[Situation, Answerer]]:
        if not self.edits:
            return []
        edited = [one for one in self.survey.by_event[event] if self.survey.identities[one] in self.edits]
        found = []
        for position, situation, exchange in self._situations.read(edited):
            if answerer := self._answerer(position, exchange):
                found.append((situation, answerer))
        return found

    def usual(self, event: str) -> Answerer | None:
        """The event's usual answer, None where it has none that is nobody's own."""
        if event not in self._usual:
            with self._learning:
                if event not in self._usual:
                    self._usual[event] = self._read_usual(event)
        return self._usual[event]

    def _read_usual(self, event: str) -> Answerer | None:
        from aimyproxy.answering.usual import Usual

        usual = Usual()
        for position in self.survey.by_event[event]:
            if not self.survey.answering[position] or (exchange := self._reader.exchange(position)) is None:
                continue
            try:
                if answerer := self._answerer(position, exchange):
                    usual.add(position, exchange, answerer)
            except RecursionError:
                self._reader.too_deep(position, self.survey.identities[position])
        return usual.settled(self._situations)

    @property
    def events(self) -> KeysView[str | None]:
        """The events of all requests, None for those that are no bot's."""
        return self.survey.by_event.keys()

    def of_event(self, event: str | None) -> Iterator[Sample]:
        """The event's latest requests, for the explanation of a miss."""
        return self._sampled(self.survey.by_event.get(event, [])[-SAMPLES:])

    def of_conversation(self, conversation: Conversation | None) -> Iterator[Sample]:
        """The conversation's latest requests, for the explanation of a miss."""
        return self._sampled(self.survey.by_conversation.get(conversation, [])[-SAMPLES:])

    def _sampled(self, positions: list[int]) -> Iterator[Sample]:
        for position in positions:
            if exchange := self._reader.exchange(position):
                try:
                    yield Sample(self.survey.identities[position], Asked.of(exchange.request))
                except RecursionError:
                    self._reader.too_deep(position, self.survey.identities[position])

    @property
    def learned(self) -> set[str]:
        """The events that were learned by now."""
        return set(dict(self._lessons))

    def listen(self) -> None:
        """Find out who said what, which takes longest of all that learning needs."""
        import aimyproxy.answering.lessons  # noqa: F401 - now, not when a bot waits

        with self._learning:
            _ = self._situations.owners

    def edited(self, edits: Mapping[int, Mock], hints: Mapping[str, Hints]) -> Recorded | None:
        """The same exchanges with other edits and hints; None where that changes which of them answer at all.

        What is read and learned is taken over where nothing changes it.
        """
        survey, before = self.survey, self.edits
        changed = {identity for identity in edits.keys() | before.keys() if edits.get(identity) != before.get(identity)}
        places = [position for position, one in enumerate(survey.identities) if one in changed] if changed else []
        if not all(survey.answered[position] for position in places):
            return None
        touched = {(survey.events[position], survey.conversations[position]) for position in places}
        events = {event for event, _ in touched if event is not None}
        rehinted = {event for event in survey.sequences if hints.get(event) != self.hints.get(event)}
        other = copy.copy(self)
        # What another thread reads or learns meanwhile is read and learned again.
        groups, usual, lessons = dict(self._groups), dict(self._usual), dict(self._lessons)
        vars(other).update(
            _mark=object(),
            edits=edits,
            hints=hints,
            _groups={key: group for key, group in groups.items() if key not in touched},
            _usual={event: answerer for event, answerer in usual.items() if event not in events},
            _lessons={event: known for event, known in lessons.items() if event not in rehinted},
        )
        other._edit(events)  # noqa: SLF001 - it is one of us
        return other

    def _edit(self, events: set[str]) -> None:
        """Let the edits of these events answer for their likes, as far as anything was learned."""
        for event in events & self._lessons.keys():
            self._lessons[event] = self._lessons[event].edited(self._edits_of(event))
