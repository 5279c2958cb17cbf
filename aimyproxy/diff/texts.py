"""The part of a long text that changed."""

from __future__ import annotations

from dataclasses import dataclass

from aimyproxy.diff.arrays import common_start


@dataclass(frozen=True, slots=True)
class TextChange:
    """Two texts less what they have in common at both ends: `start` + `head` + `before` + `tail` + the rest.

    `before` and `after` are what differs, `head` and `tail` the common characters around it; `start` counts the
    characters left out before `head`, `end` those behind `tail`.
    """

    start: int
    head: str
    before: str
    after: str
    tail: str
    end: int


def changed_part(before: str, after: str, around: int = 12) -> TextChange:
    """Where two texts differ, with at most so many common characters on either side."""
    start = common_start(before, after)
    rest = min(len(before), len(after)) - start
    end = common_start(before[: -rest - 1 : -1], after[: -rest - 1 : -1]) if rest else 0
    first, last = max(0, start - around), min(end, around)
    before_end, after_end = len(before) - end, len(after) - end
    return TextChange(
        first,
        before[first:start],
        before[start:before_end],
        after[start:after_end],
        before[before_end : before_end + last],
        end - last,
    )
