"""The ASGI application: one request in, one reply out, and never a traceback to the bot."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from aimyproxy.answering.journal import Entry
from aimyproxy.answering.missed import MissedEvents
from aimyproxy.answering.misses import Miss
from aimyproxy.content import TooLargeError
from aimyproxy.mockserver.faulty import Trouble, reply_to
from aimyproxy.mockserver.messages import (
    BODY_LIMIT,
    Disconnected,
    Receive,
    Reply,
    Scope,
    Send,
    read_body,
    request_of,
    send_reply,
)

if TYPE_CHECKING:
    from aimyproxy.answering.answers import Answer
    from aimyproxy.answering.asked import Asked
    from aimyproxy.answering.faults import Fault
    from aimyproxy.answering.journal import Journal
    from aimyproxy.answering.replayer import Replayer
    from aimyproxy.exchange import Request
    from aimyproxy.mockserver.onmiss import OnMiss


class Observer(Protocol):
    """Who is told of what the server does; called from several threads."""

    def served(self, entry: Entry) -> None:
        """A request was answered."""

    def news(self, message: str) -> None:
        """Something went well that the user wants to know of."""

    def trouble(self, message: str) -> None:
        """Something went wrong, and the server goes on."""


class App:
    """Answers the bot from a replayer, and keeps a journal of it. `limit` is in bytes of a request's body.

    `trouble` is what goes wrong or takes long on purpose.
    """

    def __init__(
        self,
        replayer: Replayer,
        on_miss: OnMiss,
        observer: Observer,
        journal: Journal,
        limit: int = BODY_LIMIT,
        missed: MissedEvents | None = None,
        trouble: Trouble | None = None,
    ) -> None:
        self._missed = missed or MissedEvents()
        self._trouble = trouble or Trouble()
        self._replayer = replayer
        self._journal = journal
        self._on_miss = on_miss
        self._observer = observer
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one HTTP request."""
        if scope["type"] != "http":
            return
        fault = None
        try:
            reply, fault = await self._reply(scope, receive)
        except TooLargeError:
            problem = f"the request is larger than {self._limit} bytes"
            reply = self._refused(scope, 413, problem)
        except Disconnected:
            return
        except Exception as error:
            self._observer.trouble(f"A request could not be answered: {described(error)}")
            reply = self._refused(scope, 500, "aimyproxy met an unexpected error; its terminal says more")
        if fault is None:
            await send_reply(reply, send)
        else:
            await self._trouble.send(fault, reply, scope, receive, send)

    async def _reply(self, scope: Scope, receive: Receive) -> tuple[Reply, Fault | None]:
        raw = await read_body(scope, receive, self._limit)
        begun = time.perf_counter()
        request = request_of(scope, raw, self._limit)
        asked, found = self._replayer.answer(request)
        fault = self._trouble.strike(asked.event, found.fault)
        # A mock that fails on purpose is no gap in the recording.
        miss = found if isinstance(found, Miss) and not (fault and found.fault) else None
        if isinstance(found, Miss):
            if miss:
                self._missed.add(miss)
            # What the bot won't get, nobody need be asked for: the target might take a payment.
            spoilt = fault is not None and fault.spoils
            reply = Reply.of_json(200, {}, "miss") if spoilt else await self._on_miss.reply(request, raw, found)
            source = reply.source
        else:
            await self._trouble.wait(asked.event, found.delay_ms, self._replayer.index.waits)
            reply, source = _reply_of(found), str(found.source)
        if fault is not None:
            reply, source = reply_to(fault, reply), f"fault {fault.kind}"
        self._tell(request, asked, reply, source, begun, len(raw), miss, fault)
        return reply, fault

    def _tell(
        self,
        request: Request,
        asked: Asked | None,
        reply: Reply,
        source: str,
        begun: float,
        size: int = 0,
        miss: Miss | None = None,
        fault: Fault | None = None,
    ) -> None:
        unanswered = fault is not None and not fault.answers
        entry = Entry(
            self._journal.next_number(),
            datetime.now(UTC),
            asked.event if asked else None,
            asked.conversation if asked else None,
            request,
            None if unanswered else reply.status,
            () if unanswered else reply.headers,
            b"" if unanswered else reply.body,
            source,
            (time.perf_counter() - begun) * 1000,
            size + (0 if unanswered else len(reply.body)),
            miss,
        )
        self._journal.add(entry)
        self._observer.served(entry)

    def _refused(self, scope: Scope, status: int, problem: str) -> Reply:
        reply = Reply.of_json(status, {"error": problem}, "error")
        request = request_of(scope, b"", self._limit)
        self._tell(request, None, reply, "error", time.perf_counter())
        # The rest of what the bot sends is not worth reading.
        return Reply(status, (*reply.headers, ("connection", "close")), reply.body, "error")


def _reply_of(answer: Answer) -> Reply:
    if not 200 <= answer.status <= 599:
        problem = f"the recorded status {answer.status} can't be served"
        return Reply.of_json(500, {"error": problem}, answer.source.header)
    return Reply(answer.status, answer.headers, answer.body, answer.source.header)


def described(error: Exception) -> str:
    """An unexpected error for the terminal: what it is, and where it came from."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    place = f" ({Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno})" if trace else ""
    return f"{type(error).__name__}: {error}{place}"
