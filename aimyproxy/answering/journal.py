"""What was asked and what was answered, in bounded memory, for those who want to check it afterwards."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Protocol

from aimyproxy.content import kept_body
from aimyproxy.exchange import Response

if TYPE_CHECKING:
    from aimyproxy.answering.misses import Miss
    from aimyproxy.exchange import Conversation, Headers, Request
    from aimyproxy.jsonvalue import JSON

MOST: Final = 1_000
MOST_BYTES: Final = 64 * 1024 * 1024
"""How many entries a journal keeps, and how many bytes of bodies; the oldest go first, the latest one always stays."""


class Kept(Protocol):
    """What keeps a request in little space, and makes it whole when it is asked for."""

    @property
    def request(self) -> Request:
        """The request."""


# Made for each request that is answered: being frozen would take as long again.
@dataclass(slots=True)
class Entry:
    """A request and what it got. `number` counts from 1 in the order of answering; a journal sets it.

    `moment` is when it was answered, in seconds since 1970. `source` is as in `exact #17`; `miss` is set where nothing
    answered. `status`, `headers` and `body` are what was sent; None, empty and empty where the bot got no answer.
    `size` is in bytes of request and response as they were sent.
    """

    number: int
    moment: float
    event: str | None
    conversation: Conversation | None
    kept: Kept
    status: int | None
    headers: Headers
    body: bytes
    source: str
    milliseconds: float
    size: int
    miss: Miss | None = None

    @property
    def at(self) -> datetime:
        """When it was answered, in UTC."""
        return datetime.fromtimestamp(self.moment, UTC)

    @property
    def request(self) -> Request:
        """What the bot sent."""
        return self.kept.request

    @property
    def variables(self) -> dict[str, JSON] | None:
        """What the bot sent; None where it was no JSON object."""
        return self.request.body.variables()

    @property
    def response(self) -> Response | None:
        """What the bot got, its body decoded as in a recording; or None."""
        if self.status is None:
            return None
        coding = next((value for name, value in self.headers if name.lower() == "content-encoding"), "")
        return Response(self.status, self.headers, kept_body(self.body, coding, MOST_BYTES))


class Journal:
    """The latest entries; for several threads at once."""

    def __init__(self, most: int = MOST, most_bytes: int = MOST_BYTES) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._entries: deque[Entry] = deque()
        self._bytes = 0
        self._total = 0
        self._lock = threading.Lock()

    @property
    def total(self) -> int:
        """How many entries were added, those included that are kept no more."""
        return self._total

    def add(self, entry: Entry) -> None:
        """Number the entry, and keep it."""
        with self._lock:
            self._total += 1
            entry.number = self._total
            self._entries.append(entry)
            self._bytes += entry.size
            while len(self._entries) > self._most or (self._bytes > self._most_bytes and len(self._entries) > 1):
                self._bytes -= self._entries.popleft().size

    def entries(
        self,
        event: str | None = None,
        user: str | None = None,
        *,
        missed: bool | None = None,
        after: int = 0,
    ) -> list[Entry]:
        """The kept entries in order: of this event, of this user (`userId`), misses or none, numbered above `after`."""
        with self._lock:
            kept = list(self._entries)
        return [
            entry
            for entry in kept
            if entry.number > after
            and event in (None, entry.event)
            and (user is None or (entry.conversation is not None and entry.conversation[2] == user))
            and missed in (None, entry.miss is not None)
        ]

    def clear(self) -> None:
        """Forget the entries; numbers go on."""
        with self._lock:
            self._entries.clear()
            self._bytes = 0
