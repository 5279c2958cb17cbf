"""Replies as the bytes that they are on the wire."""

from __future__ import annotations

import http
import time
from email.utils import formatdate
from typing import TYPE_CHECKING, Final

from aimyproxy.answering.answers import HEADER
from aimyproxy.answering.mocks import sendable
from aimyproxy.mockserver.messages import WITHOUT_BODY

if TYPE_CHECKING:
    from aimyproxy.exchange import Headers
    from aimyproxy.mockserver.heard import Heard
    from aimyproxy.mockserver.messages import Reply

CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"

_MOST_HEADS: Final = 4096
_LONGEST_HEAD: Final = 2048
_SOURCE: Final = HEADER.encode()


class Wire:
    """Spells replies; what it has spelled of heads it remembers, since most are alike."""

    def __init__(self) -> None:
        self._heads: dict[tuple[int, Headers], bytes] = {}
        self._date = b""
        self.tick()

    def tick(self) -> None:
        """Look at the clock, for the header Date; to be called about once a second."""
        self._date = formatdate(time.time(), usegmt=True).encode()

    def spelled(self, reply: Reply, heard: Heard, *, last: bool) -> bytes:
        """The whole reply to this request; `last` says that the connection ends with it."""
        head = self.head(reply, heard, last=last)
        return head if reply.status in WITHOUT_BODY or heard.method == "HEAD" else head + reply.body

    def head(self, reply: Reply, heard: Heard, *, last: bool) -> bytes:
        """All but the body."""
        status, headers, body, source = reply
        known = self._heads.get((status, headers)) or self._add(status, headers)
        connection = b"Connection: close\r\n" if last else b"Connection: keep-alive\r\n" if heard.old else b""
        length = b"" if status in WITHOUT_BODY else b"Content-Length: %d\r\n" % len(body)
        return b"%b%b: %b\r\nDate: %b\r\n%b%b\r\n" % (known, _SOURCE, source.encode(), self._date, connection, length)

    def _add(self, status: int, headers: Headers) -> bytes:
        if len(self._heads) >= _MOST_HEADS:
            self._heads.clear()
        sent = (f"{name}: {value}" for name, value in headers if sendable(name, value))
        spelled = "".join(f"{line}\r\n" for line in (f"HTTP/1.1 {status} {_phrase(status)}", *sent))
        known = spelled.encode("utf-8", "surrogateescape")
        # What a target answers may be long, and never the same.
        if len(known) <= _LONGEST_HEAD:
            self._heads[status, headers] = known
        return known


def _phrase(status: int) -> str:
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return ""
