"""What the user sees of requests that were refused: the first of each kind, and how many there were."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from aimyproxy.cli.output import counted, say

if TYPE_CHECKING:
    from aimyproxy.guard import Reason, Refusal

_WORDS: Final[dict[Reason, str]] = {
    "path": "without the secret path",
    "header": "without the secret header",
    "rate": "above the rate limit",
    "proxy": "for a whole URL",
    "outside": "for a path outside of the target's",
    "strict": "that could not be recorded",
}


class Refusals:
    """Tells of each kind of refusal once: whoever floods us must not flood the terminal."""

    def __init__(self) -> None:
        self._counts: Counter[Reason] = Counter()

    def merge(self, other: Refusals) -> None:
        """Count what the other one counted and told of, too."""
        self._counts.update(other._counts)

    def add(self, refusal: Refusal) -> None:
        """Count a refusal, and tell of it where it is the first of its kind."""
        self._counts[refusal.reason] += 1
        if self._counts[refusal.reason] == 1:
            about = {"reason": refusal.reason, "count": 1}
            say(f"{refusal.told} Further ones are counted.", "yellow", "refused", lambda: about)

    def summary(self) -> None:
        """How many there were."""
        if total := self._counts.total():
            kinds = ", ".join(f"{count:,} {_WORDS[reason]}" for reason, count in self._counts.most_common())
            about = {"reasons": dict(self._counts), "count": total}
            say(f"Refused {counted(total, 'request')}: {kinds}.", None, "refused", lambda: about)
