"""What replay remembers of the conversations it serves, in bounded memory: how often what was asked, and what last."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aimyproxy.exchange import Conversation

MOST: Final = 10_000

Asked: TypeAlias = str | bytes
"""An event's name, or the key of a request."""


@dataclass(slots=True)
class _Standing:
    """Where a conversation stands: its counters, and the event that it asked for last."""

    counter: dict[Asked, int] = field(default_factory=dict)
    event: str | None = None


class Conversations:
    """Occurrence counters per conversation; where there are too many, the one silent for longest is forgotten.

    Not for several threads at once.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._standings: OrderedDict[Conversation | None, _Standing] = OrderedDict()

    def __len__(self) -> int:
        return len(self._standings)

    def forget(self, user: str | None = None) -> int:
        """Let the conversations of this user begin anew, or all; returns how many they were."""
        gone = [
            conversation
            for conversation in self._standings
            if user is None or (conversation is not None and conversation[2] == user)
        ]
        for conversation in gone:
            del self._standings[conversation]
        return len(gone)

    def count(self, conversation: Conversation | None, asked: Iterable[Asked]) -> list[int]:
        """How often each of these was asked in the conversation before; from now on, once more."""
        counter = self._standing(conversation).counter
        before = []
        for one in asked:
            known = counter.get(one, 0)
            before.append(known)
            counter[one] = known + 1
        return before

    def follow(self, conversation: Conversation | None, event: str | None) -> str | None:
        """The event that the conversation asked for before this one; None at first contact, or without either."""
        if conversation is None or event is None:
            return None
        standing = self._standing(conversation)
        previous, standing.event = standing.event, event
        return previous

    def _standing(self, conversation: Conversation | None) -> _Standing:
        standing = self._standings.get(conversation)
        if standing is None:
            standing = self._standings[conversation] = _Standing()
            if len(self._standings) > self._most:
                self._standings.popitem(last=False)
        else:
            self._standings.move_to_end(conversation)
        return standing
