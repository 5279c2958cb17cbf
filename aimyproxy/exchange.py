"""Request, Response, Exchange: frozen, as they came over the wire."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, get_args

from aimyproxy import jsonvalue

if TYPE_CHECKING:
    from aimyproxy.jsonvalue import JSON

Headers: TypeAlias = tuple[tuple[str, str], ...]
"""Header names and values in the order of the wire, names as they were spelled."""

Conversation: TypeAlias = tuple[str | None, str | None, str]
"""channelType, channelId and userId: one user in one channel."""

_HOP_BY_HOP: Final = frozenset(
    {
        "connection",
        "content-length",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)

BodyKind: TypeAlias = Literal["json", "text", "base64", "absent"]
FailureKind: TypeAlias = Literal["connect", "timeout", "disconnect", "protocol", "client_gone"]
FAILURE_KINDS: Final = get_args(FailureKind)


def hop_by_hop(headers: Headers) -> frozenset[str]:
    """The names, in lower case, of what among these headers belongs to one connection.

    Who passes a message on leaves it out (RFC 9110, 7.6.1); `Connection` may name more of it.
    """
    named = [value for name, value in headers if name.lower() == "connection"]
    return _HOP_BY_HOP.union(name.strip().lower() for value in named for name in value.split(","))


@dataclass(frozen=True, slots=True)
class Body:
    """A message's body in the form that says most: a JSON value, else text, else bytes.

    `value` is the JSON value, the text, the bytes, or None where the body is absent. `encoded` is true only where
    the Content-Encoding could not be undone, so that the value is what went over the wire.
    """

    kind: BodyKind = "absent"
    value: JSON = None
    encoded: bool = False

    @classmethod
    def of(cls, raw: bytes, *, encoded: bool = False) -> Body:
        """The body that these bytes are; JSON only if nothing is lost by that."""
        if not raw:
            return ABSENT
        if not encoded and (parsed := jsonvalue.parse_lossless(raw)):
            return cls("json", parsed[0])
        try:
            return cls("text", raw.decode(), encoded)
        except UnicodeDecodeError:
            return cls("base64", raw, encoded)

    @property
    def raw(self) -> bytes:
        """The bytes to send: the same for text and bytes, the same meaning for JSON."""
        if self.kind == "json":
            return jsonvalue.dumps(self.value)
        return self.value.encode() if self.kind == "text" else self.value or b""

    def variables(self) -> dict[str, JSON] | None:
        """The members of the JSON object that the body is, or None where it is something else.

        A text is parsed too: a body with a 70-bit integer is stored as text and still is an object to the bot.
        """
        value = self.value
        if self.kind == "text":
            try:
                value = json.loads(value.removeprefix("\ufeff"), parse_constant=_no_constant)
            except (ValueError, RecursionError):
                return None
            if jsonvalue.too_deep(value):
                return None
        return value if isinstance(value, dict) else None


ABSENT: Final = Body()


@dataclass(frozen=True, slots=True)
class Request:
    """What the bot sent. `path` is the path and query that the bot asked for, not the target's."""

    method: str
    path: str
    headers: Headers
    body: Body


@dataclass(frozen=True, slots=True)
class Response:
    """What the webhook answered."""

    status: int
    headers: Headers
    body: Body


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there was no response, or why the bot did not get it."""

    kind: FailureKind
    message: str


@dataclass(frozen=True, slots=True)
class Timing:
    """Milliseconds: the webhook's share (None where it was never reached), and all the bot waited."""

    upstream_ms: float | None
    total_ms: float


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request of the bot with the response it got, or the failure it met.

    `at` is the request's arrival, ISO 8601 in UTC with microseconds and a `Z`. `event` and `conversation` are None
    where the request's body isn't an Aimylogic object. `made_from` names the recording and the id of the exchange whose
    request was sent again, for one that no bot made.
    """

    at: str
    event: str | None
    conversation: Conversation | None
    request: Request
    response: Response | None
    failure: Failure | None
    timing: Timing
    made_from: tuple[str, int] | None = None


def _no_constant(spelled: str) -> JSON:
    raise ValueError(f"{spelled} is no JSON")
