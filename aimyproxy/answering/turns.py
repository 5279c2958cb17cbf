"""Who answers when the same is asked again: the recorded sequence of a conversation, then its last."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aimyproxy.answering.answers import Answerer
    from aimyproxy.exchange import Conversation


@dataclass(slots=True)
class Turns:
    """The answerers of one thing that bots ask, in recorded order.

    `anyone[k]` is the first recorded one that was the answer to the k-th asking in its conversation (k from 0).
    """

    by_conversation: dict[Conversation | None, list[Answerer]] = field(default_factory=dict)
    anyone: list[Answerer] = field(default_factory=list)

    def add(self, conversation: Conversation | None, answerer: Answerer) -> None:
        """Add what answered next in this conversation."""
        own = self.by_conversation.setdefault(conversation, [])
        own.append(answerer)
        if len(own) > len(self.anyone):
            self.anyone.append(answerer)

    def length(self, conversation: Conversation | None) -> int:
        """How often this conversation asked; the longest of all where it never did."""
        return len(self.by_conversation.get(conversation) or self.anyone)

    def of_anyone(self, conversation: Conversation | None, turn: int, *, cycle: bool = False) -> Answerer | None:
        """What answered this conversation's asking number `turn` (from 0).

        Where it never asked, what answered the same turn in the first that did. After the last, that one again, or from
        the first on where the sequence is a cycle.
        """
        return at(self.by_conversation.get(conversation) or self.anyone, turn, cycle=cycle)


def at(sequence: list[Answerer], turn: int, *, cycle: bool) -> Answerer | None:
    """What answers asking number `turn` (from 0) by this sequence; None where it is empty."""
    if not sequence:
        return None
    return sequence[turn % len(sequence) if cycle else min(turn, len(sequence) - 1)]
