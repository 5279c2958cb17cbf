"""Misses forwarded to the real webhook."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import aiohttp
from yarl import URL

from aimyproxy.exchange import HOP_BY_HOP
from aimyproxy.mockserver.messages import Reply

if TYPE_CHECKING:
    from aimyproxy.answering.misses import Miss
    from aimyproxy.exchange import Headers, Request
    from aimyproxy.target import Target

_NOT_SENT: Final = HOP_BY_HOP | {"host", "expect"}
# The server that listens to the bot sets its own.
_NOT_RETURNED: Final = HOP_BY_HOP | {"date", "aimyproxy-answer"}
# Headers that the bot didn't send are not for us to invent.
_NOT_INVENTED: Final = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")


class Forward:
    """Asks the target, and only it, for what the recording can't answer. `timeout` is in seconds."""

    def __init__(self, target: Target, timeout: float = 30.0) -> None:
        self._target = target
        self._timeout = timeout
        self._session: aiohttp.ClientSession | None = None

    async def reply(self, request: Request, raw: bytes, _miss: Miss) -> Reply:
        """What the target answers; 502 where it can't be reached, 504 where it takes too long."""
        try:
            return await self._forwarded(request, raw)
        except TimeoutError:
            return self._failure(504, f"no answer within {self._timeout:g} s")
        except aiohttp.ClientConnectorError as error:
            return self._failure(502, error.strerror or "the connection failed")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return self._failure(502, str(error) or type(error).__name__)

    async def close(self) -> None:
        """Close the connections to the target."""
        if self._session is not None:
            await self._session.close()

    async def _forwarded(self, request: Request, raw: bytes) -> Reply:
        url = URL(self._target.origin + self._target.joined(request.path), encoded=True)
        async with (
            asyncio.timeout(self._timeout),
            self._opened().request(
                request.method, url, headers=self._sent(request.headers), data=raw or None, allow_redirects=False
            ) as response,
        ):
            body = await response.read()
        returned = tuple(
            (name, value)
            for name, value in ((_text(name), _text(value)) for name, value in response.raw_headers)
            if name.lower() not in _NOT_RETURNED
        )
        return Reply(response.status, returned, body, "forward")

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


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")
