"""Answers: what replay serves, and where it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from aimyproxy import jsonvalue
from aimyproxy.replay.mocks import sendable
from aimyproxy.replay.rebase import Plan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aimyproxy.exchange import Body, Exchange, Headers, Response
    from aimyproxy.jsonvalue import JSON
    from aimyproxy.replay.mocks import Mock

HEADER: Final = "Aimyproxy-Answer"
"""The response header that says where an answer comes from."""

Step: TypeAlias = Literal["mock", "exact", "learned", "conversation", "guess", "usual"]
"""The step of the look-up that found an answer, in the order of trust."""

# Of the connection, not of the message, or set anew by whoever serves it.
_NOT_SERVED: Final = frozenset(
    {
        "aimyproxy-answer",
        "connection",
        "content-length",
        "date",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "server",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_CONTENT_TYPES: Final = {
    "json": "application/json",
    "text": "text/plain; charset=utf-8",
    "base64": "application/octet-stream",
}


@dataclass(frozen=True, slots=True)
class Source:
    """Where an answer comes from: the step that found it, and the ids of the exchange and the mock behind it."""

    step: Step
    exchange: int | None = None
    mock: int | None = None

    @property
    def header(self) -> str:
        """The value of the header Aimyproxy-Answer: `exact; exchange=17` or `mock; mock=3`."""
        return f"{self.step}; exchange={self.exchange}" if self.mock is None else f"mock; mock={self.mock}"

    def __str__(self) -> str:
        if self.mock is None:
            return f"{self.step} #{self.exchange}"
        return f"mock {self.mock}" + (f" (edited #{self.exchange})" if self.exchange else "")


@dataclass(frozen=True, slots=True)
class Answer:
    """A response to serve, after a wait of `delay_ms` milliseconds; `body` is the bytes to send."""

    status: int
    headers: Headers
    body: bytes
    delay_ms: float
    source: Source


@dataclass(frozen=True, slots=True)
class Answerer:
    """What answers once it is found: a recorded exchange, an edited one, or a mock, ready to be rebased.

    `content` is the bytes that every request gets, or the plan that makes an object for each.
    """

    status: int
    headers: Headers
    content: bytes | Plan
    delay_ms: float = 0.0
    exchange: int | None = None
    mock: int | None = None

    @classmethod
    def of_exchange(cls, identity: int, exchange: Exchange, edit: Mock | None = None) -> Answerer | None:
        """The recorded response of an exchange, or its edited one; None where there is neither."""
        if edit is not None:
            return cls.of_mock(edit, identity, exchange)
        response = exchange.response
        if response is None:
            return None
        content = _content(exchange.request.body.variables(), response.body)
        return cls(response.status, served_headers(response.headers, response.body), content, exchange=identity)

    @classmethod
    def of_mock(cls, mock: Mock, identity: int | None = None, exchange: Exchange | None = None) -> Answerer:
        """A mock's answer; where it was made from this exchange, rebased and completed as that one's response."""
        recorded = exchange.response if exchange else None
        status = mock.status or (recorded.status if recorded else 200)
        headers = mock.headers
        if headers is None:
            headers = _kept_headers(recorded, mock.body) if recorded else ()
        return cls(
            status,
            _with_content_type(served_headers(headers, mock.body), mock.body),
            _content(exchange.request.body.variables() if exchange else None, mock.body),
            mock.delay_ms,
            identity,
            mock.identity,
        )

    def answer(self, step: Step, variables: Mapping[str, JSON] | None) -> Answer:
        """The answer to a request of these variables (None: it has none), found by this step."""
        content = self.content
        body = content if isinstance(content, bytes) else jsonvalue.dumps(content.rebased(variables or {}))
        source = Source("mock" if self.mock is not None else step, self.exchange, self.mock)
        return Answer(self.status, self.headers, body, self.delay_ms, source)


def served_headers(headers: Headers, body: Body) -> Headers:
    """The recorded headers that still hold when this body is served again, in their order.

    The content type stays as it was recorded, also where it lies: the bot shall see what it saw.
    """
    dropped = _NOT_SERVED if body.encoded else _NOT_SERVED | {"content-encoding"}
    return tuple((name, value) for name, value in headers if name.lower() not in dropped and sendable(name, value))


def _kept_headers(recorded: Response, body: Body) -> Headers:
    if recorded.body.kind == body.kind:
        return recorded.headers
    return tuple((name, value) for name, value in recorded.headers if name.lower() != "content-type")


def _with_content_type(headers: Headers, body: Body) -> Headers:
    if body.kind == "absent" or any(name.lower() == "content-type" for name, _ in headers):
        return headers
    return (("content-type", _CONTENT_TYPES[body.kind]), *headers)


def _content(request: Mapping[str, JSON] | None, body: Body) -> bytes | Plan:
    response = body.variables() if request is not None else None
    if request is None or response is None:
        return body.raw
    plan = Plan.of(request, response)
    return body.raw if plan.constant else plan
