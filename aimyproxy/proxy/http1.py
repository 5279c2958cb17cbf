"""mitmproxy's HTTP/1 connections, with some changes: to the bot, and to the webhook.

It takes an interim response (`100 Continue`, `103 Early Hints`) for the answer, and crashes on trailers: both are left
out here, as RFC 9110 (15.2 and 6.5.1) allows whoever passes a message on. It takes a bot that has sent all that it has
to send for one that has gone, and has no end to heads. All that we answer is a line of JSON.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final, cast

import h11
from h11 import _readers as h11_readers
from mitmproxy import http
from mitmproxy.connection import ConnectionState
from mitmproxy.net.http import http1, status_codes
from mitmproxy.proxy import commands, events
from mitmproxy.proxy.layers import http as http_layers
from mitmproxy.proxy.layers.http import _http1
from mitmproxy.proxy.layers.http._base import ReceiveHttp
from mitmproxy.proxy.layers.http._events import (
    HttpEvent,
    RequestProtocolError,
    ResponseEndOfMessage,
    ResponseProtocolError,
)

from aimyproxy.proxy import whole

if TYPE_CHECKING:
    from h11._receivebuffer import ReceiveBuffer
    from mitmproxy.proxy.context import Context
    from mitmproxy.proxy.layer import CommandGenerator

_MOST_HEAD: Final = 256 * 1024
_MOST_AHEAD: Final = 1_000_000
"""How many bytes of further requests may come before an answer."""
_HEADS_END: Final = re.compile(rb"\n\r?\n")
_EMPTY_LINES: Final = re.compile(rb"(?:\r?\n)++")
_INTERIM: Final = re.compile(rb"HTTP/1\.[01] 1(?!01)\d\d[^\r\n]*\r?\n(?:[^\r\n]+\r?\n)*\r?\n")


class Refused(ResponseProtocolError):
    """An error with the status for the bot; mitmproxy's own have codes, which differ from version to version."""

    def __init__(self, stream_id: int, message: str, status: int) -> None:
        self.stream_id = stream_id
        self.message = message
        self.code = status


class Http1Client(_http1.Http1Client):
    """The connection to the webhook; a whole request's response is read whole where it comes so."""

    _whole: http.Request | None = None
    """The last request that was sent whole; it has not been answered while it is also `request`."""

    def _handle_event(self, event: events.Event) -> CommandGenerator[None]:
        if (
            isinstance(event, events.DataReceived)
            and self.request
            and self.request is self._whole
            and not self.buf
            and self.state == self.read_headers
            and (response := whole.read_response(event.data))
        ):
            yield ReceiveHttp(whole.WholeResponse(cast("int", self.stream_id), response))
            self.request, self.request_done, self.stream_id = None, False, None
        else:
            yield from super()._handle_event(event)

    def send(self, event: HttpEvent) -> CommandGenerator[None]:
        """As the original, and a whole request at once."""
        if isinstance(event, whole.WholeRequest):
            self.stream_id, self.request, self.request_done = event.stream_id, event.request, True
            self._whole = event.request
            yield commands.SendData(self.conn, http1.assemble_request_head(event.request) + event.request.data.content)
        else:
            yield from super().send(event)

    def read_headers(self, event: events.ConnectionEvent) -> CommandGenerator[None]:
        """As the original, behind interim responses, and with an end to what a head may be."""
        while isinstance(event, events.DataReceived) and (interim := _INTERIM.match(bytes(self.buf))):
            self.buf.maybe_extract_at_most(interim.end())
        if self.stream_id and _has_long_head(self.buf):
            yield commands.CloseConnection(self.conn)
            message = f"a head of more than {_MOST_HEAD:,} bytes"
            yield ReceiveHttp(Refused(self.stream_id, message, status_codes.BAD_GATEWAY))
        else:
            yield from super().read_headers(event)


class Http1Server(_http1.Http1Server):
    """The connection to the bot; with `by_whole`, requests are read whole where they come so."""

    def __init__(self, context: Context, *, by_whole: bool) -> None:
        super().__init__(context)
        self._by_whole = by_whole

    def _handle_event(self, event: events.Event) -> CommandGenerator[None]:
        if (
            self._by_whole
            and isinstance(event, events.DataReceived)
            and not self.buf
            and self.state == self.read_headers
            and (request := whole.read_request(event.data))
        ):
            self.request, self.request_done, self.state = request, True, self.wait
            yield ReceiveHttp(whole.WholeRequest(self.stream_id, request, end_stream=True))
        else:
            yield from super()._handle_event(event)

    def read_headers(self, event: events.ConnectionEvent) -> CommandGenerator[None]:
        """As the original, with an end to what a head may be, and behind empty lines (RFC 9112, 2.2)."""
        if empty := _EMPTY_LINES.match(bytes(self.buf)):
            self.buf.maybe_extract_at_most(empty.end())
        if _has_long_head(self.buf):
            yield commands.SendData(self.conn, refusal(431, f"A request's head may have {_MOST_HEAD:,} bytes."))
            yield from self._hang_up()
        else:
            yield from super().read_headers(event)

    def send(self, event: HttpEvent) -> CommandGenerator[None]:
        """As the original; who sends no more is let go of behind the last answer."""
        if self.conn.state is ConnectionState.CLOSED:
            # Nobody waits for answers to what was sent ahead.
            self.buf.maybe_extract_at_most(len(self.buf))
        if isinstance(event, ResponseProtocolError) and self.conn.state & ConnectionState.CAN_WRITE:
            status = _status(event)
            if not self.response and status != status_codes.NO_RESPONSE:
                yield commands.SendData(self.conn, refusal(status, event.message))
            yield from self._hang_up()
            return
        if isinstance(event, whole.WholeResponse):
            yield from self._send_whole(event.response)
        else:
            yield from super().send(event)
        if (
            isinstance(event, ResponseEndOfMessage | whole.WholeResponse)
            and self.conn.state is ConnectionState.CAN_WRITE
        ):
            # What it had sent ahead is being read only now.
            yield from self.state(events.ConnectionClosed(self.conn))

    def _send_whole(self, response: http.Response) -> CommandGenerator[None]:
        yield commands.SendData(self.conn, http1.assemble_response_head(response) + (response.data.content or b""))
        if self.buf or not whole.stays_open(response):
            self.response = response
            yield from self.mark_done(response=True)
        else:
            self.request, self.request_done, self.state = None, False, self.read_headers
            self.stream_id += 2

    def wait(self, event: events.Event) -> CommandGenerator[None]:
        """As the original, but who has sent all that there is to send may wait for the answer, and nobody may flood."""
        if isinstance(event, events.DataReceived) and len(self.buf) > _MOST_AHEAD:
            yield commands.CloseConnection(self.conn)
        elif not isinstance(event, events.ConnectionClosed) or self.conn.state is not ConnectionState.CAN_WRITE:
            yield from super().wait(event)
        elif self.request and self.request.http_version != "HTTP/1.0":
            # Who has gone looks the same. Nobody minds an interim response, and the system of who has gone objects.
            yield commands.SendData(self.conn, b"HTTP/1.1 100 Continue\r\n\r\n")

    def read_body(self, event: events.Event) -> CommandGenerator[None]:
        """As the original, but whose body can't be read is told so."""
        closing = None
        for command in super().read_body(event):
            if isinstance(command, commands.CloseConnection) and self.conn.state & ConnectionState.CAN_WRITE:
                closing = command
                continue
            if closing and isinstance(command, ReceiveHttp) and isinstance(command.event, RequestProtocolError):
                yield commands.SendData(self.conn, refusal(400, command.event.message))
                yield from self._hang_up()
                closing = None
            yield command
        if closing:
            yield closing

    def _hang_up(self) -> CommandGenerator[None]:
        """Close our side, and let come what is on its way: to close while it comes would take the answer away, too."""
        if not self.conn.state & ConnectionState.CAN_READ:
            yield commands.CloseConnection(self.conn)
            return
        yield commands.CloseTcpConnection(self.conn, half_close=True)
        self.state = self._ignore

    def _ignore(self, event: events.Event) -> CommandGenerator[None]:
        self.buf.maybe_extract_at_most(len(self.buf))
        if isinstance(event, events.ConnectionClosed):
            yield commands.CloseConnection(self.conn)


class ChunkedReader(h11_readers.ChunkedReader):
    """Reads a chunked body; what stands around the chunks has an end, too."""

    def __call__(self, buf: ReceiveBuffer) -> h11.Data | h11.EndOfMessage | None:
        """As the original, without trailers at the end."""
        event = super().__call__(buf)
        # Then it waits for the end of a line, or of the trailers.
        if event is None and len(buf) > _MOST_HEAD:
            raise h11.RemoteProtocolError(f"more than {_MOST_HEAD:,} bytes around a chunk")
        return h11.EndOfMessage() if isinstance(event, h11.EndOfMessage) else event


def _has_long_head(buffer: ReceiveBuffer) -> bool:
    """Whether the head at the beginning, whole or not, has more bytes than a head may have."""
    return len(buffer) > _MOST_HEAD and not _HEADS_END.search(bytes(buffer), 0, _MOST_HEAD)


def without_advice(message: str) -> str:
    """What mitmproxy says is wrong, without the option of its own that it recommends."""
    return message.partition(" Disable the ")[0]


def refusal(status_code: int, message: str = "") -> bytes:
    """What a bot gets for a request that is none, as bytes: one line of JSON."""
    body = json.dumps({"error": without_advice(message)}, ensure_ascii=False).encode() + b"\n"
    headers = {"Content-Type": "application/json; charset=utf-8", "Connection": "close", "Server": "aimyproxy"}
    return bytes(http1.assemble_response(http.Response.make(status_code, body, headers)))


def _status(error: ResponseProtocolError) -> int:
    """The status for the bot; that of a code of mitmproxy 12 is None where there is nobody to read it."""
    if isinstance(error.code, int):
        return error.code
    return error.code.http_status_code() or status_codes.NO_RESPONSE


# Where mitmproxy looks them up.
_http1.make_error_response = refusal
http_layers.Http1Client = Http1Client  # type: ignore[attr-defined]
_http1.ChunkedReader = ChunkedReader  # type: ignore[attr-defined]
