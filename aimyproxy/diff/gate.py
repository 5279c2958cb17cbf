"""Which differences make a diff fail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from aimyproxy.diff.changes import Change

ALONE: Final = "alone"
SLOWER: Final = "slower"
CAUSES: Final = ("added", "removed", "changed", "status", "failure", ALONE, SLOWER)
"""All that may fail a diff: what happened to a variable, to the status, to an exchange's partner, to the time."""
_USUAL: Final = frozenset(CAUSES) - {SLOWER}


@dataclass(frozen=True, slots=True)
class Gate:
    """A diff fails where more than `most` changes are of these causes."""

    causes: frozenset[str] = _USUAL
    most: int = 0

    def fails(self, changes: list[Change], alone: int, slower: int) -> bool:
        """Whether these changes fail the diff, so many events with exchanges without a partner, and slower ones."""
        failing = sum(cause_of(change) in self.causes for change in changes)
        failing += alone * (ALONE in self.causes) + slower * (SLOWER in self.causes)
        return failing > self.most

    @property
    def words(self) -> list[str]:
        """What a person told this gate."""
        told = [] if self.causes == _USUAL else [f"fails on {', '.join(one for one in CAUSES if one in self.causes)}"]
        return told + ([f"lets {self.most} {'change' if self.most == 1 else 'changes'} pass"] if self.most else [])


def cause_of(change: Change) -> str:
    """Which of the causes a change is."""
    if change.aspect in ("status", "failure"):
        return change.aspect
    return "changed" if change.kind == "type" else change.kind


USUAL: Final = Gate()
"""Fails on any difference."""
