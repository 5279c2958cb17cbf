"""The form in which exchanges are stored, and its version; what a person wrote into one is checked member by member."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Final, cast

from aimyproxy import jsonvalue
from aimyproxy.errors import InvalidDocument
from aimyproxy.exchange import ABSENT, FAILURE_KINDS, Body, Exchange, Failure, Request, Response, Timing

if TYPE_CHECKING:
    from aimyproxy.exchange import BodyKind, Conversation, FailureKind, Headers
    from aimyproxy.jsonvalue import JSON

FORMAT: Final = 1
"""The version of the stored form that this module writes, and the newest that it reads."""

_ORIGIN: Final = "a recording's name and an id"


def to_document(exchange: Exchange) -> dict[str, JSON]:
    """The stored form, as in the README's "recording format"."""
    request, response = exchange.request, exchange.response
    document: dict[str, JSON] = {
        "at": exchange.at,
        "event": exchange.event,
        "conversation": exchange.conversation and list(exchange.conversation),
        "request": request_document(request),
        "response": response and response_document(response),
    }
    if exchange.failure:
        document["failure"] = {"kind": exchange.failure.kind, "message": exchange.failure.message}
    document["timing"] = {"upstream_ms": exchange.timing.upstream_ms, "total_ms": exchange.timing.total_ms}
    if exchange.made_from:
        document["made_from"] = list(exchange.made_from)
    return document


def request_document(request: Request) -> dict[str, JSON]:
    """The stored form of a request."""
    headers = [list(pair) for pair in request.headers]
    return {"method": request.method, "path": request.path, "headers": headers, **_stored_body(request.body)}


def response_document(response: Response) -> dict[str, JSON]:
    """The stored form of a response."""
    headers = [list(pair) for pair in response.headers]
    return {"status": response.status, "headers": headers, **_stored_body(response.body)}


def from_document(document: JSON) -> Exchange:
    """The exchange that a stored form of the current version means.

    Raises:
        InvalidDocument: naming the member that is missing or of the wrong type.
    """
    members = _object(document, "the exchange")
    request = _object(members.get("request"), "request")
    failure = members.get("failure")
    timing = _object(members.get("timing", {"total_ms": 0}), "timing")
    return Exchange(
        at=_typed(members.get("at"), str, "at", "a time"),
        event=_optional_text(members.get("event"), "event"),
        conversation=_conversation(members.get("conversation")),
        request=Request(
            method=_typed(request.get("method"), str, "request.method", "a string"),
            path=_typed(request.get("path"), str, "request.path", "a string"),
            headers=headers_of(request.get("headers", []), "request.headers"),
            body=_body(request, "request"),
        ),
        response=_response(members.get("response")),
        failure=None if failure is None else _failure(_object(failure, "failure")),
        timing=Timing(
            _milliseconds(timing.get("upstream_ms"), "timing.upstream_ms"),
            _milliseconds(timing.get("total_ms"), "timing.total_ms") or 0.0,
        ),
        made_from=_made_from(members.get("made_from")),
    )


def _made_from(value: JSON) -> tuple[str, int] | None:
    if value is None:
        return None
    pair = _typed(value, list, "made_from", _ORIGIN)
    if len(pair) != 2 or not isinstance(pair[0], str) or type(pair[1]) is not int:
        raise InvalidDocument(f"made_from has to be {_ORIGIN}, not {_shown(value)}")
    return pair[0], pair[1]


def headers_of(value: JSON, name: str) -> Headers:
    """Stored headers, a list of pairs; raises InvalidDocument, calling them `name`."""
    pairs = _typed(value, list, name, "a list of [name, value] pairs")
    for pair in pairs:
        if not (isinstance(pair, list) and len(pair) == 2 and all(isinstance(part, str) for part in pair)):
            raise InvalidDocument(f"{name} has to be a list of [name, value] pairs, but holds {_shown(pair)}")
    return tuple((pair[0], pair[1]) for pair in pairs)


def _stored_body(body: Body) -> dict[str, JSON]:
    if body.kind == "absent":
        return {}
    value = base64.b64encode(body.value).decode() if body.kind == "base64" else body.value
    return {body.kind: value, "encoded": True} if body.encoded else {body.kind: value}


def _body(message: dict[str, JSON], name: str) -> Body:
    kinds = [kind for kind in ("json", "text", "base64") if kind in message]
    if not kinds:
        return ABSENT
    if len(kinds) > 1:
        raise InvalidDocument(f"{name} has more than one body: {' and '.join(kinds)}; keep one of them")
    kind, encoded = cast("BodyKind", kinds[0]), message.get("encoded", False) is True
    value = message[kind]
    if kind == "json":
        return Body(kind, value)
    text = _typed(value, str, f"{name}.{kind}", "a string")
    if kind == "text":
        return Body(kind, text, encoded)
    try:
        return Body(kind, base64.b64decode(text, validate=True), encoded)
    except ValueError as error:
        raise InvalidDocument(f"{name}.base64 is not base64 ({error})") from None


def _response(value: JSON) -> Response | None:
    if value is None:
        return None
    response = _object(value, "response")
    status = _typed(response.get("status"), int, "response.status", "a number from 100 to 999")
    if not 100 <= status <= 999:
        raise InvalidDocument(f"response.status has to be a number from 100 to 999, not {status}")
    return Response(status, headers_of(response.get("headers", []), "response.headers"), _body(response, "response"))


def _failure(failure: dict[str, JSON]) -> Failure:
    kind = failure.get("kind")
    if kind not in FAILURE_KINDS:
        raise InvalidDocument(f"failure.kind has to be one of {', '.join(FAILURE_KINDS)}, not {_shown(kind)}")
    return Failure(cast("FailureKind", kind), _typed(failure.get("message", ""), str, "failure.message", "a string"))


def _conversation(value: JSON) -> Conversation | None:
    if value is None:
        return None
    parts = _typed(value, list, "conversation", "null or [channelType, channelId, userId]")
    if len(parts) != 3 or not isinstance(parts[2], str):
        raise InvalidDocument(f"conversation has to be null or [channelType, channelId, userId], not {_shown(value)}")
    return (
        _optional_text(parts[0], "conversation[0]"),
        _optional_text(parts[1], "conversation[1]"),
        parts[2],
    )


def _milliseconds(value: JSON, name: str) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidDocument(f"{name} has to be a number of milliseconds, not {_shown(value)}")
    return float(value)


def _optional_text(value: JSON, name: str) -> str | None:
    return None if value is None else cast("str", _typed(value, str, name, "null or a string"))


def _object(value: JSON, name: str) -> dict[str, JSON]:
    return cast("dict[str, JSON]", _typed(value, dict, name, "an object"))


def _typed(value: JSON, wanted: type, name: str, description: str) -> JSON:
    if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is int):
        raise InvalidDocument(f"{name} has to be {description}, not {_shown(value)}")
    return value


def _shown(value: JSON) -> str:
    text = jsonvalue.dumps(value).decode()
    return text if len(text) <= 40 else text[:37] + "..."
