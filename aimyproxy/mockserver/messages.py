"""ASGI's dictionaries turned into requests, and replies turned into ASGI's dictionaries."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from aimyproxy import jsonvalue
from aimyproxy.answering.answers import HEADER
from aimyproxy.content import TooLargeError, body_of, kept_text
from aimyproxy.exchange import Headers, Request

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aimyproxy.jsonvalue import JSON

Scope: TypeAlias = "dict[str, Any]"
Receive: TypeAlias = "Callable[[], Awaitable[dict[str, Any]]]"
Send: TypeAlias = "Callable[[dict[str, Any]], Awaitable[None]]"

BODY_LIMIT: Final = 64 * 1024 * 1024
"""Bytes of a request's body, as sent and as decompressed; above it the answer is a 413."""

WITHOUT_BODY: Final = (204, 304)
"""Statuses of responses that never have a body."""


class Disconnected(Exception):
    """The bot hung up before its request was whole."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the bot gets, and what it says of itself in the header Aimyproxy-Answer."""

    status: int
    headers: Headers
    body: bytes
    source: str

    @classmethod
    def of_json(cls, status: int, value: JSON, source: str) -> Reply:
        """A reply of our own."""
        return cls(status, (("content-type", "application/json"),), jsonvalue.dumps(value) + b"\n", source)


async def read_body(scope: Scope, receive: Receive, limit: int = BODY_LIMIT) -> bytes:
    """The request's body as it came over the wire.

    Raises:
        TooLargeError: it is, or says that it will be, beyond the limit.
        Disconnected: the bot hung up.
    """
    announced = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    if int(announced) > limit:
        raise TooLargeError
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        part = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise TooLargeError
        parts.append(part)
        if not message.get("more_body"):
            return b"".join(parts)


def request_of(scope: Scope, raw: bytes, limit: int = BODY_LIMIT) -> Request:
    """The request, its text such that the very bytes can be sent on, and its body decoded.

    Raises:
        TooLargeError: the body decompresses beyond the limit.
    """
    path = scope["raw_path"] + (b"?" + scope["query_string"] if scope["query_string"] else b"")
    headers = tuple((_text(name), _text(value)) for name, value in scope["headers"])
    coding = next((value for name, value in headers if name == "content-encoding"), "")
    return Request(scope["method"], _text(path), headers, body_of(raw, coding, limit))


def kept_request(request: Request) -> Request:
    """The request in the form that recordings keep: what is not UTF-8 would make them unreadable."""
    return replace(request, path=_kept(request.path), headers=kept_headers(request.headers))


def kept_headers(headers: Headers) -> Headers:
    """As `kept_request`, for headers of either side."""
    return tuple((_kept(name), _kept(value)) for name, value in headers)


def _kept(text: str) -> str:
    return kept_text(text.encode("utf-8", "surrogateescape"))


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


async def send_reply(reply: Reply, send: Send) -> None:
    """Send the whole reply."""
    await send_head(reply, send)
    await send({"type": "http.response.body", "body": b"" if reply.status in WITHOUT_BODY else reply.body})


async def send_head(reply: Reply, send: Send) -> None:
    """Send all but the body."""
    headers = [(name.encode(), value.encode("utf-8", "surrogateescape")) for name, value in reply.headers]
    if reply.status not in WITHOUT_BODY:
        headers.append((b"content-length", b"%d" % len(reply.body)))
    headers.append((HEADER.encode(), reply.source.encode()))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
