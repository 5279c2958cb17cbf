"""What the bot gets where nothing answers: the explanation, an empty object, or what the target says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from aimyproxy.mockserver.messages import Reply

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from aimyproxy.answering.misses import Miss
    from aimyproxy.exchange import Request


class OnMiss(Protocol):
    """Makes the reply to a request that nothing answers; `raw` is the request's body as it came over the wire."""

    def reply(self, request: Request, raw: bytes, miss: Miss) -> Reply | Awaitable[Reply]:
        """The reply, or what has to be awaited for it; neither raises."""

    async def close(self) -> None:
        """Let go of connections."""


class Explain:
    """404 with the explanation."""

    def reply(self, _request: Request, _raw: bytes, miss: Miss) -> Reply:
        """The explanation as JSON."""
        return Reply.of_json(404, miss.document(), "miss")

    async def close(self) -> None:
        """Nothing to let go of."""


class Empty:
    """200 with an empty object: the bot goes on as if its webhook had nothing to say."""

    def reply(self, _request: Request, _raw: bytes, _miss: Miss) -> Reply:
        """`{}`."""
        return Reply.of_json(200, {}, "miss")

    async def close(self) -> None:
        """Nothing to let go of."""
