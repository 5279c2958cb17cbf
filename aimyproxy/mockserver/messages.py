"""Replies, and what of requests and replies is kept."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from aimyproxy import jsonvalue
from aimyproxy.content import kept_text

if TYPE_CHECKING:
    from aimyproxy.exchange import Headers, Request
    from aimyproxy.jsonvalue import JSON

WITHOUT_BODY: Final = (204, 304)
"""Statuses of responses that never have a body."""


class Reply(NamedTuple):
    """What the bot gets, and what it says of itself in the header Aimyproxy-Answer."""

    status: int
    headers: Headers
    body: bytes
    source: str

    @classmethod
    def of_json(cls, status: int, value: JSON, source: str) -> Reply:
        """A reply of our own."""
        return cls(status, (("content-type", "application/json"),), jsonvalue.dumps(value) + b"\n", source)


def kept_request(request: Request) -> Request:
    """The request in the form that recordings keep: what is not UTF-8 would make them unreadable."""
    return replace(request, path=_kept(request.path), headers=kept_headers(request.headers))


def kept_headers(headers: Headers) -> Headers:
    """As `kept_request`, for headers of either side."""
    return tuple((_kept(name), _kept(value)) for name, value in headers)


def _kept(text: str) -> str:
    return kept_text(text.encode("utf-8", "surrogateescape"))
