"""What stayed unanswered in a run, by event: how often, and what would help."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from aimyproxy.answering.misses import Miss

MOST: Final = 200
"""How many events are told apart; the misses of further ones are only counted."""

_LONGEST: Final = 200


@dataclass(slots=True)
class Missed:
    """The misses of one event: how many, and the latest."""

    count: int
    latest: Miss


class MissedEvents:
    """Counts misses by event, in bounded memory.

    `total` counts all of the run, `others` those of the events for which there was no room. An event is known by its
    first 200 characters.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._by_event: dict[str | None, Missed] = {}
        self.total = 0
        self.others = 0

    def add(self, miss: Miss) -> None:
        """Count one more."""
        self.total += 1
        miss = _cut(miss)
        known = self._by_event.get(miss.event)
        if known is not None:
            known.count += 1
            known.latest = miss
        elif len(self._by_event) < self._most:
            self._by_event[miss.event] = Missed(1, miss)
        else:
            self.others += 1

    def merge(self, other: MissedEvents) -> None:
        """Count what the other one counted, too."""
        self.total += other.total
        self.others += other.others
        for missed in other.ranked():
            known = self._by_event.get(missed.latest.event)
            if known is not None:
                known.count += missed.count
            elif len(self._by_event) < self._most:
                self._by_event[missed.latest.event] = replace(missed)
            else:
                self.others += missed.count

    def ranked(self) -> list[Missed]:
        """One entry an event, the most frequent first, of equals the first met."""
        return sorted(self._by_event.values(), key=lambda missed: -missed.count)

    def clear(self) -> None:
        """Forget the events; `total` goes on."""
        self._by_event.clear()
        self.others = 0


def _cut(miss: Miss) -> Miss:
    """The miss without the long values that a bot may send for its names."""
    event = None if miss.event is None else miss.event[:_LONGEST]
    if miss.conversation is None:
        return replace(miss, event=event)
    channel_type, channel, user = miss.conversation
    cut = (channel_type and channel_type[:_LONGEST], channel and channel[:_LONGEST], user[:_LONGEST])
    return replace(miss, event=event, conversation=cut)
