"""Replay as a whole: a request in, an answer or an explained miss out; the index may be exchanged at any time."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from aimyproxy.answering.answers import Answer
from aimyproxy.answering.asked import Asked, Lately
from aimyproxy.answering.conversations import Conversations
from aimyproxy.answering.misses import explain
from aimyproxy.answering.serving import AS_RECORDED
from aimyproxy.exchange import Request

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aimyproxy.answering.asked import Asking
    from aimyproxy.answering.index import Index
    from aimyproxy.answering.misses import Miss
    from aimyproxy.answering.mocks import Mock
    from aimyproxy.answering.serving import Serving
    from aimyproxy.redaction.redactor import Redactor


class Replayer:
    """Answers requests from an index and remembers where each conversation stands.

    `index` may be set to a newer one, from any thread; conversations go on where they were. `arguments` is how a
    command line names the recording, for the suggestions of misses. With a `redactor`, which may be set to another one
    likewise, a request is redacted before its answer is looked up, and what the answer took from it is taken from the
    live one.
    """

    def __init__(
        self,
        index: Index,
        arguments: str = "NAME",
        serving: Serving = AS_RECORDED,
        conversations: Conversations | None = None,
        redactor: Redactor | None = None,
    ) -> None:
        self.redactor = redactor
        self._lock = threading.Lock()
        self._base = self._index = index
        self._overlay: Sequence[Mock] = ()
        self.conversations = Conversations() if conversations is None else conversations
        self._arguments = arguments
        self._serving = serving
        self._lately = Lately()

    @property
    def index(self) -> Index:
        """What answers, the overlay included."""
        return self._index

    @index.setter
    def index(self, index: Index) -> None:
        with self._lock:
            self._base, self._index = index, index.overlaid(self._overlay)

    def overlay(self, mocks: Sequence[Mock]) -> None:
        """Lay these mocks over the index, and over those that come, in the place of what was laid over before."""
        with self._lock:
            self._overlay, self._index = tuple(mocks), self._base.overlaid(mocks)

    def answer(self, request: Asking, raw: bytes = b"") -> tuple[Asked, Answer | Miss]:
        """What the request asks, and the answer to it or the miss; counts the request in its conversation.

        `raw` are the bytes that the body is, where they are known.
        """
        if self.redactor is not None:
            # A body may be parsed each time that it is asked for.
            request = Request(request.method, request.path, (), request.body)
            redacted, replaced = self.redactor.request(request)
            if replaced:
                from aimyproxy.answering.restoring import restored

                live = Asked.of(request)
                found = self._found(Asked.of(redacted), live)
                if isinstance(found, Answer):
                    found = restored(found, request.body, redacted.body, replaced)
                return live, found
        asked = self._lately.asked(request, raw) if raw else Asked.of(request)
        return asked, self._found(asked)

    def _found(self, asked: Asked, live: Asked | None = None) -> Answer | Miss:
        index = self._index
        turns, previous = self.conversations.ask(asked.conversation, index.counted(asked), asked.event)
        answer = index.find(asked, turns, previous, self._serving, live)
        if answer is not None and not answer.hollow:
            return answer
        exhausted = index.exhausted(asked, turns, self._serving)
        miss = explain(asked, index.samples, index.standing(asked.event), self._arguments, exhausted)
        return replace(miss, fault=answer.fault) if answer else miss
