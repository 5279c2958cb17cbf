"""What is kept of an event's exchanges for learning, and the answers that come of it; learned when first needed."""

from __future__ import annotations

import copy
import threading
from typing import TYPE_CHECKING, Final

from aimyproxy.answering.answers import Answer, Source
from aimyproxy.answering.background import Hints
from aimyproxy.answering.fitting import cell_key
from aimyproxy.answering.models import EventModel
from aimyproxy.answering.privacy import Owners

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aimyproxy.answering.answers import Answerer
    from aimyproxy.answering.features import Situation
    from aimyproxy.answering.models import Lesson

MOST: Final = 1000
"""Lessons kept of one event; of more, so many are drawn by lot."""


class Lessons:
    """The exchanges of one event that have a response, as many as are kept, and a person's edits of exchanges.

    Deterministic: the same recording teaches the same. `owners` heard the whole recording; `edits` are the situations
    of edited exchanges, in order, and what answers in their place.
    """

    def __init__(
        self,
        lessons: Sequence[Lesson] = (),
        owners: Owners | None = None,
        hints: Hints | None = None,
        edits: Sequence[tuple[Situation, Answerer]] = (),
    ) -> None:
        self._lessons = lessons
        self._owners = owners or Owners()
        self._hints = hints or Hints()
        self._edits = edits
        self._edited: dict[bytes, Answerer] | None = None
        self._model: EventModel | None = None
        self._learning = threading.Lock()

    def model(self) -> EventModel | None:
        """What the lessons teach; None where there are none. Their bodies are let go of."""
        if self._model is None:
            with self._learning:
                if self._model is None and self._lessons:
                    self._model = EventModel.of(self._lessons, self._hints, self._owners)
                    self._lessons = ()
        return self._model

    def edited(self, edits: Sequence[tuple[Situation, Answerer]]) -> Lessons:
        """What was learned, with other edits; whoever still answers by these lessons notices nothing."""
        other = copy.copy(self)
        vars(other).update(_edits=edits, _edited=None)
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
            self._edited = {cell_key(asked, keys): answerer for asked, answerer in reversed(self._edits)}
        return self._edited.get(cell_key(situation, keys))
