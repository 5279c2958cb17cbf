"""All that was measured, by part, and how one figure is held against another.

A part is a list of rows, plain dictionaries as they go into the JSON report. What is None was not measured.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Row: TypeAlias = "dict[str, Any]"


@dataclass
class Figures:
    """The rows of each part, and for parts that could not be measured at all, why."""

    parts: dict[str, list[Row]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    def row(self, part: str, **wanted: Any) -> Row | None:
        """The first row that has these values."""
        return next((row for row in self.parts.get(part, []) if wanted.items() <= row.items()), None)

    def value(self, part: str, key: str, **wanted: Any) -> float | None:
        """A figure of that row; None where it was not measured, or where there was trouble in measuring."""
        row = self.row(part, **wanted)
        return row.get(key) if row and not row.get("trouble") else None

    def quotient(self, part: str, of: Row, to: Row) -> float | None:
        """How many times as fast one row is as the other one, as `ratio` has it."""
        first, second = self.row(part, **of), self.row(part, **to)
        if first is None or second is None or first["trouble"] or second["trouble"]:
            return None
        return ratio(first["rates"], second["rates"])


def ratio(these: list[float], those: list[float]) -> float | None:
    """The median of the rounds' quotients: what disturbed a round disturbed both. None where there is none."""
    if len(these) != len(those) or not these or not all(those):
        return None
    return statistics.median(one / other for one, other in zip(these, those, strict=True))


def divided(one: float | None, other: float | None) -> float | None:
    """The quotient of two medians; None where one of them was not measured."""
    return None if one is None or not other else one / other
