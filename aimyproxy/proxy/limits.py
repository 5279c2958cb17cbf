"""What bots may take up: connections, and the time until a request is whole."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

from mitmproxy.proxy.server import TimeoutWatchdog

from aimyproxy.proxy import connections

if TYPE_CHECKING:
    from mitmproxy import http
    from mitmproxy.addons.proxyserver import Proxyserver
    from mitmproxy.connection import Client

IDLE_SECONDS: Final = 75.0
BODY_SECONDS: Final = 60.0
_SWEEP_SECONDS: Final = 1.0


async def _no_watch(_: TimeoutWatchdog) -> None:
    """mitmproxy's own limit goes by the wall clock: a jump of that would end connections that are in use."""


TimeoutWatchdog.watch = _no_watch  # type: ignore[method-assign]


class Limits:
    """Closes connections that nothing comes from, and the longest idle one where there are too many.

    A head has to come within `idle` seconds of the answer before it, its body within `body` seconds of the head.
    """

    def __init__(self, proxyserver: Proxyserver, most: int, idle: float, body: float) -> None:
        self._proxyserver = proxyserver
        self._most = most
        self._patience = (idle, body)
        # Since when, by the connection's id: those that wait longest come first.
        self._idle: dict[str, float] = {}
        self._sending: dict[str, float] = {}

    def client_connected(self, client: Client) -> None:
        """A bot connects."""
        if len(self._proxyserver.connections) > self._most:
            if not self._idle:
                client.error = "too many connections"
                return
            self._close(self._idle)
        self._idle[client.id] = time.monotonic()

    def requestheaders(self, flow: http.HTTPFlow) -> None:
        """The head is there."""
        self._idle.pop(flow.client_conn.id, None)
        self._sending[flow.client_conn.id] = time.monotonic()

    def request(self, flow: http.HTTPFlow) -> None:
        """The body is there."""
        self._sending.pop(flow.client_conn.id, None)

    def response(self, flow: http.HTTPFlow) -> None:
        """The answer is on its way; the next request may come."""
        self._sending.pop(flow.client_conn.id, None)
        self._idle[flow.client_conn.id] = time.monotonic()

    error = response

    def client_disconnected(self, client: Client) -> None:
        """A bot has gone."""
        self._idle.pop(client.id, None)
        self._sending.pop(client.id, None)

    async def sweep(self) -> None:
        """Close what is late, again and again."""
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            now = time.monotonic()
            for since, patience in zip((self._idle, self._sending), self._patience, strict=True):
                while since and next(iter(since.values())) < now - patience:
                    self._close(since)

    def _close(self, since: dict[str, float]) -> None:
        """Let go of the connection that waits longest."""
        identity = next(iter(since))
        del since[identity]
        connections.close(self._proxyserver, identity, "time-out")
