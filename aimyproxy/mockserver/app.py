"""The application: one request in, one reply out, and never a traceback to the bot."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple, Protocol

from aimyproxy.answering.answers import Answer
from aimyproxy.answering.journal import Entry
from aimyproxy.answering.missed import MissedEvents
from aimyproxy.answering.misses import Miss
from aimyproxy.content import TooLargeError
from aimyproxy.errors import described
from aimyproxy.mockserver.faulty import Trouble, reply_to, without_body
from aimyproxy.mockserver.heard import Heard
from aimyproxy.mockserver.messages import Reply

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from aimyproxy.answering.asked import Asked
    from aimyproxy.answering.faults import Fault
    from aimyproxy.answering.journal import Journal
    from aimyproxy.answering.replayer import Replayer
    from aimyproxy.guard import Refusal
    from aimyproxy.mockserver.faulty import Line
    from aimyproxy.mockserver.onmiss import OnMiss


class Observer(Protocol):
    """Who is told of what the server does; called from several threads."""

    def served(self, entry: Entry) -> None:
        """A request was answered."""

    def refused(self, refusal: Refusal) -> None:
        """A request was refused, and is in no journal."""

    def news(self, message: str) -> None:
        """Something went well that the user wants to know of."""

    def trouble(self, message: str) -> None:
        """Something went wrong, and the server goes on."""


class _Asking(NamedTuple):
    """A request that is being answered: since when, what it asks, and what was found for it."""

    heard: Heard
    begun: float
    asked: Asked
    found: Answer | Miss
    fault: Fault | None

    @property
    def miss(self) -> Miss | None:
        """The miss, where it is one; a mock that fails on purpose is no gap in the recording."""
        return self.found if isinstance(self.found, Miss) and not (self.fault and self.found.fault) else None


class App:
    """Answers the bot from a replayer, and keeps a journal of it.

    `trouble` is what goes wrong or takes long on purpose.
    """

    def __init__(
        self,
        replayer: Replayer,
        on_miss: OnMiss,
        observer: Observer,
        journal: Journal,
        missed: MissedEvents | None = None,
        trouble: Trouble | None = None,
    ) -> None:
        self._missed = missed or MissedEvents()
        self._trouble = trouble or Trouble()
        self._replayer = replayer
        self._journal = journal
        self._on_miss = on_miss
        self._observer = observer

    def answer(self, heard: Heard, line: Line) -> Reply | Awaitable[None]:
        """The reply to a request; or, where that takes its time, what has to be awaited and sends it over the line."""
        begun = time.perf_counter()
        try:
            redactor = self._replayer.redactor
            if redactor is not None:
                redactor.heed(heard.credentials)
            asked, found = self._replayer.answer(heard, b"" if heard.coding else heard.raw)
            if self._trouble.calm and isinstance(found, Answer) and not (found.delay_ms or found.fault):
                reply = _reply_of(found)
                self._tell(heard, asked, reply, str(found.source), begun, None)
                return reply
            fault = self._trouble.strike(asked.event, found.fault)
            asking = _Asking(heard, begun, asked, found, fault)
            made = self._made(asking)
            if fault is None and isinstance(made, Reply):
                return self._told(asking, made)
            return self._late(asking, made, line)
        except Exception as error:
            return self.failed(heard, error)

    def failed(self, heard: Heard, error: Exception) -> Reply:
        """The reply to a request that could not be answered."""
        if isinstance(error, TooLargeError):
            return self.refused(heard, 413, f"the request is larger than {heard.limit} bytes")
        self._observer.trouble(f"A request could not be answered: {described(error)}")
        return self.refused(heard, 500, "aimyproxy met an unexpected error; its terminal says more")

    def refused(self, heard: Heard, status: int, problem: str) -> Reply:
        """The reply to a request that is not answered; what came of its body is not kept."""
        reply = Reply.of_json(status, {"error": problem}, "error")
        bare = Heard(heard.method, heard.target, heard.headers, size=heard.size - len(heard.raw))
        self._tell(bare, None, reply, "error", time.perf_counter(), None)
        return reply

    def _made(self, asking: _Asking) -> Reply | Awaitable[Reply]:
        found = asking.found
        if not isinstance(found, Miss):
            seconds = self._trouble.delay(asking.asked.event, found.delay_ms, self._replayer.index.waits)
            return self._after(seconds, _reply_of(found)) if seconds else _reply_of(found)
        if asking.miss:
            self._missed.add(asking.miss)
        # What the bot won't get, nobody need be asked for: the target might take a payment.
        if asking.fault is not None and asking.fault.spoils:
            return Reply.of_json(200, {}, "miss")
        return self._on_miss.reply(asking.heard.request, asking.heard.raw, found)

    async def _after(self, seconds: float, reply: Reply) -> Reply:
        await self._trouble.pause(seconds)
        return reply

    async def _late(self, asking: _Asking, made: Reply | Awaitable[Reply], line: Line) -> None:
        heard, fault = asking.heard, asking.fault
        try:
            reply = made if isinstance(made, Reply) else await made
            if fault is not None:
                reply = reply_to(fault, reply)
            reply = self._told(asking, reply)
        except Exception as error:
            reply, fault = self.failed(heard, error), None
        head, sent = line.head(heard, reply), without_body(reply, heard.method)
        if fault is None:
            await line.send(head + sent.body)
        else:
            await self._trouble.send(fault, sent, head, line)

    def _told(self, asking: _Asking, reply: Reply) -> Reply:
        heard, begun, asked, found, fault = asking
        if fault is not None:
            source = f"fault {fault.kind}"
        else:
            source = reply.source if isinstance(found, Miss) else str(found.source)
        if fault is None or fault.answers:
            self._tell(heard, asked, reply, source, begun, asking.miss)
        else:
            self._tell(heard, asked, None, source, begun, asking.miss)
        return reply

    def _tell(
        self, heard: Heard, asked: Asked | None, reply: Reply | None, source: str, begun: float, miss: Miss | None
    ) -> None:
        entry = Entry(
            0,
            time.time(),
            asked.event if asked else None,
            asked.conversation if asked else None,
            heard,
            reply.status if reply else None,
            reply.headers if reply else (),
            reply.body if reply else b"",
            source,
            (time.perf_counter() - begun) * 1000,
            heard.size + (len(reply.body) if reply else 0),
            miss,
        )
        self._journal.add(entry)
        self._observer.served(entry)


def _reply_of(answer: Answer) -> Reply:
    if not 200 <= answer.status <= 599:
        problem = f"the recorded status {answer.status} can't be served"
        return Reply.of_json(500, {"error": problem}, answer.source.header)
    return Reply(answer.status, answer.headers, answer.body, answer.source.header)
