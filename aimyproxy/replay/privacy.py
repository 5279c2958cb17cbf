"""Keeping one user's values out of another user's answers."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aimyproxy import jsonvalue
from aimyproxy.replay.expressions import is_number
from aimyproxy.replay.features import PREVIOUS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from aimyproxy.jsonvalue import JSON, Path
    from aimyproxy.replay.features import Situation

_SHORTEST: Final = 3
_SHORTEST_NUMBER: Final = 5


@dataclass(frozen=True, slots=True)
class Privacy:
    """Which paths hold values that differ between requests, so that they may be somebody's own."""

    varying: frozenset[Path]

    @classmethod
    def of(cls, situations: Sequence[Situation]) -> Privacy:
        """What the recorded situations show."""
        values: dict[Path, set[bytes]] = defaultdict(set)
        for situation in situations:
            for path, value in situation.values.items():
                if len(values[path]) < 2 and path != PREVIOUS:
                    values[path].add(jsonvalue.canonical(value))
        return cls(frozenset(path for path, found in values.items() if len(found) > 1 or len(situations) == 1))

    def reveals(self, situations: Sequence[Situation], value: JSON, keys: Iterable[Path] = ()) -> bool:
        """Whether a value, answered in all these situations, holds something that all of their requests had.

        What it holds without one of the requests having had it is nobody's own, and whoever gets it has the same
        values at `keys` anyway.
        """
        text = value if isinstance(value, str) else jsonvalue.dumps(value).decode()
        suspects = self._own(situations[0], text) - {_spelled(situations[0].values.get(key)) for key in keys}
        for situation in situations[1:]:
            if not suspects:
                return False
            suspects &= self._own(situation, text)
        return bool(suspects)

    def _own(self, situation: Situation, text: str) -> set[str]:
        found = {_spelled(value) for path, value in situation.values.items() if path in self.varying}
        return {own for own in found if own and own in text}


def _spelled(value: JSON) -> str:
    """The value as it would stand in a text, or an empty string where that says nothing about anybody."""
    if isinstance(value, str):
        return value if len(value) >= _SHORTEST else ""
    if is_number(value) and len(str(value)) >= _SHORTEST_NUMBER:
        return str(value)
    return ""
