"""How much of what was recorded follows from the rest if certain paths decide."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from aimyproxy.answering.expressions import ABSENT

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from aimyproxy.answering.candidates import Row
    from aimyproxy.answering.expressions import Expression
    from aimyproxy.jsonvalue import Path

Grouped: TypeAlias = "dict[Path, dict[Hashable, int]]"
"""The rows that have each value at a path, as bits."""


@dataclass(slots=True)
class Evidence:
    """The sampled rows, and for each expression the rows in which it holds, as bits.

    `constants` are the different values, `value_of` says which of them each row has.
    Sets of rows are numbers, a bit for each row. `grouped` remembers the rows of each value at a path, `cut` those of
    the cells.
    """

    rows: Sequence[Row]
    generic: dict[Expression, int]
    constants: dict[bytes, int]
    value_of: Sequence[int]
    grouped: Grouped
    cut: dict[tuple[Path, ...], list[int]] = field(default_factory=dict)

    def cells(self, keys: tuple[Path, ...]) -> list[int]:
        """The rows of each cell, as bits."""
        if not keys:
            return [(1 << len(self.rows)) - 1]
        # Sets of paths are tried in an order in which many begin alike.
        if keys[:-1] not in self.cut:
            self.cut[keys[:-1]] = self.cells(keys[:-1])
        groups = self.by(keys[-1]).values()
        cells = []
        for cell in self.cut[keys[:-1]]:
            if cell & (cell - 1):
                cells += [both for group in groups if (both := cell & group)]
            else:
                cells.append(cell)
        return cells

    def right(self, keys: tuple[Path, ...], least: int = 0) -> int:
        """How many rows follow from the others if these paths decide; where fewer than `least`, any number below."""
        best_generic = max(self.generic.values(), key=int.bit_count, default=0)
        total = len(self.rows)
        for cell in self.cells(keys):
            count = cell.bit_count()
            total -= count - self._right_in(cell, count, best_generic)
            if total < least:
                break
        return total

    def _right_in(self, cell: int, count: int, best_generic: int) -> int:
        if count == 1:
            return 1 if cell & best_generic else 0
        same = self._most_alike(cell, count)
        if same == count:
            return count
        made = max([(cell & rows).bit_count() for rows in self.generic.values()], default=0)
        return max(same if same > 1 else 0, made)

    def _most_alike(self, cell: int, count: int) -> int:
        """How many of the cell's rows have the same value, at most."""
        if len(self.constants) <= count:
            return max([(cell & rows).bit_count() for rows in self.constants.values()])
        # There are more values than rows here: looking at the rows is shorter.
        counts: dict[int, int] = {}
        while cell:
            lowest = cell & -cell
            value = self.value_of[lowest.bit_length() - 1]
            counts[value] = counts.get(value, 0) + 1
            cell ^= lowest
        return max(counts.values())

    def by(self, key: Path) -> dict[Hashable, int]:
        """The rows of each value at this path, as bits."""
        if key not in self.grouped:
            groups: dict[Hashable, int] = {}
            bit = 1
            for situation, _ in self.rows:
                value = situation.values.get(key, ABSENT)
                # Values are scalars: equal ones are the same, unless one is a boolean.
                group = (value,) if isinstance(value, bool) else value
                groups[group] = groups.get(group, 0) | bit
                bit <<= 1
            self.grouped[key] = groups
        return self.grouped[key]
