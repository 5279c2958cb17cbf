"""One request and its response on their way through mitmproxy, with some changes; the end-to-end tests hold them.

Stock mitmproxy answers a dead upstream with an HTML page that no hook can change, and drops the upstream's answer
when the client has gone: `HttpStream` decides both, so a few of its methods are overridden. Bodies have an end. A
message that came in one piece is handed on in one piece.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final, cast

from mitmproxy import flow, http
from mitmproxy.net.http import status_codes
from mitmproxy.net.http.http1 import expected_http_body_size
from mitmproxy.net.http.url import hostport
from mitmproxy.net.http.validate import validate_headers
from mitmproxy.proxy import commands, events
from mitmproxy.proxy.layers import http as http_layers
from mitmproxy.proxy.layers.http._events import (
    RequestHeaders,
    RequestProtocolError,
    ResponseEndOfMessage,
    ResponseHeaders,
    ResponseProtocolError,
)
from mitmproxy.proxy.layers.http._hooks import (
    HttpErrorHook,
    HttpRequestHeadersHook,
    HttpRequestHook,
    HttpResponseHeadersHook,
    HttpResponseHook,
)

from aimyproxy.exchange import Failure
from aimyproxy.guard import OPEN_PROXY
from aimyproxy.proxy.http1 import Refused
from aimyproxy.proxy.whole import WholeRequest, WholeResponse
from aimyproxy.target import webhook_failure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mitmproxy.connection import Server
    from mitmproxy.proxy.context import Context
    from mitmproxy.proxy.layer import CommandGenerator

    from aimyproxy.exchange import FailureKind

FAILURE: Final = "aimyproxy.failure"
"""Where a flow's metadata keep the Failure it met."""
REFUSAL: Final = "aimyproxy.refusal"
"""Where a flow's metadata keep the Refusal that it met: it is no exchange."""
TIMED_OUT: Final = "aimyproxy.timed_out"
"""Where a flow's metadata keep the seconds after which its upstream was given up."""

STATUS: Final[Mapping[FailureKind, int]] = {"connect": 502, "timeout": 504, "disconnect": 502, "protocol": 502}

# How mitmproxy and h11 word an answer that ended before it was whole.
_CUT_SHORT: Final = ("server closed connection", "peer closed connection", "unexpected server response: b'HTTP/")

# What one reader takes for the end of a line, and another doesn't; a folded line, too.
_ENDS_PERHAPS: Final = re.compile(rb"[\r\n\0][\s\0]*+")


def failure_response(failure: Failure) -> http.Response:
    """What the bot gets instead of the webhook's answer: 502 or 504 and one line of JSON."""
    body = json.dumps({"error": failure.message, "failure": failure.kind}, ensure_ascii=False).encode() + b"\n"
    # mitmproxy remembers a failed connection for as long as the client's lasts: a new one makes it try again.
    headers = {"Content-Type": "application/json; charset=utf-8", "Connection": "close", "Server": "aimyproxy"}
    return http.Response.make(STATUS[failure.kind], body, headers)


class Stream(http_layers.HttpStream):
    """One request and its response; `max_body` is in bytes, for either.

    `upstream` is asked for a connection to the webhook that is there already.
    """

    def __init__(
        self, context: Context, stream_id: int, max_body: int, upstream: Callable[[], CommandGenerator[Server | None]]
    ) -> None:
        super().__init__(context, stream_id)
        self._max_body = max_body
        self._upstream = upstream

    def _handle_event(self, event: events.Event) -> CommandGenerator[None]:
        if isinstance(event, WholeRequest):
            yield from self._take_request(event)
        elif isinstance(event, WholeResponse):
            yield from self._take_response(event)
        else:
            yield from super()._handle_event(event)

    def _take_request(self, event: WholeRequest) -> CommandGenerator[None]:
        """What the original does in three steps, with the same hooks in the same order."""
        content = event.request.data.content or b""
        if len(content) > self._max_body:
            event.request.data.content = None
            yield from self.client_state(RequestHeaders(self.stream_id, event.request, end_stream=False))
            return
        self.flow = http.HTTPFlow(self.context.client, self.context.server, live=True)
        self.flow.request = self._addressed(event.request)
        yield HttpRequestHeadersHook(self.flow)
        if (yield from self.check_killed(emit_error_hook=True)):
            return
        self.client_state, self.server_state = self.state_done, self.state_wait_for_response_headers
        yield HttpRequestHook(self.flow)
        if (yield from self.check_killed(emit_error_hook=True)):
            return
        if self.flow.response:
            yield HttpResponseHeadersHook(self.flow)
            yield from self.send_response()
        elif (yield from self.make_server_connection()):
            yield http_layers.SendHttp(
                WholeRequest(self.stream_id, self.flow.request, end_stream=True), self.context.server
            )

    def _addressed(self, request: http.Request) -> http.Request:
        server = self.context.server
        request.data.host, request.data.port = host, port = cast("tuple[str, int]", server.address)[:2]
        scheme = "https" if server.tls else "http"
        request.data.scheme = scheme.encode()
        value = hostport(scheme, host, port).encode()
        fields = request.headers.fields
        request.headers.fields = tuple((n, value) if n.lower() == b"host" else (n, v) for n, v in fields)
        return request

    def _take_response(self, event: WholeResponse) -> CommandGenerator[None]:
        content = event.response.data.content or b""
        if self.server_state != self.state_wait_for_response_headers or len(content) > self._max_body:
            event.response.data.content = None
            yield from self.server_state(ResponseHeaders(self.stream_id, event.response, end_stream=False))
            return
        self.flow.response = event.response
        yield HttpResponseHeadersHook(self.flow)
        if (yield from self.check_killed(emit_error_hook=True)):
            return
        yield HttpResponseHook(self.flow)
        self.server_state = self.state_done
        if (yield from self.check_killed(emit_error_hook=False)):
            return
        self.flow.live = False
        yield http_layers.DropStream(self.stream_id)
        yield http_layers.SendHttp(WholeResponse(self.stream_id, self.flow.response), self.context.client)

    def make_server_connection(self) -> CommandGenerator[bool]:
        """As the original, with the least ado where a connection is there already."""
        server = yield from self._upstream()
        if server is None:
            return (yield from super().make_server_connection())
        self.context.server = self.flow.server_conn = server
        return True

    def check_body_size(self, request: bool) -> CommandGenerator[bool]:
        """Refuse what is larger than a body may be, once that is known; keep nothing of what is refused already."""
        if request and REFUSAL in self.flow.metadata:
            self.request_body_buf.clear()
            return False
        buffered = self.request_body_buf if request else self.response_body_buf
        declared = expected_http_body_size(self.flow.request, None if request else self.flow.response)
        if max(len(buffered), declared or 0) <= self._max_body:
            return False
        message = f"a body of more than {self._max_body:,} bytes (--max-body)"
        if request:
            self.flow.metadata[FAILURE] = Failure("protocol", f"The bot sent {message}.")
            yield from self._refuse_request(f"The request has {message}.", status_codes.PAYLOAD_TOO_LARGE)
        else:
            yield commands.CloseConnection(self.flow.server_conn)
            yield from self._answer_for_upstream(message)
        return True

    def _refuse_request(self, message: str, status: int) -> CommandGenerator[None]:
        self.flow.error = flow.Error(message)
        self.client_state = self.state_errored
        yield HttpErrorHook(self.flow)
        yield http_layers.SendHttp(Refused(self.stream_id, message, status), self.context.client)
        self.flow.live = False

    def handle_protocol_error(self, event: RequestProtocolError | ResponseProtocolError) -> CommandGenerator[None]:
        """Answer for an upstream that failed; wait on where it is the bot that has gone."""
        waiting = self.client_state == self.state_done and self.server_state in (
            self.state_wait_for_response_headers,
            self.state_consume_response_body,
        )
        if isinstance(event, RequestProtocolError) and waiting:
            # The webhook has the request and acts on it: what it answers is worth having.
            self.flow.metadata[FAILURE] = Failure("client_gone", "The bot hung up before the webhook answered.")
        elif isinstance(event, ResponseProtocolError) and waiting:
            yield from self._answer_for_upstream(event.message)
        else:
            yield from super().handle_protocol_error(event)

    def state_consume_response_body(self, event: events.Event) -> CommandGenerator[None]:
        """Don't take a body for complete that ends because its time was up."""
        if isinstance(event, ResponseEndOfMessage) and TIMED_OUT in self.flow.metadata:
            yield from self._answer_for_upstream("time-out inside the body")
        else:
            yield from super().state_consume_response_body(event)

    def check_invalid(self, request: bool) -> CommandGenerator[bool]:
        """Answer for a response whose head could be read in two ways, or has no status; the original sends a page."""
        if request and self.flow.request.method == "CONNECT":
            self.flow.metadata[REFUSAL] = OPEN_PROXY
            yield from self._refuse_request(OPEN_PROXY.problem, OPEN_PROXY.status)
            return True
        if request or self.flow.response is None:
            _put_on_one_line(self.flow.request)
            return (yield from super().check_invalid(request))
        try:
            _put_on_one_line(self.flow.response)
            validate_headers(self.flow.response)
            if not 200 <= self.flow.response.status_code <= 999:
                raise ValueError(f"{self.flow.response.status_code} is no status of an answer")
        except ValueError as error:
            yield commands.CloseConnection(self.flow.server_conn)
            yield from self._answer_for_upstream(f"{error}")
            return True
        return False

    def _answer_for_upstream(self, message: str) -> CommandGenerator[None]:
        failure = self._failure(message)
        self.flow.error = flow.Error(message)
        self.flow.metadata[FAILURE] = failure
        self.flow.response = failure_response(failure)
        yield from self.send_response()
        # Whatever the upstream still sends belongs to an answer that is given up.
        self.server_state = self.state_errored

    def _failure(self, message: str) -> Failure:
        address = "{}:{}".format(*(self.flow.server_conn.address or ("?", "?"))[:2])
        if seconds := self.flow.metadata.get(TIMED_OUT):
            return webhook_failure("timeout", address, f"{seconds:g} s")
        if not self.context.server.timestamp_start or self.context.server.error:
            advice = " (see --ca)" if "certificate verify failed" in message.lower() else ""
            return webhook_failure("connect", address, f"{message.rstrip('.')}{advice}")
        if any(sign in message for sign in _CUT_SHORT):
            return webhook_failure("disconnect", address)
        return webhook_failure("protocol", address, message)


def _put_on_one_line(message: http.Message) -> None:
    """Put a blank where a header might end for somebody else, as RFC 9110 (5.5) asks of whoever passes it on."""
    message.headers.fields = tuple((name, _ENDS_PERHAPS.sub(b" ", value)) for name, value in message.headers.fields)
    if isinstance(message, http.Response):
        message.data.reason = _ENDS_PERHAPS.sub(b" ", message.data.reason)
