"""The ASGI application: one request in, one reply out, and never a traceback to the bot."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from aimyproxy.content import TooLargeError
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
from aimyproxy.replay.misses import Miss

if TYPE_CHECKING:
    from aimyproxy.exchange import Conversation, Request
    from aimyproxy.mockserver.onmiss import OnMiss
    from aimyproxy.replay.answers import Answer
    from aimyproxy.replay.asked import Asked
    from aimyproxy.replay.replayer import Replayer


@dataclass(frozen=True, slots=True)
class Served:
    """What the bot asked and what it got. `source` is as in `exact #17`; `miss` is set where nothing answered."""

    event: str | None
    conversation: Conversation | None
    method: str
    path: str
    status: int
    source: str
    milliseconds: float
    miss: Miss | None = None


class Observer(Protocol):
    """Who is told of what the server does; called from several threads."""

    def served(self, served: Served) -> None:
        """A request was answered."""

    def news(self, message: str) -> None:
        """Something went well that the user wants to know of."""

    def trouble(self, message: str) -> None:
        """Something went wrong, and the server goes on."""


class App:
    """Answers the bot from a replayer. `limit` is in bytes of a request's body."""

    def __init__(self, replayer: Replayer, on_miss: OnMiss, observer: Observer, limit: int = BODY_LIMIT) -> None:
        self._replayer = replayer
        self._on_miss = on_miss
        self._observer = observer
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one HTTP request."""
        if scope["type"] != "http":
            return
        try:
            reply = await self._reply(scope, receive)
        except TooLargeError:
            problem = f"the request is larger than {self._limit} bytes"
            reply = self._refused(scope, 413, problem)
        except Disconnected:
            return
        except Exception as error:
            self._observer.trouble(f"A request could not be answered: {_described(error)}")
            reply = self._refused(scope, 500, "aimyproxy met an unexpected error; its terminal says more")
        await send_reply(reply, send)

    async def _reply(self, scope: Scope, receive: Receive) -> Reply:
        raw = await read_body(scope, receive, self._limit)
        begun = time.perf_counter()
        request = request_of(scope, raw, self._limit)
        asked, found = self._replayer.answer(request)
        if isinstance(found, Miss):
            reply = await self._on_miss.reply(request, raw, found)
            self._tell(request, asked, reply, reply.source, begun, found)
        else:
            reply = await _answered(found)
            self._tell(request, asked, reply, str(found.source), begun)
        return reply

    def _tell(
        self, request: Request, asked: Asked, reply: Reply, source: str, begun: float, miss: Miss | None = None
    ) -> None:
        milliseconds = (time.perf_counter() - begun) * 1000
        told = (asked.event, asked.conversation, request.method, request.path, reply.status, source, milliseconds)
        self._observer.served(Served(*told, miss))

    def _refused(self, scope: Scope, status: int, problem: str) -> Reply:
        self._observer.served(Served(None, None, scope["method"], scope["path"], status, "error", 0.0))
        # The rest of what the bot sends is not worth reading.
        reply = Reply.of_json(status, {"error": problem}, "error")
        return Reply(status, (*reply.headers, ("connection", "close")), reply.body, "error")


async def _answered(answer: Answer) -> Reply:
    if answer.delay_ms:
        await asyncio.sleep(answer.delay_ms / 1000)
    if not 200 <= answer.status <= 599:
        problem = f"the recorded status {answer.status} can't be served"
        return Reply.of_json(500, {"error": problem}, answer.source.header)
    return Reply(answer.status, answer.headers, answer.body, answer.source.header)


def _described(error: Exception) -> str:
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    place = f" ({Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno})" if trace else ""
    return f"{type(error).__name__}: {error}{place}"
