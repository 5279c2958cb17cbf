"""Messages that come whole, in one piece, as nearly all do: read at once, and handed on as one event.

Only what is plain is read here; of all else, nothing is said, and mitmproxy's own reader takes it from its first byte.
So whatever is odd, late or malformed is judged in one place.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Final

from mitmproxy import http
from mitmproxy.proxy.layers.http._events import RequestHeaders, ResponseHeaders

if TYPE_CHECKING:
    from collections.abc import Sequence

    Fields = Sequence[tuple[bytes, bytes]]

_FIELDS: Final = rb"((?:[!#$%&'*+.^_`|~0-9A-Za-z-]++:[\t -~\x80-\xff]*+\r\n)++)\r\n"
_REQUEST: Final = re.compile(rb"(DELETE|GET|OPTIONS|PATCH|POST|PUT) (/[!-~]*+) HTTP/1\.1\r\n" + _FIELDS)
_RESPONSE: Final = re.compile(rb"HTTP/1\.1 ([2-9]\d\d)(?: ([!-~]++(?: [!-~]++)*+))?+ ?\r\n" + _FIELDS)
_LENGTH: Final = re.compile(rb"0|[1-9]\d{0,8}")
_WITHOUT_BODY: Final = (204, 304)
_ASKING_FOR_MORE: Final = (b"expect", b"transfer-encoding")


class WholeRequest(RequestHeaders):
    """A request with its body; its connection has nothing else to say until it is answered."""


class WholeResponse(ResponseHeaders):
    """A response with its body."""


def read_request(data: bytes) -> http.Request | None:
    """The plain request that these bytes are, no more and no less; else None."""
    head = _REQUEST.match(data)
    if head is None:
        return None
    method, path, block = head.groups()
    fields, body = _fields(block), data[head.end() :]
    if _length(fields) != len(body) or [name.lower() for name, _ in fields].count(b"host") != 1:
        return None
    now = time.time()
    return http.Request("", 0, method, b"", b"", path, b"HTTP/1.1", http.Headers(fields), body, None, now, now)


def read_response(data: bytes) -> http.Response | None:
    """The plain response that these bytes are, no more and no less; else None."""
    head = _RESPONSE.match(data)
    if head is None:
        return None
    status, reason, block = head.groups()
    fields, body = _fields(block), data[head.end() :]
    if _length(fields) != len(body) or int(status) in _WITHOUT_BODY:
        return None
    now = time.time()
    return http.Response(b"HTTP/1.1", int(status), reason or b"", http.Headers(fields), body, None, now, now)


def stays_open(response: http.Response) -> bool:
    """Whether the connection may be used again behind a whole response, whatever became of its headers meanwhile."""
    fields = response.headers.fields
    return all(value.lower() == b"keep-alive" for name, value in fields if name.lower() == b"connection")


def _fields(block: bytes) -> list[tuple[bytes, bytes]]:
    found = []
    for line in block[:-2].split(b"\r\n"):
        name, _, value = line.partition(b":")
        found.append((name, value.strip()))
    return found


def _length(fields: Fields) -> int | None:
    """How many bytes of body are declared; None where that isn't said plainly, or the head asks for more."""
    length = None
    for name, value in fields:
        key = name.lower()
        if key == b"content-length":
            if length is not None or not _LENGTH.fullmatch(value):
                return None
            length = int(value)
        elif key in _ASKING_FOR_MORE or (key == b"connection" and value.lower() != b"keep-alive"):
            return None
    return length
