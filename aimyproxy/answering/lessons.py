"""What is kept of an event's exchanges for learning, and the answers that come of it; learned when first needed."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aimyproxy.answering.answers import Answer, Source
from aimyproxy.answering.background import Hints
from aimyproxy.answering.features import Situation
from aimyproxy.answering.fitting import cell_key
from aimyproxy.answering.models import EventModel, Lesson
from aimyproxy.answering.privacy import Owners, told

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aimyproxy.answering.answers import Answerer
    from aimyproxy.exchange import Exchange

MOST: Final = 1000
"""Lessons kept of one event; of more, every second one is let go again and again, so that they stay spread evenly."""


@dataclass(frozen=True, slots=True)
class _About:
    """What has to be known of a lesson to have it again from its exchange."""

    identity: int
    occurrence: int
    previous: str | None
    moment: float | None
    order: int
    remembered: frozenset[str]

    @classmethod
    def of(cls, lesson: Lesson) -> _About:
        asked = lesson.situation
        return cls(lesson.identity, asked.occurrence, asked.previous, asked.moment, asked.order, asked.remembered)

    def lesson(self, exchange: Exchange) -> Lesson:
        """The lesson; raises KeyError where the exchange is not the one that it was."""
        variables, response = exchange.request.body.variables(), exchange.response
        if variables is None or response is None:
            raise KeyError(self.identity)
        situation = Situation(
            variables, self.occurrence, self.previous, self.moment, self.order, told(variables), self.remembered
        )
        return Lesson(self.identity, situation, exchange.request, response)


class Lessons:
    """The exchanges of one event that have a response. Deterministic: the same recording teaches the same.

    `owners` is to be the same for all events of a recording: what a user said in one is theirs in all.
    """

    def __init__(self, hints: Hints | None = None, owners: Owners | None = None) -> None:
        self._hints = hints or Hints()
        self._owners = owners or Owners()
        self._kept: list[Lesson] = []
        self._about: list[_About] = []
        self._edits: dict[int, tuple[Situation, Answerer]] = {}
        self._edited: dict[bytes, Answerer] | None = None
        self._stride = 1
        self._seen = 0
        self._model: EventModel | None = None

    def add(self, identity: int, situation: Situation, exchange: Exchange, answerer: Answerer) -> None:
        """Add the next exchange and what answers in its place, which is a mock where a person edited it."""
        situation = self._owners.heard(situation)
        if answerer.mock is not None:
            self._edits[identity] = situation, answerer
        if exchange.response is None:
            return
        self._seen += 1
        if self._seen % self._stride == 0:
            self._kept.append(Lesson(identity, situation, exchange.request, exchange.response))
        if len(self._kept) > MOST:
            self._kept = self._kept[1::2]
            self._stride *= 2

    def model(self) -> EventModel | None:
        """What the lessons teach; None where there are none. Their bodies are let go of: all are to be added before."""
        if self._model is None and self._kept:
            self._about = [_About.of(lesson) for lesson in self._kept]
            self._model = EventModel.of(self._kept, self._hints, self._owners)
            self._kept = []
        return self._model

    def identities(self) -> set[int]:
        """The ids of the exchanges that `hinted` needs."""
        return {lesson.identity for lesson in self._kept or self._about}

    def hinted(self, hints: Hints | None, exchanges: Mapping[int, Exchange]) -> Lessons:
        """The same lessons, to be learned with other hints; raises KeyError where one is not in `exchanges`, by id."""
        kept = self._kept or [about.lesson(exchanges[about.identity]) for about in self._about]
        return self._changed(_hints=hints or Hints(), _kept=kept, _model=None, _edited=None)

    def edited(self, identity: int, situation: Situation, answerer: Answerer) -> Lessons:
        """What was learned, with another answerer for this exchange, which was asked in this situation."""
        edits = {known: edit for known, edit in self._edits.items() if known != identity}
        if answerer.mock is not None:
            edits[identity] = situation, answerer
        in_order = dict(sorted(edits.items(), key=lambda edit: edit[1][0].order))
        return self._changed(_edits=in_order, _edited=None)

    def _changed(self, **members: object) -> Lessons:
        """A copy with other members; whoever still answers by these lessons notices nothing."""
        other = copy.copy(self)
        vars(other).update(members)
        return other

    def answer(self, situation: Situation) -> Answer | None:
        """The answer in a situation, `learned` or a `guess`; None where nothing was learned."""
        model = self.model()
        if model is None:
            return None
        if self._edits and (edited := self._edited_answer(model, situation)):
            return edited.answer("learned", situation.variables, situation.occurrence)
        body, outcome, known = model.answer(situation)
        source = Source("learned" if known else "guess", outcome.exchange)
        return Answer(outcome.status, outcome.headers, body, None, source)

    def _edited_answer(self, model: EventModel, situation: Situation) -> Answerer | None:
        """What a person wrote in the place of an exchange with the same deciding values, the first one's."""
        keys = model.deciding()
        if self._edited is None:
            self._edited = {cell_key(asked, keys): answerer for asked, answerer in reversed(self._edits.values())}
        return self._edited.get(cell_key(situation, keys))
