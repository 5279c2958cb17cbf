"""Misses forwarded to the real webhook."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import aiohttp
from yarl import URL

from aimyproxy import aimylogic
from aimyproxy.content import TooLargeError, body_of
from aimyproxy.exchange import HOP_BY_HOP, Body, Exchange, Failure, Response, Timing
from aimyproxy.mockserver.messages import BODY_LIMIT, Reply
from aimyproxy.store.recording import now

if TYPE_CHECKING:
    from aimyproxy.answering.misses import Miss
    from aimyproxy.exchange import Headers, Request
    from aimyproxy.target import Target

_NOT_SENT: Final = HOP_BY_HOP | {"host", "expect"}
# The server that listens to the bot sets its own.
_NOT_RETURNED: Final = HOP_BY_HOP | {"date", "aimyproxy-answer"}
# Headers that the bot didn't send are not for us to invent.
_NOT_INVENTED: Final = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")


class Keeper(Protocol):
    """Who records what was forwarded."""

    async def keep(self, exchange: Exchange) -> None:
        """Record the exchange; never raises."""


@dataclass(frozen=True, slots=True)
class _Got:
    """What the target answered, as it came over the wire."""

    status: int
    headers: Headers
    body: bytes


class Forward:
    """Asks the target, and only it, for what the recording can't answer. `timeout` is in seconds.

    With a `keeper`, what came back is recorded before the bot gets it.
    """

    def __init__(self, target: Target, timeout: float = 30.0, keeper: Keeper | None = None) -> None:
        self._target = target
        self._timeout = timeout
        self._keeper = keeper
        self._session: aiohttp.ClientSession | None = None

    async def reply(self, request: Request, raw: bytes, _miss: Miss) -> Reply:
        """What the target answers; 502 where it can't be reached, 504 where it takes too long."""
        at, begun = now(), time.perf_counter()
        got = await self._asked(request, raw)
        if self._keeper is not None:
            milliseconds = round((time.perf_counter() - begun) * 1000, 3)
            await self._keeper.keep(_exchange(at, request, got, milliseconds))
        if isinstance(got, Failure):
            return self._failure(504 if got.kind == "timeout" else 502, got.message)
        returned = tuple((name, value) for name, value in got.headers if name.lower() not in _NOT_RETURNED)
        return Reply(got.status, returned, got.body, "forward")

    async def _asked(self, request: Request, raw: bytes) -> _Got | Failure:
        try:
            return await self._forwarded(request, raw)
        except TimeoutError:
            return Failure("timeout", f"no answer within {self._timeout:g} s")
        except aiohttp.ClientConnectorError as error:
            return Failure("connect", error.strerror or "the connection failed")
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientPayloadError, ConnectionError) as error:
            return Failure("disconnect", str(error) or type(error).__name__)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Failure("protocol", str(error) or type(error).__name__)

    async def close(self) -> None:
        """Close the connections to the target."""
        if self._session is not None:
            await self._session.close()

    async def _forwarded(self, request: Request, raw: bytes) -> _Got:
        url = URL(self._target.origin + self._target.joined(request.path), encoded=True)
        async with (
            asyncio.timeout(self._timeout),
            self._opened().request(
                request.method, url, headers=self._sent(request.headers), data=raw or None, allow_redirects=False
            ) as response,
        ):
            body = await response.read()
        headers = tuple((_text(name), _text(value)) for name, value in response.raw_headers)
        return _Got(response.status, headers, body)

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                skip_auto_headers=_NOT_INVENTED,
                timeout=aiohttp.ClientTimeout(total=None),
            )
        return self._session

    def _sent(self, headers: Headers) -> list[tuple[str, str]]:
        sent = [(name, value) for name, value in headers if name.lower() not in _NOT_SENT]
        sent.append(("Host", self._target.host_header))
        authorization = self._target.authorization
        if authorization and not any(name.lower() == "authorization" for name, _ in sent):
            sent.append(("Authorization", authorization))
        return sent

    def _failure(self, status: int, problem: str) -> Reply:
        document = {"error": f"aimyproxy could not forward to {self._target.display}: {problem}"}
        return Reply.of_json(status, document, "forward")


def _exchange(at: str, request: Request, got: _Got | Failure, milliseconds: float) -> Exchange:
    """The exchange as `record` would have kept it."""
    event, conversation = aimylogic.identify(request.body.variables())
    asked = (at, event, conversation, request)
    if isinstance(got, Failure):
        return Exchange(*asked, None, got, Timing(None if got.kind == "connect" else milliseconds, milliseconds))
    return Exchange(*asked, Response(got.status, got.headers, _body(got)), None, Timing(milliseconds, milliseconds))


def _body(got: _Got) -> Body:
    coding = next((value for name, value in got.headers if name.lower() == "content-encoding"), "")
    try:
        return body_of(got.body, coding, BODY_LIMIT)
    except TooLargeError:
        return Body.of(got.body, encoded=True)


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")
