"""Misses forwarded to the real webhook."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import aiohttp
from yarl import URL

from aimyproxy import aimylogic
from aimyproxy.connecting import connection_problem
from aimyproxy.content import kept_body
from aimyproxy.exchange import Exchange, Failure, Response, Timing, hop_by_hop
from aimyproxy.guard import OUTSIDE, UNRECORDED
from aimyproxy.mockserver.limits import BODY_LIMIT
from aimyproxy.mockserver.messages import Reply, kept_headers, kept_request
from aimyproxy.store.recording import now
from aimyproxy.target import webhook_failure
from aimyproxy.trust import SYSTEM

if TYPE_CHECKING:
    from collections.abc import Callable

    from aimyproxy.answering.misses import Miss
    from aimyproxy.exchange import FailureKind, Headers, Request
    from aimyproxy.guard import Refusal
    from aimyproxy.keeping.keeper import Keeper
    from aimyproxy.target import Target
    from aimyproxy.trust import Trust

_NOT_SENT: Final = {"host", "expect"}
# The server that listens to the bot sets its own.
_NOT_RETURNED: Final = {"date", "aimyproxy-answer"}
# Headers that the bot didn't send are not for us to invent.
_NOT_INVENTED: Final = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")


@dataclass(frozen=True, slots=True)
class _Got:
    """What the target answered, as it came over the wire."""

    status: int
    headers: Headers
    body: bytes


class Forward:
    """Asks the target, and only it, for what the recording can't answer. `timeout` is in seconds.

    With a `keeper`, what came back is recorded before the bot gets it; where that can't be, `unrecorded` is called, if
    there is such, and the bot gets a 503. `trust` says whose certificates are accepted; InvalidOption where that can't
    be used.
    """

    def __init__(
        self,
        target: Target,
        timeout: float = 30.0,
        keeper: Keeper | None = None,
        trust: Trust = SYSTEM,
        unrecorded: Callable[[], None] | None = None,
    ) -> None:
        self._target = target
        self._timeout = timeout
        self._keeper = keeper
        self._unrecorded = unrecorded
        self._tls = trust.context()
        self._session: aiohttp.ClientSession | None = None

    async def reply(self, request: Request, raw: bytes, _miss: Miss) -> Reply:
        """What the target answers; 502 where it can't be reached, 504 where it takes too long.

        400 for what leads out of the target's path, which is neither asked for nor recorded.
        """
        if self._target.leads_out(request.path):
            return _refused(OUTSIDE)
        at, begun = now(), time.perf_counter()
        got = await self._asked(request, raw)
        if self._keeper is not None:
            milliseconds = round((time.perf_counter() - begun) * 1000, 3)
            identity = await self._keeper.keep(_exchange(at, request, got, milliseconds))
            if identity is None and self._unrecorded:
                self._unrecorded()
                return _refused(UNRECORDED)
        if isinstance(got, Failure):
            return self._failure(504 if got.kind == "timeout" else 502, got.message)
        kept_back = hop_by_hop(got.headers) | _NOT_RETURNED
        returned = tuple((name, value) for name, value in got.headers if name.lower() not in kept_back)
        return Reply(got.status, returned, got.body, "forward")

    async def _asked(self, request: Request, raw: bytes) -> _Got | Failure:
        try:
            return await self._forwarded(request, raw)
        except TimeoutError:
            return self._failed("timeout", f"{self._timeout:g} s")
        except aiohttp.ClientConnectorError as error:
            return self._failed("connect", connection_problem(error) or _described(error))
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientPayloadError, ConnectionError):
            return self._failed("disconnect")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return self._failed("protocol", _described(error))

    def _failed(self, kind: FailureKind, detail: str = "") -> Failure:
        return webhook_failure(kind, f"{self._target.host}:{self._target.port}", detail)

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
            # The library leaves out the other interim ones; this one ends what HTTP there is.
            if response.status == HTTPStatus.SWITCHING_PROTOCOLS:
                raise ValueError(f"{response.status} is no status of an answer")
            body = await response.read()
        headers = tuple((_text(name), _text(value)) for name, value in response.raw_headers)
        return _Got(response.status, headers, body)

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                # What comes late on a connection that is kept would be the next answer.
                connector=aiohttp.TCPConnector(ssl=self._tls, force_close=True),
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                skip_auto_headers=_NOT_INVENTED,
                timeout=aiohttp.ClientTimeout(total=None),
            )
        return self._session

    def _sent(self, headers: Headers) -> list[tuple[str, str]]:
        kept_back = hop_by_hop(headers) | _NOT_SENT
        sent = [(name, value) for name, value in headers if name.lower() not in kept_back]
        sent.append(("Host", self._target.host_header))
        authorization = self._target.authorization
        if authorization and not any(name.lower() == "authorization" for name, _ in sent):
            sent.append(("Authorization", authorization))
        return sent

    def _failure(self, status: int, problem: str) -> Reply:
        document = {"error": f"aimyproxy could not forward: {problem}"}
        return Reply.of_json(status, document, "forward")


def _refused(refusal: Refusal) -> Reply:
    return Reply(refusal.status, refusal.headers, refusal.body, "forward")


def _exchange(at: str, request: Request, got: _Got | Failure, milliseconds: float) -> Exchange:
    """The exchange as `record` would have kept it."""
    event, conversation = aimylogic.identify(request.body.variables())
    asked = (at, event, conversation, kept_request(request))
    if isinstance(got, Failure):
        return Exchange(*asked, None, got, Timing(None if got.kind == "connect" else milliseconds, milliseconds))
    return Exchange(*asked, _kept_response(got), None, Timing(milliseconds, milliseconds))


def _kept_response(got: _Got) -> Response:
    coding = next((value for name, value in got.headers if name.lower() == "content-encoding"), "")
    return Response(got.status, kept_headers(got.headers), kept_body(got.body, coding, BODY_LIMIT))


def _described(error: Exception) -> str:
    """What a library says, in one line that any JSON parser reads."""
    said = " ".join(str(error).split()) or type(error).__name__
    return said.encode("utf-8", "replace").decode()


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")
