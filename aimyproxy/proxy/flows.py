"""From mitmproxy's flow to an Exchange, once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from aimyproxy import aimylogic
from aimyproxy.content import kept_body, kept_text
from aimyproxy.exchange import Exchange, Request, Response

if TYPE_CHECKING:
    from mitmproxy import http

    from aimyproxy.exchange import Body, Failure, Headers, Timing

_DECODED_LIMIT: Final = 64 * 1024 * 1024


def to_exchange(
    flow: http.HTTPFlow, *, path: str, headers: Headers, failure: Failure | None, timing: Timing
) -> Exchange:
    """The exchange that a flow was; `path` and `headers` are the bot's own.

    A failure other than `client_gone` means that the flow's response is ours and not the webhook's.
    """
    request = flow.request
    body = _body(request)
    event, conversation = aimylogic.identify(body.variables())
    answered = flow.response is not None and (failure is None or failure.kind == "client_gone")
    return Exchange(
        at=datetime.fromtimestamp(request.timestamp_start, UTC)
        .isoformat(timespec="microseconds")
        .replace("+00:00", "Z"),
        event=event,
        conversation=conversation,
        request=Request(
            kept_text(request.data.method), kept_text(path.encode("utf-8", "surrogateescape")), headers, body
        ),
        response=_response(flow.response) if answered and flow.response else None,
        failure=failure,
        timing=timing,
    )


def _response(response: http.Response) -> Response:
    return Response(response.status_code, headers_of(response), _body(response))


def headers_of(message: http.Message) -> Headers:
    """The headers of a message, in their order."""
    return tuple((kept_text(name), kept_text(value)) for name, value in message.headers.fields)


def _body(message: http.Message) -> Body:
    return kept_body(message.raw_content or b"", message.headers.get("content-encoding", ""), _DECODED_LIMIT)
