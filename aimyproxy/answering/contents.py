"""What an index knows: the recorded answers and the mocks, each where a look-up finds it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aimyproxy.answering.answers import Answerer
from aimyproxy.answering.latency import Waits
from aimyproxy.answering.rules import Rules

if TYPE_CHECKING:
    from collections.abc import Collection, Container, Iterable, Mapping

    from aimyproxy.answering.background import Hints
    from aimyproxy.answering.eventanswers import EventAnswers
    from aimyproxy.answering.misses import Sample
    from aimyproxy.answering.mocks import Mock
    from aimyproxy.answering.serving import Match
    from aimyproxy.answering.turns import Turns
    from aimyproxy.exchange import Exchange


@dataclass(frozen=True, slots=True)
class Mocks:
    """The mocks that are enabled, sorted by what they do.

    `rules` answer by their conditions, `edits` in the place of the exchange whose id is their key. `lost` are those
    that edit an exchange which is not in the recording; `failing` says whether some have a fault.
    """

    count: int = 0
    rules: Rules = field(default_factory=Rules)
    edits: Mapping[int, Mock] = field(default_factory=dict)
    lost: tuple[Mock, ...] = ()
    failing: bool = False

    @classmethod
    def of(cls, enabled: Collection[Mock], origins: Mapping[int, Exchange], missing: Container[int | None]) -> Mocks:
        """These mocks, in the order of the file.

        `origins` has the exchanges that rules were made from, as far as they exist, by id; edits of those `missing`
        are lost.
        """
        rules = Rules()
        for mock in enabled:
            if not mock.edits_exchange:
                origin = origins.get(mock.from_exchange) if mock.from_exchange is not None else None
                rules.add(mock, Answerer.of_mock(mock, mock.from_exchange if origin else None, origin))
        lost = tuple(mock for mock in enabled if mock.edits_exchange and mock.from_exchange in missing)
        return cls(len(enabled), rules, edits_of(enabled), lost, any(mock.fault for mock in enabled))


def edits_of(enabled: Iterable[Mock]) -> dict[int, Mock]:
    """What answers in the place of which exchange; of several edits of one exchange, the first."""
    edits: dict[int, Mock] = {}
    for mock in enabled:
        if mock.edits_exchange and mock.from_exchange is not None:
            edits.setdefault(mock.from_exchange, mock)
    return edits


@dataclass(frozen=True, slots=True)
class Contents:
    """All that an index knows; never changed once it is built.

    `exact` has the answers by the request's key, `events` by event. `exchanges` and `answering` count what was read
    and what can answer; `deep` are the ids of those nested too deep for that. `samples` hold recorded requests of each
    event, the latest ones, for explaining misses; `waits` how long the webhook took. `hints` is what the user knows of
    an event's deciding paths, for the match `learned`.
    """

    match: Match = "event"
    hints: Mapping[str, Hints] = field(default_factory=dict)
    exchanges: int = 0
    answering: int = 0
    deep: tuple[int, ...] = ()
    exact: Mapping[bytes, Turns] = field(default_factory=dict)
    events: Mapping[str, EventAnswers] = field(default_factory=dict)
    samples: Mapping[str | None, list[Sample]] = field(default_factory=dict)
    waits: Waits = field(default_factory=Waits)
    mocks: Mocks = field(default_factory=Mocks)

    @property
    def warnings(self) -> list[str]:
        """Sentences about what will never answer."""
        return [
            *(f"Exchange {identity} is nested too deep to answer anything." for identity in self.deep),
            *(
                f"Mock {mock.identity} edits exchange {mock.from_exchange}, which is not in the recording: "
                "it answers nothing."
                for mock in self.mocks.lost
            ),
        ]
