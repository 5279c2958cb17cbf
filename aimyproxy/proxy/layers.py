"""mitmproxy's layers of a connection, with our streams; and which of them a connection has."""

from __future__ import annotations

import copy
from functools import partial
from typing import TYPE_CHECKING

from mitmproxy.connection import Server
from mitmproxy.proxy import commands, layers, tunnel
from mitmproxy.proxy.layers import http as http_layers
from mitmproxy.proxy.layers.http import HTTPMode

from aimyproxy.proxy import connections
from aimyproxy.proxy.http1 import Http1Server
from aimyproxy.proxy.stream import Stream

if TYPE_CHECKING:
    from collections.abc import Callable

    from mitmproxy.addons.proxyserver import Proxyserver
    from mitmproxy.proxy.context import Context
    from mitmproxy.proxy.layer import CommandGenerator, NextLayer

    from aimyproxy.proxy.settings import Settings


class HttpLayer(http_layers.HttpLayer):
    """All requests of one connection of the bot."""

    def __init__(self, context: Context, max_body: int, is_over: Callable[[Server], bool], *, whole: bool) -> None:
        super().__init__(context, HTTPMode.transparent)
        self._max_body = max_body
        self._is_over = is_over
        self.connections[context.client] = Http1Server(context.fork(), by_whole=whole)

    def _upstream(self) -> CommandGenerator[Server | None]:
        """The connection to the webhook that can be used again."""
        for connection in list(self.connections):
            if not isinstance(connection, Server) or connection in self.waiting_for_establishment:
                # With TLS, there is more to it than to be connected.
                continue
            if connection.timestamp_end:
                # Nothing will be heard of it any more: a bot that stays may see a great many of them end.
                del self.connections[connection]
            elif connection.connected and not connection.error:
                if not self._is_over(connection):
                    return connection
                # Who sends on it would be told that the webhook failed.
                yield commands.CloseConnection(connection)
        return None

    def make_stream(self, stream_id: int) -> CommandGenerator[None]:
        """As the original, with our Stream."""
        # The original's `fork` makes a connection first that nobody uses.
        context = copy.copy(self.context)
        context.layers = self.context.layers.copy()
        stream = self.streams[stream_id] = Stream(context, stream_id, self._max_body, self._upstream)
        # All that its start does.
        stream.client_state = stream.state_wait_for_request_headers
        yield from ()


class ChooseLayers:
    """The addon that says which layers a connection has: TLS on either side as configured, then HTTP.

    With `whole`, messages that come in one piece are read so.
    """

    # What mitmproxy's Proxyserver looks for.
    name = "nextlayer"

    def __init__(self, settings: Settings, proxyserver: Proxyserver, *, whole: bool) -> None:
        self._settings = settings
        self._proxyserver = proxyserver
        self._whole = whole

    def next_layer(self, nextlayer: NextLayer) -> None:
        """Called by mitmproxy once a connection, behind its ReverseProxy layer."""
        context: Context = nextlayer.context
        stack = tunnel.LayerStack()
        if self._settings.target.scheme == "https":
            stack /= layers.ServerTLSLayer(context)
        if self._settings.cert is not None:
            stack /= layers.ClientTLSLayer(context)
        is_over = partial(connections.is_over, self._proxyserver, context.client.id)
        stack /= HttpLayer(context, self._settings.max_body, is_over, whole=self._whole)
        nextlayer.layer = stack[0]
