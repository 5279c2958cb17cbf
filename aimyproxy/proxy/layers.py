"""mitmproxy's HTTP layers, with four changes; the end-to-end tests hold them against each version that we support.

Stock mitmproxy answers a dead upstream with an HTML page that no hook can change, and drops the upstream's answer
when the client has gone: `HttpStream` decides both, so a few of its methods are overridden. It takes an interim
response (`100 Continue`, `103 Early Hints`) for the answer, and crashes on trailers: both are left out here, as
RFC 9110 (15.2 and 6.5.1) allows whoever passes a message on.
"""

from __future__ import annotations

import copy
import json
import re
from typing import TYPE_CHECKING, Final

import h11
from h11 import _readers as h11_readers
from mitmproxy import flow, http
from mitmproxy.net.http.validate import validate_headers
from mitmproxy.proxy import commands, events, layers, tunnel
from mitmproxy.proxy.layers import http as http_layers
from mitmproxy.proxy.layers.http import HTTPMode, _http1
from mitmproxy.proxy.layers.http._events import RequestProtocolError, ResponseEndOfMessage, ResponseProtocolError

from aimyproxy.exchange import Failure
from aimyproxy.target import webhook_failure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from h11._receivebuffer import ReceiveBuffer
    from mitmproxy.proxy.context import Context
    from mitmproxy.proxy.layer import CommandGenerator, NextLayer

    from aimyproxy.exchange import FailureKind

FAILURE: Final = "aimyproxy.failure"
"""Where a flow's metadata keep the Failure it met."""
TIMED_OUT: Final = "aimyproxy.timed_out"
"""Where a flow's metadata keep the seconds after which its upstream was given up."""

STATUS: Final[Mapping[FailureKind, int]] = {"connect": 502, "timeout": 504, "disconnect": 502, "protocol": 502}

# How mitmproxy and h11 word an answer that ended before it was whole.
_CUT_SHORT: Final = ("server closed connection", "peer closed connection", "unexpected server response: b'HTTP/")

_INTERIM: Final = re.compile(rb"HTTP/1\.[01] 1(?!01)\d\d[^\r\n]*\r?\n(?:[^\r\n]+\r?\n)*\r?\n")


class Http1Client(_http1.Http1Client):
    """The connection to the webhook."""

    def read_headers(self, event: events.ConnectionEvent) -> CommandGenerator[None]:
        """As the original, behind interim responses."""
        while isinstance(event, events.DataReceived) and (interim := _INTERIM.match(bytes(self.buf))):
            self.buf.maybe_extract_at_most(interim.end())
        yield from super().read_headers(event)


class ChunkedReader(h11_readers.ChunkedReader):
    """Reads a chunked body."""

    def __call__(self, buf: ReceiveBuffer) -> h11.Data | h11.EndOfMessage | None:
        """As the original, without trailers at the end."""
        event = super().__call__(buf)
        return h11.EndOfMessage() if isinstance(event, h11.EndOfMessage) else event


# Where mitmproxy looks the two up.
http_layers.Http1Client = Http1Client  # type: ignore[attr-defined]
_http1.ChunkedReader = ChunkedReader  # type: ignore[attr-defined]


def failure_response(failure: Failure) -> http.Response:
    """What the bot gets instead of the webhook's answer: 502 or 504 and one line of JSON."""
    body = json.dumps({"error": failure.message, "failure": failure.kind}, ensure_ascii=False).encode() + b"\n"
    # mitmproxy remembers a failed connection for as long as the client's lasts: a new one makes it try again.
    headers = {"Content-Type": "application/json; charset=utf-8", "Connection": "close", "Server": "aimyproxy"}
    return http.Response.make(STATUS[failure.kind], body, headers)


class Stream(http_layers.HttpStream):
    """One request and its response."""

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
        """Answer for a response whose head could be read in two ways; the original sends a page of its own."""
        if request or self.flow.response is None:
            return (yield from super().check_invalid(request))
        try:
            validate_headers(self.flow.response)
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
            return webhook_failure("connect", address, message)
        if any(sign in message for sign in _CUT_SHORT):
            return webhook_failure("disconnect", address)
        return webhook_failure("protocol", address, message)


class HttpLayer(http_layers.HttpLayer):
    """All requests of one connection of the bot."""

    def make_stream(self, stream_id: int) -> CommandGenerator[None]:
        """As the original, with our Stream."""
        # The original's `fork` makes a connection first that nobody uses.
        context = copy.copy(self.context)
        context.layers = self.context.layers.copy()
        stream = self.streams[stream_id] = Stream(context, stream_id)
        yield from self.event_to_child(stream, events.Start())


class ChooseLayers:
    """The addon that says which layers a connection has: TLS on either side as configured, then HTTP."""

    # What mitmproxy's Proxyserver looks for.
    name = "nextlayer"

    def __init__(self, *, listen_tls: bool, target_tls: bool) -> None:
        self._listen_tls = listen_tls
        self._target_tls = target_tls

    def next_layer(self, nextlayer: NextLayer) -> None:
        """Called by mitmproxy once a connection, behind its ReverseProxy layer."""
        context: Context = nextlayer.context
        stack = tunnel.LayerStack()
        if self._target_tls:
            stack /= layers.ServerTLSLayer(context)
        if self._listen_tls:
            stack /= layers.ClientTLSLayer(context)
        stack /= HttpLayer(context, HTTPMode.transparent)
        nextlayer.layer = stack[0]
