"""What stayed unanswered in a run, by event: how often, and what would help."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from aimyproxy.answering.misses import Miss

MOST: Final = 200
"""How many events are told apart; the misses of further ones are only counted."""


@dataclass(slots=True)
class Missed:
    """The misses of one event: how many, and the latest."""

    count: int
    latest: Miss


class MissedEvents:
    """Counts misses by event, in bounded memory.

    `total` counts all, `others` those of the events for which there was no room.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._by_event: dict[str | None, Missed] = {}
        self.total = 0
        self.others = 0

    def add(self, miss: Miss) -> None:
        """Count one more."""
        self.total += 1
        known = self._by_event.get(miss.event)
        if known is not None:
            known.count += 1
            known.latest = miss
        elif len(self._by_event) < self._most:
            self._by_event[miss.event] = Missed(1, miss)
        else:
            self.others += 1

    def ranked(self) -> list[Missed]:
        """One entry an event, the most frequent first, of equals the first met."""
        return sorted(self._by_event.values(), key=lambda missed: -missed.count)

    def clear(self) -> None:
        """Begin anew."""
        self._by_event.clear()
        self.total = self.others = 0
