"""What a recording knows of one event, for finding its answers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aimyproxy.answering.turns import Turns

if TYPE_CHECKING:
    from aimyproxy.answering.answers import Answerer
    from aimyproxy.answering.lessons import Lessons
    from aimyproxy.exchange import Conversation, Exchange


@dataclass(slots=True)
class EventAnswers:
    """What the recording knows of one event: who answered whom in which turn, and the effect seen most often."""

    lessons: Lessons
    turns: Turns = field(default_factory=Turns)
    first: dict[bytes, Answerer] = field(default_factory=dict)
    seen: Counter[bytes] = field(default_factory=Counter)
    usual: Answerer | None = None
    longest: int = 0
    longest_unnamed: int = 0

    def sequence(self, conversation: Conversation | None) -> int:
        """How often at most it was asked for in a recorded conversation; that without a user counts for its like."""
        return (self.longest_unnamed if conversation is None else 0) or self.longest or self.longest_unnamed

    def count(self, conversation: Conversation | None, turn: int) -> None:
        """Take note that a conversation asked for it the `turn`-th time, from 0."""
        if conversation is None:
            self.longest_unnamed = turn + 1
        else:
            self.longest = max(self.longest, turn + 1)

    def add(self, effect: bytes, exchange: Exchange, answerer: Answerer) -> None:
        """Add an exchange and the key of its effect."""
        if exchange.conversation is not None:
            self.turns.add(exchange.conversation, answerer)
        self.first.setdefault(effect, answerer)
        self.seen[effect] += 1

    def close(self) -> None:
        """Settle on the usual answer, and forget what was only counted for it."""
        # max() keeps the first of equals, and the effects stand in the order of their first exchange.
        self.usual = self.first[max(self.first, key=lambda effect: self.seen[effect])]
        self.first.clear()
        self.seen.clear()
