"""Which requests are refused, and with what: all that leaves room for doubt where a request ends or whom it is for.

The parser refuses most by itself: a length that is no number, two of them, one beside chunks, bare line feeds, folded
lines, blanks before a colon, control characters, sizes of chunks that are none. What it lets through is looked at here.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

import httptools

if TYPE_CHECKING:
    from aimyproxy import guard
    from aimyproxy.mockserver.heard import Heard, RawHeaders

_LOOKED_AT: Final = frozenset({b"host", b"transfer-encoding", b"content-length", b"content-encoding", b"expect"})
_HOST: Final = re.compile(rb"[A-Za-z0-9._~%!$&'()*+,;=:\[\]-]*")
_TLS_HANDSHAKE: Final = b"\x16"
_SCHEMES: Final = (b"http://", b"https://")


class Refusal(Exception):
    """A request that is not answered but refused: a status and a sentence; the connection ends with it.

    `heard` is the request without its body, where its head was in order.
    """

    def __init__(self, status: int, problem: str) -> None:
        super().__init__(problem)
        self.status = status
        self.heard: Heard | None = None


class TurnedAway(Refusal):
    """A request that the guard did not let in, and `why`."""

    def __init__(self, why: guard.Refusal) -> None:
        super().__init__(why.status, why.problem)
        self.why = why


class Head(NamedTuple):
    """What a request's head says of its body: whether it comes in `chunks`, and `coding`, its Content-Encoding.

    `expects` is whether the bot waits for a word before it sends the body, `old` whether it speaks HTTP/1.0.
    """

    chunks: bool = False
    coding: str = ""
    expects: bool = False
    old: bool = False


PLAIN: Final = Head()
"""What most heads say."""


def check_first_line(method: bytes, version: str) -> None:
    """See that it is a request for us; raises Refusal."""
    if version not in ("1.1", "1.0"):
        raise Refusal(505, "only HTTP/1.1 and HTTP/1.0 are spoken here")
    if method == b"CONNECT":
        raise Refusal(405, "this is no proxy: CONNECT is not possible")


def head_of(version: str, headers: RawHeaders) -> tuple[Head, int]:
    """What the headers of a request say, and how many bytes its body has, 0 where they don't say.

    Raises:
        Refusal: they must not be believed.
    """
    hosts, length, coding, chunks, expects = 0, 0, "", False, False
    for name, value in headers:
        if name not in _LOOKED_AT:
            continue
        if name == b"content-length":
            length = int(value)
        elif name == b"host":
            hosts += 1
            _check_host(value)
        elif name == b"content-encoding":
            # Several of them are one list.
            coding = f"{coding},{value.decode('latin-1')}" if coding else value.decode("latin-1")
        elif name == b"transfer-encoding":
            _check_chunked(value, version, again=chunks)
            chunks = True
        else:
            expects = _expects(value, version)
    if hosts != 1 and (hosts or version == "1.1"):
        raise Refusal(400, "there has to be one Host header" + (", not several" if hosts else ""))
    if not (chunks or coding or expects) and version == "1.1":
        return PLAIN, length
    return Head(chunks, coding, expects, version == "1.0"), length


def path_of(target: bytes) -> bytes:
    """The path and query of a request's target, which may be a whole URL; raises Refusal where there is none."""
    if target.startswith(b"/") and b"#" not in target:
        return target
    if target == b"*":
        return target
    if not target.startswith((b"/", *_SCHEMES)):
        raise Refusal(400, "the request's target is no path")
    try:
        url = httptools.parse_url(target)
    except httptools.HttpParserInvalidURLError:
        raise Refusal(400, "the request's target is no URL") from None
    return (url.path or b"/") + (b"?" + url.query if url.query else b"")


def refusal_of(error: httptools.HttpParserError, data: bytes) -> Refusal:
    """What to say to what the parser did not understand; `data` is what it was given last."""
    if isinstance(error, httptools.HttpParserInvalidMethodError):
        if data.startswith(_TLS_HANDSHAKE):
            return Refusal(400, "TLS is not spoken here: use http://, or start with --cert")
        return Refusal(501, "the request's method is not known here")
    return Refusal(400, f"this is no HTTP request: {error.args[0] if error.args else 'it can not be read'}")


def too_large(limit: int) -> Refusal:
    """What to say to a body of more than so many bytes."""
    return Refusal(413, f"the request is larger than {limit} bytes")


# A bot says the same each time.
@lru_cache(maxsize=64)
def _check_host(value: bytes) -> None:
    if not _HOST.fullmatch(value.rstrip()):
        raise Refusal(400, "the Host header names no host")


def _check_chunked(value: bytes, version: str, *, again: bool) -> None:
    if again or value.strip().lower() != b"chunked":
        raise Refusal(501, "the only Transfer-Encoding that is understood here is chunked, once")
    if version == "1.0":
        raise Refusal(400, "there is no Transfer-Encoding in HTTP/1.0")


def _expects(value: bytes, version: str) -> bool:
    if value.strip().lower() != b"100-continue":
        raise Refusal(417, "the only expectation that is met here is 100-continue")
    return version == "1.1"
