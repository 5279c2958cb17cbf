"""What replay remembers of the conversations it serves, in bounded memory: how often what was asked, and what last."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aimyproxy.exchange import Conversation

MOST: Final = 10_000
_SHARE: Final = 100

Asked: TypeAlias = str | bytes
"""An event's name, or the key of a request."""


class Conversations:
    """Occurrence counters per conversation; where there are too many, those silent for longest are forgotten.

    Not for several threads at once.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        # Of each, its counters, and at `None` the event that it asked for last; who asked last stands last.
        self._standings: dict[Conversation | None, dict[Asked | None, Any]] = {}

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

    def ask(
        self, conversation: Conversation | None, counted: Iterable[Asked], event: str | None = None
    ) -> tuple[dict[Asked, int], str | None]:
        """How often each of `counted` was asked in the conversation before; from now on, once more.

        And the event that it asked for before this one; None at first contact, or without a conversation or an event.
        """
        standing = self._standings.pop(conversation, None)
        if standing is None:
            standing = {}
            self._make_room()
        self._standings[conversation] = standing
        turns = {}
        for one in counted:
            turns[one] = known = standing.get(one, 0)
            standing[one] = known + 1
        if conversation is None or event is None:
            return turns, None
        previous = standing.get(None)
        standing[None] = event
        return turns, previous

    def _make_room(self) -> None:
        if len(self._standings) >= self._most:
            # Some at once: to find the first one of a dictionary takes time where many went before it.
            for conversation in list(islice(self._standings, max(1, self._most // _SHARE))):
                del self._standings[conversation]
