"""A bot's connection: requests as they come over the wire, answered in order and at once where that is possible.

Nothing is made for a request but what its answer needs: no task, no timer, no queue. Those are for answers that take
their time. Reading stops while a bot leaves its answers unread, or sends more requests than are answered.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import socket
import struct
from collections import deque
from typing import TYPE_CHECKING, Any, Final, cast

from aimyproxy.mockserver.heard import Heard
from aimyproxy.mockserver.messages import Reply
from aimyproxy.mockserver.outgoing import Outgoing
from aimyproxy.mockserver.reading import Reader
from aimyproxy.mockserver.refusals import Refusal, TurnedAway
from aimyproxy.mockserver.wire import CONTINUE

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from uvicorn.server import ServerState

    from aimyproxy.mockserver.shared import Shared

# The system then answers with a reset instead of waiting for what is unsent.
_NO_LINGER: Final = struct.pack("ii", 1, 0)
_NO_REQUEST: Final = Heard("", b"", [])


class Connection(asyncio.Protocol):
    """One connection, from its beginning to its end; uvicorn makes one for each that it accepts."""

    def __init__(self, shared: Shared, state: ServerState) -> None:
        self._shared = shared
        self._state: Any = state
        self._reader = Reader(shared.limits, shared.guard, shared.heads)
        # Both are there from `connection_made` on.
        self._transport: asyncio.Transport
        self._outgoing: Outgoing
        # Since when it waits for what comes next.
        self._since = shared.now
        # Whole requests, and what is refused, behind one that is being answered.
        self._waiting: deque[Heard | Refusal] = deque()
        self._task: asyncio.Task[None] | None = None
        # There while the bot doesn't read what it is sent.
        self._unread: asyncio.Event | None = None
        self._gone = asyncio.Event()
        # Whether the answer that is being sent says that it is the last one.
        self._last = False
        self._half_closed = self._ending = self._stopping = False

    @property
    def _busy(self) -> bool:
        return self._task is not None or self._unread is not None or bool(self._waiting)

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It begins."""
        self._transport = cast("asyncio.Transport", transport)
        self._outgoing = Outgoing(self._transport, self._shared.turn)
        self._reader.address = (transport.get_extra_info("peername") or ("",))[0]
        self._state.connections.add(self)
        self._shared.crowd.enter(self)

    def connection_lost(self, _error: Exception | None) -> None:
        """It has ended; what is being answered goes on, since others may have to know of it."""
        self._state.connections.discard(self)
        self._shared.crowd.leave(self)
        self._reader.close()
        self._waiting.clear()
        self._ending = True
        self._gone.set()
        if self._unread is not None:
            self._unread.set()

    def data_received(self, data: bytes) -> None:
        """More bytes from the bot."""
        reader = self._reader
        if not self._busy and (known := reader.known(data)):
            self._since = self._shared.now
            self._answer(known)
            return
        began = reader.phase == "idle"
        whole = reader.feed(data)
        if len(whole) == 1 and not self._busy:
            self._serve(whole[0])
        elif whole:
            self._waiting.extend(whole)
            self._go_on()
        if whole or (began and reader.phase != "idle"):
            self._since = self._shared.now
        if self._waiting:
            self._transport.pause_reading()
        elif reader.phase == "body":
            self._continue()

    def eof_received(self) -> bool:
        """The bot has nothing more to say; returns whether there will be something to say to it."""
        if self._reader.phase != "idle" and not self._reader.over:
            refusal = self._reader.refused(Refusal(400, "the request ended before it was whole"))
            self._waiting.append(refusal)
            self._go_on()
        self._half_closed = True
        self._outgoing.flush()
        # With TLS there is no half of a connection.
        return self._busy and self._transport.get_extra_info("sslcontext") is None

    def pause_writing(self) -> None:
        """The bot doesn't read what it is sent."""
        self._unread = asyncio.Event()
        self._since = self._shared.now
        if not self._ending:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        """The bot reads again."""
        if self._unread is not None:
            self._unread.set()
            self._unread = None
            self._go_on()

    # What the server calls.

    def shutdown(self) -> None:
        """The server goes: what is whole, or almost, is answered yet."""
        self._stopping = True
        if self._ending or not (self._busy or self._reader.phase == "body"):
            self._end()

    def drop(self) -> None:
        """The server has waited long enough, or needs the room for others."""
        self._transport.abort()

    def idle_since(self) -> float:
        """When it last said or heard something; infinity while a body is read or a request answered."""
        busy = self._busy or self._outgoing.waits or self._reader.phase == "body"
        return math.inf if busy else self._since

    def look(self) -> None:
        """See whether something takes too long."""
        limits, phase = self._shared.limits, self._reader.phase
        waited = self._shared.now - self._since
        if self._unread is not None or self._transport.is_closing():
            if waited > limits.unread_seconds:
                self._transport.abort()
        elif self._ending:
            if waited > limits.linger_seconds:
                self._transport.abort()
        elif self._busy:
            return
        elif phase == "idle":
            if waited > limits.idle_seconds:
                self._end()
        elif waited > limits.head_seconds + (limits.for_body(self._reader.received) if phase == "body" else 0):
            self._refuse(self._reader.refused(Refusal(408, f"the request's {phase} took too long to come")))

    # What answers that take their time call.

    def head(self, heard: Heard, reply: Reply) -> bytes:
        """All of the reply to this request but its body."""
        self._last = self._is_last(heard)
        return self._shared.wire.head(reply, heard, last=self._last)

    async def send(self, data: bytes) -> None:
        """Send these bytes; returns once the bot takes them, or is gone."""
        if not self._ending:
            self._outgoing.write(data)
            self._outgoing.flush()
        if self._unread is not None:
            await self._unread.wait()

    async def hung_up(self) -> None:
        """Returns once the bot is gone."""
        await self._gone.wait()

    def reset(self) -> None:
        """Let go of the connection such that the bot notices it."""
        self._outgoing.flush()
        connection = self._transport.get_extra_info("socket")
        if connection is not None and connection.fileno() >= 0:
            # A duplicate: the event loop's own object may not let us set options.
            with contextlib.suppress(OSError), socket.socket(fileno=os.dup(connection.fileno())) as same:
                same.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self._ending = True
        self._transport.abort()

    # The rest is its own business.

    def _serve(self, one: Heard | Refusal) -> None:
        if isinstance(one, Refusal):
            self._refuse(one)
        else:
            self._answer(one)

    def _answer(self, heard: Heard) -> None:
        answer = self._shared.app.answer(heard, self)
        if isinstance(answer, Reply):
            last = self._is_last(heard)
            self._outgoing.write(self._shared.wire.spelled(answer, heard, last=last))
            if last:
                self._end()
        else:
            self._begin(answer)

    def _begin(self, answer: Awaitable[None]) -> None:
        task = self._task = asyncio.ensure_future(answer)
        self._state.tasks.add(task)
        task.add_done_callback(self._answered)

    def _answered(self, task: asyncio.Task[None]) -> None:
        self._state.tasks.discard(task)
        self._task = None
        if self._ending:
            return
        if task.cancelled() or task.exception():
            self._transport.abort()
        elif self._last:
            self._end()
        else:
            self._go_on()

    def _go_on(self) -> None:
        """Serve what waits, as far as that is possible; then listen again."""
        while self._waiting and self._task is None and self._unread is None and not self._ending:
            self._serve(self._waiting.popleft())
        if self._busy or self._ending:
            return
        self._since = self._shared.now
        if self._half_closed:
            self._end()
        else:
            self._transport.resume_reading()
            self._continue()

    def _continue(self) -> None:
        """Say that the body may come, where the bot waits for that word."""
        if self._reader.expects and not self._busy:
            self._reader.expected()
            self._outgoing.write(CONTINUE)

    def _refuse(self, refusal: Refusal) -> None:
        heard = refusal.heard
        if isinstance(refusal, TurnedAway):
            self._shared.turned_away(refusal)
            reply = Reply(refusal.status, refusal.why.headers, refusal.why.body, "refused")
        elif heard is not None:
            reply = self._shared.app.refused(heard, refusal.status, str(refusal))
        else:
            self._shared.tell(refusal)
            reply = Reply.of_json(refusal.status, {"error": str(refusal)}, "error")
        self._outgoing.write(self._shared.wire.spelled(reply, heard or _NO_REQUEST, last=True))
        self._end(refused=True)

    def _is_last(self, heard: Heard) -> bool:
        return heard.last or (self._stopping and not self._waiting)

    def _end(self, *, refused: bool = False) -> None:
        """End it once all is sent; who may still be sending is heard out for a moment, or would never read why."""
        self._ending = True
        self._waiting.clear()
        self._since = self._shared.now
        if refused and not self._stopping and not self._half_closed and self._transport.can_write_eof():
            self._outgoing.write_eof()
            self._transport.resume_reading()
        else:
            self._outgoing.close()
