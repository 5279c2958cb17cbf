"""What replay remembers of the conversations it serves: how often each thing was asked, in bounded memory."""

from __future__ import annotations

from collections import Counter, OrderedDict
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aimyproxy.exchange import Conversation

MOST: Final = 10_000

Asked: TypeAlias = str | bytes
"""An event's name, or the key of a request."""


class Conversations:
    """Occurrence counters per conversation; where there are too many, the one silent for longest is forgotten.

    Not for several threads at once.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._counters: OrderedDict[Conversation | None, Counter[Asked]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._counters)

    def count(self, conversation: Conversation | None, asked: Iterable[Asked]) -> list[int]:
        """How often each of these was asked in the conversation before; from now on, once more."""
        counter = self._counters.get(conversation)
        if counter is None:
            counter = self._counters[conversation] = Counter()
            if len(self._counters) > self._most:
                self._counters.popitem(last=False)
        else:
            self._counters.move_to_end(conversation)
        before = []
        for one in asked:
            before.append(counter[one])
            counter[one] += 1
        return before
