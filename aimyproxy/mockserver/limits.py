"""What a bot may ask of the server: how much it may send, and how long it may take over it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from aimyproxy.sockets import MOST_CONNECTIONS

BODY_LIMIT: Final = 64 * 1024 * 1024
"""Bytes of a request's body, as sent and as decompressed; above it the answer is a 413."""

_BYTES_A_SECOND: Final = 16 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes, times in seconds; `connections` is how many there may be at once.

    `head` is for the request line and the headers, and for what surrounds the chunks of a body. `head_seconds` is for
    a whole head, `body_seconds` for a body, and larger ones get more, 16 kB a second. `idle_seconds` is how long a
    connection may say nothing between requests, `unread_seconds` how long it may leave answers unread.
    """

    connections: int = MOST_CONNECTIONS
    head: int = 64 * 1024
    body: int = BODY_LIMIT
    head_seconds: float = 30.0
    body_seconds: float = 30.0
    idle_seconds: float = 75.0
    unread_seconds: float = 60.0
    linger_seconds: float = 2.0

    def for_body(self, size: int) -> float:
        """How many seconds the body may take of which so many bytes have come."""
        return self.body_seconds + size / _BYTES_A_SECOND

    @property
    def shortest(self) -> float:
        """The shortest of the times."""
        return min(self.head_seconds, self.body_seconds, self.idle_seconds, self.unread_seconds, self.linger_seconds)
