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

    def replaced(self, conversation: Conversation | None, answerer: Answerer) -> Turns:
        """These turns with this answerer in the place of the one for the same exchange, in this conversation."""

        def with_it(sequence: list[Answerer]) -> list[Answerer]:
            return [answerer if one.exchange == answerer.exchange else one for one in sequence]

        own = {conversation: with_it(self.by_conversation.get(conversation, []))}
        return Turns({**self.by_conversation, **own}, with_it(self.anyone))

    def length(self, conversation: Conversation | None) -> int:
        """How often this conversation asked; the longest of all where it never did."""
        return len(self.by_conversation.get(conversation) or self.anyone)

    def of(self, conversation: Conversation | None, turn: int, *, cycle: bool = False) -> Answerer | None:
        """What answered this conversation's asking number `turn` (from 0); None where it never asked.

        After the last, that one again, or from the first on where the sequence is a cycle.
        """
        return _at(self.by_conversation.get(conversation), turn, cycle)

    def of_anyone(self, conversation: Conversation | None, turn: int, *, cycle: bool = False) -> Answerer | None:
        """As `of`, or where this conversation never asked, what answered the same turn in the first that did."""
        return _at(self.by_conversation.get(conversation) or self.anyone, turn, cycle)


def _at(sequence: list[Answerer] | None, turn: int, cycle: bool) -> Answerer | None:
    if not sequence:
        return None
    return sequence[turn % len(sequence) if cycle else min(turn, len(sequence) - 1)]
