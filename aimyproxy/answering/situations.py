"""The situations in which recorded requests were made: what the whole recording knows of each, found when asked for."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Final

from aimyproxy import jsonvalue
from aimyproxy.answering.features import Situation
from aimyproxy.answering.privacy import Owners
from aimyproxy.answering.sayings import Sayings, told

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from aimyproxy.answering.survey import Reader, Survey
    from aimyproxy.exchange import Conversation, Exchange

_LONG: Final = 200
"""From so many exchanges on, what a conversation said is looked through once and kept."""


class Situations:
    """Reads recorded exchanges together with the situations of their requests.

    A situation's order is its exchange's position, from 1.
    """

    def __init__(self, survey: Survey, reader: Reader) -> None:
        self._survey = survey
        self._reader = reader
        self._long: dict[Conversation | None, Sayings] = {}

    @cached_property
    def owners(self) -> Owners:
        """Who said what, in all requests that something answers; this reads the whole recording."""
        owners, variables = Owners(), self._reader.variables
        for conversation, positions in self._survey.by_conversation.items():
            heard = filter(self._survey.heard, positions)
            owners.listen(conversation, ((position + 1, variables(position)) for position in heard))
        return owners

    def read(self, positions: Iterable[int]) -> Iterator[tuple[int, Situation, Exchange]]:
        """These exchanges, by position, and their situations; broken ones are left out."""
        wanted = list(positions)
        remembered = self._sayings(wanted)
        for position in wanted:
            exchange = self._reader.exchange(position)
            if exchange is None:
                continue
            variables = exchange.request.body.variables()
            response = exchange.response
            if variables is None or jsonvalue.too_deep([variables, response and response.body.value]):
                self._reader.too_deep(position, self._survey.identities[position])
                continue
            survey = self._survey
            yield (
                position,
                Situation(
                    variables,
                    survey.turn(position) + 1,
                    survey.previous(position),
                    _moment(exchange),
                    position + 1,
                    told(variables),
                    remembered[survey.conversations[position]].remembered(position, exchange),
                ),
                exchange,
            )

    def _sayings(self, positions: Iterable[int]) -> dict[Conversation | None, Sayings]:
        """What the conversations of these exchanges said, up to the last of them."""
        last = {self._survey.conversations[position]: position for position in positions}
        return {conversation: self._said(conversation, end) for conversation, end in last.items()}

    def _said(self, conversation: Conversation | None, end: int) -> Sayings:
        if conversation in self._long:
            return self._long[conversation]
        positions = self._survey.by_conversation[conversation]
        sayings = Sayings()
        is_long = len(positions) >= _LONG
        if is_long:
            end = positions[-1]
        for position in positions:
            if position >= end or sayings.full:
                break
            if self._survey.heard(position):
                sayings.add(position, self._reader.variables(position))
        if is_long:
            self._long[conversation] = sayings
        return sayings


def _moment(exchange: Exchange) -> float | None:
    """When the exchange was recorded, in seconds since 1970; None where it doesn't say so."""
    try:
        return datetime.fromisoformat(exchange.at).timestamp()
    except (ValueError, OverflowError):
        return None
