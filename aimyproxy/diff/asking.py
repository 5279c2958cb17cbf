"""Asking a webhook what a recorded request asked."""

from __future__ import annotations

from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING, Final

import aiohttp
from yarl import URL

from aimyproxy.connecting import connection_problem
from aimyproxy.content import ACCEPTED, body_of
from aimyproxy.exchange import Exchange, Failure, Response, Timing, hop_by_hop
from aimyproxy.store.recording import now

if TYPE_CHECKING:
    from aimyproxy.exchange import FailureKind, Request
    from aimyproxy.target import Target
    from aimyproxy.trust import Trust

_LONGEST_HEADER: Final = 64 * 1024
_NOT_RESENT: Final = {"accept-encoding", "content-encoding", "expect", "host"}


def session_of(timeout: float, trust: Trust) -> aiohttp.ClientSession:
    """A session in which each answer may take so many seconds; raises InvalidOption."""
    return aiohttp.ClientSession(
        # A connection of its own for each request: one that was kept alive may be closed by the webhook just as we
        # use it, and that would look like a difference.
        connector=aiohttp.TCPConnector(limit=0, force_close=True, ssl=trust.context()),
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=timeout, sock_connect=timeout),
        skip_auto_headers=("Accept", "Content-Type", "User-Agent"),
        max_line_size=_LONGEST_HEADER,
        max_field_size=_LONGEST_HEADER,
    )


async def ask(
    session: aiohttp.ClientSession, target: Target, exchange: Exchange, mark: str | None
) -> tuple[Exchange, bool]:
    """The exchange with the candidate, and whether the request got through."""
    at, started = now(), perf_counter()
    response: Response | None = None
    failure: Failure | None = None
    reached = True
    try:
        response = await _response(session, target, exchange.request, mark)
    except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
        failure, reached = _failure(error)
    waited = round((perf_counter() - started) * 1000, 3)
    timing = Timing(waited if reached else None, waited)
    return replace(exchange, at=at, response=response, failure=failure, timing=timing), reached


async def _response(session: aiohttp.ClientSession, target: Target, request: Request, mark: str | None) -> Response:
    url = URL(target.origin + target.joined(request.path), encoded=True)
    headers = headers_to_send(request, target, mark)
    sent = request.body.raw or None
    async with session.request(request.method, url, headers=headers, data=sent, allow_redirects=False) as answer:
        content = await answer.read()
        answered = tuple((_text(name), _text(value)) for name, value in answer.raw_headers)
        body = body_of(content, ",".join(answer.headers.getall("Content-Encoding", [])))
        return Response(answer.status, answered, body)


def headers_to_send(request: Request, target: Target, mark: str | None) -> list[tuple[str, str]]:
    """The recorded headers less those of one connection only, and the one of this name that marks a replay."""
    dropped = hop_by_hop(request.headers) | _NOT_RESENT | ({mark.lower()} if mark else set())
    if request.body.encoded:
        # The body could not be decoded when it was recorded: it is sent as it came.
        dropped -= {"content-encoding"}
    if target.authorization:
        dropped |= {"authorization"}
    headers = [(name, value) for name, value in request.headers if name.lower() not in dropped]
    if target.authorization:
        headers.append(("Authorization", target.authorization))
    return [*headers, ("Accept-Encoding", ACCEPTED), *([(mark, "1")] if mark else [])]


def _failure(error: Exception) -> tuple[Failure, bool]:
    """The failure that an error means, and whether the request got through."""
    message = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, aiohttp.ClientConnectorError):
        return Failure("connect", connection_problem(error) or message), False
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return Failure("connect", "no connection in time"), False
    if isinstance(error, TimeoutError):
        return Failure("timeout", "no complete answer in time"), True
    if isinstance(error, aiohttp.ClientError | OSError) and not isinstance(error, aiohttp.InvalidURL):
        return Failure(_kind(error), message), True
    # What is left never left this machine: a method, path or header that HTTP has no form for.
    return Failure("protocol", f"the recorded request can't be sent: {message}"), False


def _kind(error: aiohttp.ClientError | OSError) -> FailureKind:
    return "protocol" if isinstance(error, aiohttp.ClientResponseError) else "disconnect"


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")
