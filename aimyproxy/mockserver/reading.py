"""Bytes of a connection turned into whole requests, or into the reason why they are none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import httptools

from aimyproxy.mockserver.heard import Heard
from aimyproxy.mockserver.refusals import (
    PLAIN,
    Refusal,
    TurnedAway,
    check_first_line,
    head_of,
    path_of,
    refusal_of,
    too_large,
)

if TYPE_CHECKING:
    from aimyproxy.guard import Guard
    from aimyproxy.mockserver.heads import Heads
    from aimyproxy.mockserver.heard import RawHeaders
    from aimyproxy.mockserver.limits import Limits

Phase: TypeAlias = Literal["idle", "head", "body"]

_PER_HEADER: Final = 4
# Somebody may send a chunk for each byte; nobody needs more than this around it.
_AROUND_A_BYTE: Final = 16


class Reader:
    """Reads requests. `phase` is what comes next: the begin of a request, more of its head, or more of its body.

    `over` says that nothing that comes is looked at any more; `received` is how many bytes of a body have come. Where
    there is a `guard`, requests from `address` are those that it lets in, without its secrets. `heads` are those that
    need not be read again.
    """

    def __init__(self, limits: Limits, guard: Guard | None = None, heads: Heads | None = None) -> None:
        self._limits = limits
        self._guard = guard
        # A guard has to look at each of them.
        self._heads = heads if guard is None else None
        self.address = ""
        self._parser = httptools.HttpRequestParser(self)
        self._whole: list[Heard | Refusal] = []
        self.over = False
        self.phase: Phase = "idle"
        self._url = b""
        self._headers: RawHeaders = []
        self._parts: list[bytes] = []
        self._head = PLAIN
        self._head_size = self._pending = self.received = 0
        self._upgrading = False

    @property
    def expects(self) -> bool:
        """Whether the bot waits for a word before it sends the body."""
        return self.phase == "body" and self._head.expects and not (self.received or self.over)

    def expected(self) -> None:
        """The word was said."""
        self._head = self._head._replace(expects=False)

    def close(self) -> None:
        """Let go of the parser, which knows its reader."""
        self.over = True
        del self._parser

    def known(self, data: bytes) -> Heard | None:
        """The request that these bytes are, if that is known without reading them; else they have to be fed."""
        if self._heads is None or self.phase != "idle" or self.over:
            return None
        return self._heads.heard(data)

    def feed(self, data: bytes) -> list[Heard | Refusal]:
        """The requests that are whole with these bytes; at the end of them, perhaps, why there are no more."""
        if self.over:
            return []
        heads = self._heads if self.phase == "idle" else None
        whole = self._whole = []
        try:
            self._parse(data)
            if not whole and self.phase != "idle":
                self._check_surplus(len(data))
        except Refusal as refusal:
            whole.append(self.refused(refusal))
        if heads is not None and len(whole) == 1 and self._head is PLAIN and isinstance(heard := whole[0], Heard):
            heads.read(data, heard)
        return whole

    def refused(self, refusal: Refusal) -> Refusal:
        """The refusal, knowing the request that it is for, if that is known; nothing is read any more."""
        self.over = True
        if self.phase == "body":
            refusal.heard = Heard(self._method(), self._url, self._headers, size=self._head_size)
        return refusal

    def _parse(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            rest = data[upgrade.args[0] :]
        except httptools.HttpParserError as error:
            # What follows the last request of a connection is nobody's business.
            if self.over:
                return
            if isinstance(error.__context__, Refusal):
                raise error.__context__ from None
            raise refusal_of(error, data) from None
        else:
            return
        # Not inside the exception: it would take the place of the one that says why a request is refused.
        self._upgrading = False
        head = self._without_upgrade()
        self._parser = httptools.HttpRequestParser(self)
        self._parse(head + rest)

    def _without_upgrade(self) -> bytes:
        """The head of a request once more, without its offer of another protocol, which nobody has to accept."""
        version = self._parser.get_http_version().encode()
        lines = [b"%b %b HTTP/%b" % (self._parser.get_method(), self._url, version)]
        lines += [b"%b: %b" % header for header in self._headers if header[0] != b"upgrade"]
        return b"\r\n".join(lines) + b"\r\n\r\n"

    def _check_surplus(self, size: int) -> None:
        """See that what came in so many bytes, with no request whole, is not too much for a head, or around chunks."""
        self._pending += size
        if self.phase == "head":
            if self._pending > self._limits.head:
                raise self._too_long()
        elif self._head.chunks and self._pending > 2 * self._limits.head + _AROUND_A_BYTE * self.received:
            raise Refusal(400, "there is far more around the body's chunks than in them")

    def _too_long(self) -> Refusal:
        return Refusal(431, f"the request's head is longer than {self._limits.head} bytes")

    def _method(self) -> str:
        method = self._parser.get_method()
        return "POST" if method == b"POST" else str(method, "ascii")

    # What the parser calls.

    def on_message_begin(self) -> None:
        """A request begins."""
        self.phase = "head"
        self._url, self._headers, self._parts = b"", [], []
        self._head_size = self._pending = self.received = 0

    def on_url(self, part: bytes) -> None:
        """More of the request's target."""
        self._url += part
        self._head_size += len(part)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or at the end of a chunked body a trailer, which is of no use."""
        self._head_size += len(name) + len(value) + _PER_HEADER
        if self._head_size > self._limits.head:
            raise self._too_long()
        if self.phase == "head":
            self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """The body follows, if there is one."""
        if self._head_size > self._limits.head:
            raise self._too_long()
        parser = self._parser
        version = parser.get_http_version()
        check_first_line(parser.get_method(), version)
        self._head, length = head_of(version, self._headers)
        self._url = path_of(self._url)
        self._upgrading = parser.should_upgrade()
        if self._upgrading:
            # It is read once more without that, and then looked at.
            return
        if self._guard is not None:
            self._let_in(self._guard)
        self.phase = "body"
        if length > self._limits.body:
            raise too_large(self._limits.body)

    def _let_in(self, guard: Guard) -> None:
        """Before the body comes: nobody hears of secrets, whatever is wrong with that."""
        if why := guard.refusal(self.address, self._url, self._headers):
            raise TurnedAway(why)
        self._url = guard.path_behind(self._url)
        self._headers = guard.without_secret(self._headers)

    def on_body(self, part: bytes) -> None:
        """More of the body."""
        self.received += len(part)
        if self.received > self._limits.body:
            raise too_large(self._limits.body)
        self._parts.append(part)

    def on_message_complete(self) -> None:
        """The request is whole."""
        if self._upgrading:
            return
        parser, parts = self._parser, self._parts
        self.over = not parser.should_keep_alive()
        heard = Heard(
            self._method(),
            self._url,
            self._headers,
            parts[0] if len(parts) == 1 else b"".join(parts),
            self._head.coding,
            self._limits.body,
            self._head_size + self.received,
            last=self.over,
            old=self._head.old,
        )
        self._whole.append(heard)
        self.phase = "idle"
