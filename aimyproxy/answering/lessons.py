"""What is kept of an event's exchanges for learning, and the answers that come of it; learned when first needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aimyproxy.answering.answers import Answer, Source
from aimyproxy.answering.fitting import Hints, cell_key
from aimyproxy.answering.models import EventModel, Lesson
from aimyproxy.answering.privacy import Owners

if TYPE_CHECKING:
    from aimyproxy.answering.answers import Answerer
    from aimyproxy.answering.features import Situation
    from aimyproxy.exchange import Exchange

MOST: Final = 1000
"""Lessons kept of one event; of more, every second one is let go again and again, so that they stay spread evenly."""


class Lessons:
    """The exchanges of one event that have a response. Deterministic: the same recording teaches the same.

    `owners` is to be the same for all events of a recording: what a user said in one is theirs in all.
    """

    def __init__(self, hints: Hints | None = None, owners: Owners | None = None) -> None:
        self._hints = hints or Hints()
        self._owners = owners or Owners()
        self._kept: list[Lesson] = []
        self._edits: list[tuple[Situation, Answerer]] = []
        self._edited: dict[bytes, Answerer] | None = None
        self._stride = 1
        self._seen = 0
        self._model: EventModel | None = None

    def add(self, identity: int, situation: Situation, exchange: Exchange, answerer: Answerer) -> None:
        """Add the next exchange and what answers in its place, which is a mock where a person edited it."""
        situation = self._owners.heard(situation)
        if answerer.mock is not None:
            self._edits.append((situation, answerer))
        if exchange.response is None:
            return
        self._seen += 1
        if self._seen % self._stride == 0:
            self._kept.append(Lesson(identity, situation, exchange.request, exchange.response))
        if len(self._kept) > MOST:
            self._kept = self._kept[1::2]
            self._stride *= 2

    def model(self) -> EventModel | None:
        """What the lessons teach; None where there are none. They are forgotten, so all have to be added before."""
        if self._model is None and self._kept:
            self._model = EventModel.of(self._kept, self._hints, self._owners)
            self._kept = []
        return self._model

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
            self._edited = {cell_key(asked, keys): answerer for asked, answerer in reversed(self._edits)}
        return self._edited.get(cell_key(situation, keys))
