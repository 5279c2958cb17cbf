"""A request as it came over the wire, made into more only where somebody asks for more."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

from aimyproxy.content import body_of
from aimyproxy.exchange import Body, Request
from aimyproxy.mockserver.limits import BODY_LIMIT
from aimyproxy.redaction.names import header_kind

if TYPE_CHECKING:
    from aimyproxy.exchange import Headers

RawHeaders: TypeAlias = "list[tuple[bytes, bytes]]"
"""Names in lower case, and values, in the order of the wire."""


class Heard:
    """A whole request. `target` is its path and query, `raw` its body, `coding` its Content-Encoding.

    `limit` is how many bytes its body may decompress to, `size` how many it takes, head and body. `last` says that the
    bot wants no further answer on this connection, `old` that it speaks HTTP/1.0.
    """

    __slots__ = ("coding", "headers", "last", "limit", "method", "old", "raw", "size", "target")

    def __init__(
        self,
        method: str,
        target: bytes,
        headers: RawHeaders,
        raw: bytes = b"",
        coding: str = "",
        limit: int = BODY_LIMIT,
        size: int = 0,
        *,
        last: bool = False,
        old: bool = False,
    ) -> None:
        self.method = method
        self.target = target
        self.headers = headers
        self.raw = raw
        self.coding = coding
        self.limit = limit
        self.size = size
        self.last = last
        self.old = old

    @property
    def path(self) -> str:
        """Path and query as text, from which the very bytes can be made again."""
        return _text(self.target)

    @property
    def body(self) -> Body:
        """The body decoded, anew each time: kept, it would be many times as large.

        Raises:
            TooLargeError: it decompresses beyond the limit.
        """
        return body_of(self.raw, self.coding, self.limit) if self.coding else Body.of(self.raw)

    @property
    def credentials(self) -> Headers:
        """The headers that hold secrets, which other parts of requests may repeat."""
        return tuple((_text(name), _text(value)) for name, value in self.headers if _is_secret(name))

    @property
    def request(self) -> Request:
        """The request as all of aimyproxy knows it, its text such that the very bytes can be sent on.

        Raises:
            TooLargeError: the body decompresses beyond the limit.
        """
        headers: Headers = tuple((_text(name), _text(value)) for name, value in self.headers)
        return Request(self.method, self.path, headers, self.body)


@lru_cache(maxsize=1024)
def _is_secret(name: bytes) -> bool:
    return header_kind(_text(name)) != "other"


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")
