"""The addons that make mitmproxy a recorder: forwarding to the target, time-outs, recording, TLS."""

from __future__ import annotations

import asyncio
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from mitmproxy import http
from mitmproxy.addons import tlsconfig
from OpenSSL import SSL

from aimyproxy.exchange import Failure, Timing
from aimyproxy.guard import OPEN_PROXY, OUTSIDE, UNRECORDED
from aimyproxy.proxy.flows import headers_of, to_exchange
from aimyproxy.proxy.http1 import without_advice
from aimyproxy.proxy.stream import FAILURE, REFUSAL, TIMED_OUT

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from mitmproxy.addonmanager import Loader
    from mitmproxy.addons.proxyserver import Proxyserver
    from mitmproxy.connection import Client
    from mitmproxy.tls import ClientHelloData, TlsData

    from aimyproxy.exchange import Exchange
    from aimyproxy.guard import Refusal
    from aimyproxy.target import Target

_BEGUN: Final = "aimyproxy.begun"
_PATH: Final = "aimyproxy.path"
_FORWARDED: Final = "aimyproxy.forwarded"
_HEADERS: Final = "aimyproxy.headers"
# How mitmproxy and h11 word a request that ended before it was whole.
_HUNG_UP: Final = ("disconnected", "peer closed connection", "peer unexpectedly closed")


def refuse(flow: http.HTTPFlow, refusal: Refusal) -> None:
    """Answer in the webhook's place: what is asked goes nowhere, and is no exchange."""
    flow.metadata[REFUSAL] = refusal
    # Whatever else comes on this connection is not worth reading.
    headers = {"Connection": "close", **dict(refusal.headers)}
    flow.response = http.Response.make(refusal.status, refusal.body, headers)
    flow.response.reason = HTTPStatus(refusal.status).phrase


class Forward:
    """Send every request to the target, and only there."""

    def __init__(self, target: Target) -> None:
        self._target = target

    def request(self, flow: http.HTTPFlow) -> None:
        """Put the target's path and query in the place of the bot's `/`."""
        if REFUSAL in flow.metadata:
            return
        if flow.request.authority:
            refuse(flow, OPEN_PROXY)
            return
        if self._target.leads_out(flow.request.path):
            refuse(flow, OUTSIDE)
            return
        flow.metadata[_PATH] = flow.request.path
        flow.request.path = self._target.joined(flow.request.path)
        flow.metadata[_HEADERS] = headers_of(flow.request)
        if "Upgrade" in flow.request.headers:
            # Who spoke another protocol with the webhook would go round all that looks at requests here.
            del flow.request.headers["Upgrade"]
        if self._target.authorization and "Authorization" not in flow.request.headers:
            flow.request.headers["Authorization"] = self._target.authorization


class Patience:
    """Give the upstream up after so many seconds, counted from the whole request to the whole answer."""

    def __init__(self, seconds: float, proxyserver: Proxyserver) -> None:
        self._seconds = seconds
        self._proxyserver = proxyserver
        # In the order of their ends, as all have the same time: one timer, for the first, is enough.
        self._waiting: dict[str, tuple[float, http.HTTPFlow]] = {}
        self._timer: asyncio.TimerHandle | None = None

    def request(self, flow: http.HTTPFlow) -> None:
        """Start to wait."""
        loop = asyncio.get_running_loop()
        self._waiting[flow.id] = loop.time() + self._seconds, flow
        if self._timer is None:
            self._timer = loop.call_later(self._seconds, self._look)

    def response(self, flow: http.HTTPFlow) -> None:
        """Stop waiting: there is an answer."""
        self._waiting.pop(flow.id, None)

    error = response

    def _look(self) -> None:
        self._timer = None
        loop = asyncio.get_running_loop()
        for deadline, flow in list(self._waiting.values()):
            if deadline > loop.time():
                self._timer = loop.call_at(deadline, self._look)
                return
            self._give_up(flow)

    def _give_up(self, flow: http.HTTPFlow) -> None:
        del self._waiting[flow.id]
        flow.metadata[TIMED_OUT] = self._seconds
        handler = self._proxyserver.connections.get(flow.client_conn.id)
        # mitmproxy has no time-out of its own: ending the upstream connection is what its layers understand.
        for connection, transport in list(handler.transports.items()) if handler else []:
            if connection is not flow.client_conn and transport.handler:
                transport.handler.cancel("time-out")


class Recorder:
    """Write each exchange before the bot gets its response, and know which are still on their way.

    `gone` tells of a connection's id whether the bot has left it. With `stop`, the first exchange that is not recorded
    ends the serving: it is called, and the bot gets a 503.
    """

    def __init__(
        self,
        keep: Callable[[Exchange], Awaitable[int | None]],
        refused: Callable[[Refusal], None],
        gone: Callable[[str], bool],
        served: Callable[[int, Exchange], None] | None = None,
        stop: Callable[[], None] | None = None,
    ) -> None:
        self._keep = keep
        self._refused = refused
        self._gone = gone
        self._served = served
        self._stop = stop
        self._stopped = False
        self._pending: dict[str, asyncio.Event] = {}
        self._forwarded: set[str] = set()
        self.draining = False

    @property
    def pending(self) -> set[str]:
        """The ids of the client connections whose whole request has no answer yet."""
        return set(self._forwarded)

    def requestheaders(self, flow: http.HTTPFlow) -> None:
        """A request begins."""
        flow.metadata[_BEGUN] = time.perf_counter()
        self._pending.setdefault(flow.client_conn.id, asyncio.Event())

    def request(self, flow: http.HTTPFlow) -> None:
        """The request is whole and goes to the webhook."""
        if self._stopped:
            refuse(flow, UNRECORDED)
            return
        flow.metadata[_FORWARDED] = time.perf_counter()
        self._forwarded.add(flow.client_conn.id)

    async def response(self, flow: http.HTTPFlow) -> None:
        """The answer is whole and goes to the bot when this returns."""
        try:
            failure: Failure | None = flow.metadata.get(FAILURE)
            if failure is None and self._gone(flow.client_conn.id):
                failure = Failure("client_gone", "The bot hung up before the webhook answered.")
            await self._record(flow, failure)
            if self.draining and flow.response:
                flow.response.headers["Connection"] = "close"
        finally:
            self._done(flow)

    async def error(self, flow: http.HTTPFlow) -> None:
        """There will be no answer: the bot hung up before its request was whole, or sent what is no HTTP."""
        message = without_advice(flow.error.msg).rstrip(".") if flow.error else "unknown"
        if known := flow.metadata.get(FAILURE):
            failure = known
        elif any(sign in message for sign in _HUNG_UP):
            failure = Failure("client_gone", "The bot hung up before its request was whole.")
        else:
            failure = Failure("protocol", f"The bot sent what is no valid HTTP request: {message}.")
        try:
            await self._record(flow, failure)
        finally:
            self._done(flow)

    def give_up(self) -> None:
        """Wait no longer for answers that are on their way."""
        for waiting in self._pending.values():
            waiting.set()

    async def client_disconnected(self, client: Client) -> None:
        """Keep the connection's upstream open until all its answers are recorded, though nobody waits for them."""
        # Behind the answer may be another request, which had been sent ahead of it.
        while (waiting := self._pending.get(client.id)) and not waiting.is_set():
            await waiting.wait()

    def _done(self, flow: http.HTTPFlow) -> None:
        self._forwarded.discard(flow.client_conn.id)
        if waiting := self._pending.pop(flow.client_conn.id, None):
            waiting.set()

    async def _record(self, flow: http.HTTPFlow, failure: Failure | None) -> None:
        if refusal := flow.metadata.get(REFUSAL):
            self._refused(refusal)
            return
        exchange = to_exchange(
            flow,
            path=flow.metadata.get(_PATH, flow.request.path),
            headers=flow.metadata.get(_HEADERS) or headers_of(flow.request),
            failure=failure,
            timing=_timing(flow, connected=failure is None or failure.kind != "connect"),
        )
        identity = await self._keep(exchange)
        if identity is None and self._stop:
            if not self._stopped:
                self._stopped = True
                self._stop()
            refuse(flow, UNRECORDED)
        elif identity is not None and self._served and _FORWARDED in flow.metadata:
            # What mitmproxy does until the answer is on its way to the bot, it does before it looks at the loop.
            asyncio.get_running_loop().call_soon(self._served, identity, exchange)


def _timing(flow: http.HTTPFlow, *, connected: bool) -> Timing:
    """How long it took, by a clock that nobody sets."""
    now = time.perf_counter()
    forwarded = flow.metadata.get(_FORWARDED) if connected else None
    upstream_ms = None if forwarded is None else round((now - forwarded) * 1000, 3)
    return Timing(upstream_ms, round((now - flow.metadata.get(_BEGUN, now)) * 1000, 3))


class Tls:
    """TLS to the target as mitmproxy does it; TLS to the bot with the user's certificate.

    mitmproxy's own addon does more: it makes a certificate authority in the home folder, and answers requests for its
    revocation list. Only what is wanted here is handed to it.
    """

    def __init__(self, listen: SSL.Context | None) -> None:
        self._listen = listen
        self._original = tlsconfig.TlsConfig()

    def load(self, loader: Loader) -> None:
        """The original's options are ours."""
        self._original.load(loader)

    def tls_clienthello(self, clienthello: ClientHelloData) -> None:
        """A TLS connection is about to begin."""
        self._original.tls_clienthello(clienthello)

    def tls_start_server(self, tls_start: TlsData) -> None:
        """A connection to the target begins with TLS: its certificate is verified."""
        self._original.tls_start_server(tls_start)

    def tls_start_client(self, tls_start: TlsData) -> None:
        """A connection of the bot begins with TLS."""
        if self._listen is not None:
            tls_start.ssl_conn = SSL.Connection(self._listen)
            tls_start.ssl_conn.set_accept_state()
