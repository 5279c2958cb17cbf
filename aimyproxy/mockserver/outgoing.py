"""What goes out on a connection: gathered until the event loop has looked at all others.

So the answers to many bots that asked at the same time leave one after the other, and whoever gets them is woken once.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

_MOST: Final = 64 * 1024
"""Bytes that wait at most: who sends many requests at once is to be noticed when he doesn't read the answers."""


class Turn:
    """A turn of the event loop: at its end, all connections of a server send what waits on them."""

    def __init__(self) -> None:
        self._waiting: deque[Outgoing] = deque()

    def await_end(self, outgoing: Outgoing) -> None:
        """Have this one send at the end of the turn."""
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._end)
        self._waiting.append(outgoing)

    def _end(self) -> None:
        try:
            while self._waiting:
                self._waiting.popleft().flush()
        finally:
            if self._waiting:
                # One failed: that is nothing to the others.
                asyncio.get_running_loop().call_soon(self._end)


class Outgoing:
    """The sending half of a transport."""

    def __init__(self, transport: asyncio.Transport, turn: Turn) -> None:
        self._transport = transport
        self._turn = turn
        self._waiting: list[bytes] = []
        self._size = 0

    @property
    def waits(self) -> bool:
        """Whether something is still to be sent."""
        return bool(self._waiting)

    def write(self, data: bytes) -> None:
        """Send this at the end of the loop's turn."""
        waiting = self._waiting
        if not waiting:
            self._turn.await_end(self)
        waiting.append(data)
        self._size += len(data)
        if self._size > _MOST:
            self.flush()

    def flush(self) -> None:
        """Send all that waits."""
        waiting = self._waiting
        if waiting:
            self._waiting, self._size = [], 0
            self._transport.write(waiting[0] if len(waiting) == 1 else b"".join(waiting))

    def write_eof(self) -> None:
        """Send what waits, and that nothing follows; the bot may still be sending."""
        self.flush()
        self._transport.write_eof()

    def close(self) -> None:
        """Send what waits, and end the connection."""
        self.flush()
        self._transport.close()
