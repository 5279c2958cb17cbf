"""What a recording knows of one event, for finding its answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aimyproxy.answering.turns import Turns

if TYPE_CHECKING:
    from aimyproxy.answering.answers import Answerer
    from aimyproxy.answering.lessons import Lessons
    from aimyproxy.answering.usual import Usual
    from aimyproxy.exchange import Conversation, Exchange


@dataclass(slots=True)
class EventAnswers:
    """What the recording knows of one event: who answered whom in which turn, and the usual answer.

    `lessons` and `effects` are there for the matches `learned` and `event`.
    """

    lessons: Lessons
    effects: Usual
    turns: Turns = field(default_factory=Turns)
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

    def add(self, exchange: Exchange, answerer: Answerer) -> None:
        """Add what answers in the place of the next exchange."""
        if exchange.conversation is not None:
            self.turns.add(exchange.conversation, answerer)

    def close(self) -> None:
        """Settle on the usual answer."""
        self.usual = self.effects.settled()
