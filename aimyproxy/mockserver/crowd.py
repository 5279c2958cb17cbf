"""The connections of all bots: how many there may be, and which ones have to go for others."""

from __future__ import annotations

import heapq
import math
from typing import Final, Protocol

_AT_ONCE: Final = 100
"""To look for who is idle takes a while with many connections: one in so many goes each time."""


class Member(Protocol):
    """A connection."""

    def idle_since(self) -> float:
        """When it last said or heard something, by some clock; infinity while it is busy with a request."""

    def drop(self) -> None:
        """End it at once."""


class Crowd:
    """At most so many connections; where there are more, those that have been idle longest make room."""

    def __init__(self, most: int) -> None:
        self._most = most
        # In the order in which they came.
        self._members: dict[Member, None] = {}

    def enter(self, member: Member) -> None:
        """A connection begins, and is dropped where all others are busy."""
        if len(self._members) >= self._most:
            self._make_room()
        if len(self._members) < self._most:
            self._members[member] = None
        else:
            member.drop()

    def leave(self, member: Member) -> None:
        """A connection has ended."""
        self._members.pop(member, None)

    def _make_room(self) -> None:
        count = max(1, self._most // _AT_ONCE)
        for member in heapq.nsmallest(count, self._members, key=lambda one: one.idle_since()):
            if member.idle_since() < math.inf:
                del self._members[member]
                member.drop()
