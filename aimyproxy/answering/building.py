"""Building an index from a recording's exchanges and mocks, in one pass."""

from __future__ import annotations

import sys
from collections import deque
from datetime import datetime
from typing import TYPE_CHECKING

from aimyproxy.answering.answers import Answerer
from aimyproxy.answering.asked import Asked
from aimyproxy.answering.contents import Contents, Mocks, edits_of
from aimyproxy.answering.conversations import Conversations
from aimyproxy.answering.eventanswers import EventAnswers
from aimyproxy.answering.features import Situation
from aimyproxy.answering.latency import Waits
from aimyproxy.answering.lessons import Lessons
from aimyproxy.answering.misses import SAMPLES, Sample
from aimyproxy.answering.privacy import Owners, Sayings
from aimyproxy.answering.turns import Turns
from aimyproxy.answering.usual import Usual

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aimyproxy.answering.background import Hints
    from aimyproxy.answering.mocks import Mock
    from aimyproxy.answering.serving import Match
    from aimyproxy.exchange import Exchange


def build(
    exchanges: Iterable[tuple[int, Exchange]], mocks: Iterable[Mock], match: Match, hints: Mapping[str, Hints]
) -> Contents:
    """What these exchanges (ids and exchanges, in recorded order) and mocks (in the order of the file) come to."""
    enabled = [mock for mock in mocks if mock.enabled]
    edits = edits_of(enabled)
    wanted = {mock.from_exchange for mock in enabled}
    origins: dict[int, Exchange] = {}
    builder = _Builder(match, hints)
    for identity, exchange in exchanges:
        if identity in wanted:
            origins[identity] = exchange
        builder.add(identity, exchange, edits.get(identity))
    return builder.built(Mocks.of(enabled, origins, wanted - origins.keys()))


class _Builder:
    """Takes exchanges one after another, in recorded order."""

    def __init__(self, match: Match, hints: Mapping[str, Hints]) -> None:
        self._match = match
        self._hints = hints
        self._exchanges = 0
        self._answering = 0
        self._deep: list[int] = []
        self._exact: dict[bytes, Turns] = {}
        self._events: dict[str, EventAnswers] = {}
        self._latest: dict[str | None, deque[tuple[int, Asked]]] = {}
        self._waits = Waits()
        self._owners = Owners()
        self._sayings = Sayings()
        self._conversations = Conversations(sys.maxsize)

    def add(self, identity: int, exchange: Exchange, edit: Mock | None) -> None:
        """Add the next exchange, and what a person wrote in the place of its response."""
        self._exchanges += 1
        try:
            asked = Asked.of(exchange.request)
            answerer = Answerer.of_exchange(identity, exchange, edit)
        except RecursionError:
            self._deep.append(identity)
            return
        self._latest.setdefault(asked.event, deque(maxlen=SAMPLES)).append((identity, asked))
        (turn,) = self._conversations.count(asked.conversation, [asked.event or ""])
        previous = self._conversations.follow(asked.conversation, asked.event)
        if answerer is None:
            return
        self._answering += 1
        self._waits.add(asked.event, exchange.timing.upstream_ms)
        self._exact.setdefault(asked.key, Turns()).add(asked.conversation, answerer)
        if asked.event is None:
            return
        known = self._event(asked.event)
        known.add(exchange, answerer)
        known.count(asked.conversation, turn)
        if asked.variables is not None and self._match != "exact":
            remembered = self._sayings.remembered(asked.conversation, exchange)
            situation = Situation(asked.variables, turn + 1, previous, _moment(exchange), remembered=remembered)
            if self._match == "learned":
                known.lessons.add(identity, situation, exchange, answerer)
            elif self._match == "event":
                known.effects.add(self._owners.heard(situation), exchange, answerer)

    def _event(self, event: str) -> EventAnswers:
        if event not in self._events:
            lessons = Lessons(self._hints.get(event), self._owners)
            self._events[event] = EventAnswers(lessons, Usual(self._owners))
        return self._events[event]

    def built(self, mocks: Mocks) -> Contents:
        """All that was added, and these mocks."""
        for answers in self._events.values():
            answers.close()
        # Packed only now: of a long recording, most requests are not among the latest.
        samples = {
            event: [Sample.of(identity, asked) for identity, asked in latest] for event, latest in self._latest.items()
        }
        return Contents(
            self._match,
            self._hints,
            self._exchanges,
            self._answering,
            tuple(self._deep),
            self._exact,
            self._events,
            samples,
            self._waits,
            mocks,
        )


def _moment(exchange: Exchange) -> float | None:
    """When the exchange was recorded, in seconds since 1970; None where it doesn't say so."""
    try:
        return datetime.fromisoformat(exchange.at).timestamp()
    except (ValueError, OverflowError):
        return None
