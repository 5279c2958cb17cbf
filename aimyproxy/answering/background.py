"""What is known of an event's values before they are looked at: by the user, and of whose they are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aimyproxy.errors import InvalidDocument
from aimyproxy.selectors import Selector

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from aimyproxy.answering.candidates import Row
    from aimyproxy.answering.evidence import Grouped
    from aimyproxy.answering.features import Situation
    from aimyproxy.answering.privacy import Privacy
    from aimyproxy.jsonvalue import JSON, Path


@dataclass(frozen=True, slots=True)
class Hints:
    """What the user knows: paths that decide where values vary, and paths that never do."""

    pinned: tuple[Path, ...] = ()
    forbidden: frozenset[Path] = frozenset()

    @classmethod
    def parse(cls, pinned: Iterable[str], forbidden: Iterable[str]) -> Hints:
        """The hints that JSONPaths to single places spell; raises InvalidDocument, also where one says both."""
        pinned, forbidden = list(pinned), list(forbidden)
        hints = cls(tuple(map(_steps, pinned)), frozenset(map(_steps, forbidden)))
        if both := [path for path, steps in zip(pinned, hints.pinned, strict=True) if steps in hints.forbidden]:
            raise InvalidDocument(f"{both[0]} is pinned and forbidden: leave out one of them")
        return hints


@dataclass(frozen=True, slots=True)
class Background:
    """What is known beforehand of the values of an event: by the user, and of whose they are.

    Without `privacy` they say nothing of anybody. For all values of an event one background is to be used, since it
    remembers how the situations differ.
    """

    hints: Hints = field(default_factory=Hints)
    privacy: Privacy | None = None
    _grouped: dict[tuple[int, ...], Grouped] = field(default_factory=dict)

    def grouped(self, rows: Sequence[Row]) -> Grouped:
        """What is known of how the situations of these rows differ, to be filled."""
        orders = tuple(situation.order for situation, _ in rows)
        # Only what was recorded has an order.
        return self._grouped.setdefault(orders, {}) if len(set(orders)) == len(orders) else {}

    def reveals(self, situations: Sequence[Situation], value: JSON, keys: Iterable[Path] = ()) -> bool:
        """Whether a value, answered in all these situations, holds what may be somebody's own."""
        return self.privacy is not None and self.privacy.reveals(situations, value, keys)

    def shared(self, rows: Sequence[Row]) -> frozenset[str] | None:
        """The words that several conversations were answered; None where it doesn't matter."""
        if self.privacy is None:
            return None
        from aimyproxy.answering.expressions import ABSENT
        from aimyproxy.answering.privacy import shared

        return shared((situation, value) for situation, value in rows if value is not ABSENT)


def _steps(spelled: str) -> Path:
    steps = Selector.parse(spelled).steps
    if not steps:
        raise InvalidDocument(f"{spelled!r} has to lead to one variable of the request, for example $.order.total")
    return steps
