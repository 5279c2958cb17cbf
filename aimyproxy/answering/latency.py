"""How long answers wait before they are served: as recorded, as told, or not at all."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from aimyproxy.errors import InvalidOption

if TYPE_CHECKING:
    from random import Random

SAMPLES: Final = 1_000
"""How many recorded times are kept of each event, the latest ones."""

FORMS: Final = "none, recorded, x2, 200ms or 100..400ms"
_NUMBER: Final = r"([0-9]{1,7}(?:\.[0-9]+)?)"
_FACTOR: Final = re.compile(f"x{_NUMBER}")
_RANGE: Final = re.compile(rf"(?:{_NUMBER}(ms|s)?\.\.)?{_NUMBER}(ms|s)")
_LONGEST_MS: Final = 3_600_000.0


@dataclass(slots=True)
class Waits:
    """How long the webhook took in the recording, in milliseconds, by event."""

    by_event: dict[str | None, deque[float]] = field(default_factory=dict)

    def add(self, event: str | None, upstream_ms: float | None) -> None:
        """Add what one exchange took; None where nobody measured it."""
        if upstream_ms is None:
            return
        known = self.by_event.get(event)
        if known is None:
            known = self.by_event[event] = deque(maxlen=SAMPLES)
        known.append(upstream_ms)

    def drawn(self, event: str | None, random: Random) -> float:
        """One of the event's times; of all events' where it has none, 0 where nothing has."""
        known = self.by_event.get(event)
        if known is None:
            if not self.by_event:
                return 0.0
            times = list(self.by_event.values())
            known = random.choices(times, [len(one) for one in times])[0]
        return random.choice(known)


@dataclass(frozen=True, slots=True)
class Latency:
    """`factor` times a recorded time, plus a time between `least` and `most` milliseconds."""

    factor: float = 0.0
    least: float = 0.0
    most: float = 0.0

    @property
    def given(self) -> bool:
        """Whether answers wait at all."""
        return bool(self.factor or self.most)

    @classmethod
    def parse(cls, spelled: str) -> Latency:
        """The latency that is spelled `none`, `recorded`, `x2`, `200ms` or `100..400ms` (`s` for seconds).

        Raises:
            InvalidOption: it is none of these.
        """
        if spelled in ("none", "recorded"):
            return cls(factor=float(spelled == "recorded"))
        if found := _FACTOR.fullmatch(spelled):
            return cls(factor=float(found[1]))
        if (found := _RANGE.fullmatch(spelled)) is None:
            raise _no_latency(spelled)
        most = _milliseconds(found[3], found[4])
        # A lower bound without a unit has the upper one's.
        least = _milliseconds(found[1], found[2] or found[4]) if found[1] else most
        if not least <= most <= _LONGEST_MS:
            raise _no_latency(spelled)
        return cls(0.0, least, most)

    def drawn(self, event: str | None, waits: Waits, random: Random) -> float:
        """Milliseconds for an answer to this event."""
        recorded = self.factor * waits.drawn(event, random) if self.factor else 0.0
        return min(recorded, _LONGEST_MS) + (random.uniform(self.least, self.most) if self.most else 0.0)


def _milliseconds(number: str, unit: str) -> float:
    return float(number) * (1000 if unit == "s" else 1)


def _no_latency(spelled: str) -> InvalidOption:
    return InvalidOption(f"{spelled!r} is no latency: write {FORMS}, at most an hour.")
