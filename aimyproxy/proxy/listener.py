"""mitmproxy's server on a socket that somebody else has bound: ours, or one that several processes share."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from mitmproxy.proxy import layers
from mitmproxy.proxy.mode_servers import AsyncioServerInstance, M

from aimyproxy.sockets import BACKLOG

if TYPE_CHECKING:
    import socket

    from mitmproxy.proxy.context import Context
    from mitmproxy.proxy.layer import Layer
    from mitmproxy.proxy.mode_servers import ServerManager


class Listener(AsyncioServerInstance[M]):
    """A reverse proxy's server."""

    def __init__(self, mode: M, manager: ServerManager, listening: socket.socket) -> None:
        super().__init__(mode, manager)
        self._listening = listening

    async def listen(self, *_: object) -> list[asyncio.Server]:  # type: ignore[override]
        """Take connections from the socket, whatever mitmproxy's options say."""
        return [await asyncio.start_server(self.handle_stream, sock=self._listening, backlog=BACKLOG)]

    def make_top_layer(self, context: Context) -> Layer:
        """What a connection begins with."""
        return layers.modes.ReverseProxy(context)
