"""Replay as a whole: a request in, an answer or an explained miss out; the index may be exchanged at any time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aimyproxy.answering.asked import Asked
from aimyproxy.answering.conversations import Conversations
from aimyproxy.answering.misses import explain

if TYPE_CHECKING:
    from aimyproxy.answering.answers import Answer
    from aimyproxy.answering.index import Index
    from aimyproxy.answering.misses import Miss
    from aimyproxy.exchange import Request


class Replayer:
    """Answers requests from an index and remembers where each conversation stands.

    `index` may be set to a newer one, from any thread; conversations go on where they were. `arguments` is how a
    command line names the recording, for the suggestions of misses.
    """

    def __init__(self, index: Index, arguments: str = "NAME", conversations: Conversations | None = None) -> None:
        self.index = index
        self.conversations = conversations or Conversations()
        self._arguments = arguments

    def answer(self, request: Request) -> tuple[Asked, Answer | Miss]:
        """What the request asks, and the answer to it or the miss; counts the request in its conversation."""
        index, asked = self.index, Asked.of(request)
        counted = index.counted(asked)
        turns = dict(zip(counted, self.conversations.count(asked.conversation, counted), strict=True))
        previous = self.conversations.follow(asked.conversation, asked.event)
        answer = index.find(asked, turns, previous)
        if answer is not None:
            return asked, answer
        return asked, explain(asked, index.samples, index.standing(asked.event), self._arguments)
