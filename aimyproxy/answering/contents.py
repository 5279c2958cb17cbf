"""What an index knows: the recorded answers and the mocks, each where a look-up finds it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aimyproxy.answering.answers import Answerer
from aimyproxy.answering.recorded import Recorded
from aimyproxy.answering.rules import Rules
from aimyproxy.answering.survey import deep_warning

if TYPE_CHECKING:
    from collections.abc import Collection, Container, Iterable, Mapping

    from aimyproxy.answering.background import Hints
    from aimyproxy.answering.mocks import Mock
    from aimyproxy.answering.serving import Match
    from aimyproxy.answering.survey import Held
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
    """All that an index knows: what was recorded, and the mocks."""

    match: Match
    recorded: Recorded
    mocks: Mocks

    @classmethod
    def of(cls, held: Held, mocks: Iterable[Mock], match: Match, hints: Mapping[str, Hints]) -> Contents:
        """What these exchanges and mocks (in the order of the file) come to; raises as the walk over the exchanges."""
        enabled = [mock for mock in mocks if mock.enabled]
        recorded = Recorded(held, edits_of(enabled), hints)
        return cls(match, recorded, _mocks(enabled, recorded))

    def edited(self, mocks: Iterable[Mock], hints: Mapping[str, Hints]) -> Contents | None:
        """These contents with other mocks and hints; None where that changes which exchanges answer at all."""
        enabled = [mock for mock in mocks if mock.enabled]
        recorded = self.recorded.edited(edits_of(enabled), hints)
        return None if recorded is None else Contents(self.match, recorded, _mocks(enabled, recorded))

    @property
    def warnings(self) -> list[str]:
        """Sentences about what will never answer, as far as it is known by now."""
        return [
            *(deep_warning(identity) for identity in self.recorded.survey.deep),
            *(
                f"Mock {mock.identity} edits exchange {mock.from_exchange}, which is not in the recording: "
                "it answers nothing."
                for mock in self.mocks.lost
            ),
            *self.recorded.troubles,
        ]


def _mocks(enabled: Collection[Mock], recorded: Recorded) -> Mocks:
    wanted = {mock.from_exchange for mock in enabled if mock.from_exchange is not None}
    there = wanted & set(recorded.survey.identities) if wanted else set()
    rules = {mock.from_exchange for mock in enabled if not mock.edits_exchange}
    origins = {one: exchange for one in there & rules if (exchange := recorded.exchange(one))}
    return Mocks.of(enabled, origins, wanted - there)
