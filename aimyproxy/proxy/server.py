"""A lean mitmproxy master: only what a reverse proxy needs, started, drained and stopped in order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from functools import partial
from typing import TYPE_CHECKING, Final

from mitmproxy import ctx
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.master import Master
from mitmproxy.options import Options
from mitmproxy.proxy.mode_specs import ProxyMode
from mitmproxy.utils import asyncio_utils
from OpenSSL import SSL

from aimyproxy import sockets
from aimyproxy.errors import InvalidOption
from aimyproxy.proxy import connections, fits, limits
from aimyproxy.proxy.addons import Forward, Patience, Recorder, Tls
from aimyproxy.proxy.guarding import Guarding
from aimyproxy.proxy.layers import ChooseLayers
from aimyproxy.proxy.listener import Listener
from aimyproxy.proxy.loops import loop_factory, stop_signals
from aimyproxy.proxy.tuning import Tuning

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable, Iterator

    from aimyproxy.exchange import Exchange
    from aimyproxy.keeping.keeper import Keeper
    from aimyproxy.proxy.settings import Observer, Settings

_POLL_SECONDS: Final = 0.02
_LAST_SECONDS: Final = 2.0
"""How long connections have to end that nobody waits for any more."""


def run(
    settings: Settings,
    keeper: Keeper,
    observer: Observer,
    started: Callable[[str, int], None],
    served: Callable[[int, Exchange], None] | None = None,
    stopping: Callable[[], None] = lambda: None,
) -> None:
    """Record until SIGINT or SIGTERM (or trouble, if strict); returns when what was in flight is answered and recorded.

    `started` gets the host and the port that are listened on, `served` each exchange with its id when the bot has been
    sent the answer; `stopping` is called when no more requests are taken. A second signal ends the waiting.

    Raises:
        ListenError: the address can't be listened on.
        InvalidOption: the certificate or its key can't be used.
    """

    async def until_signalled() -> None:
        with stop_signals() as stop:
            await serve(settings, listening, keeper.keep, observer, stop, started, served, stopping)

    with asyncio.Runner(loop_factory=loop_factory()) as runner, sockets.listening_socket(*settings.listen) as listening:
        runner.run(until_signalled())


async def serve(
    settings: Settings,
    listening: socket.socket,
    keep: Callable[[Exchange], Awaitable[int | None]],
    observer: Observer,
    stop: asyncio.Event,
    started: Callable[[str, int], None],
    served: Callable[[int, Exchange], None] | None = None,
    stopping: Callable[[], None] = lambda: None,
) -> None:
    """Forward what comes in on the socket until `stop` is set; set again, it ends the waiting for answers."""
    with _log_to(observer.trouble):
        master, proxyserver = Master(Options()), Proxyserver()
        gone = partial(connections.has_gone, proxyserver)
        recorder = Recorder(keep, observer.refused, gone, served, stop.set if settings.strict else None)
        bounds = limits.Limits(proxyserver, sockets.most_connections(), limits.IDLE_SECONDS, limits.BODY_SECONDS)
        with asyncio_utils.install_exception_handler(master._asyncio_exception_handler):  # noqa: SLF001
            _configure(master, settings, proxyserver, bounds, recorder)
            listener = Listener(ProxyMode.parse(ctx.options.mode[0]), proxyserver, listening)
            # Where mitmproxy looks for what it must not connect to: itself.
            proxyserver.servers = [listener]  # type: ignore[assignment]
            await master.running()
            await listener.start()
            host, port, *_ = listening.getsockname()
            started(str(host), int(port))
            sweeping = asyncio.create_task(bounds.sweep())
            await stop.wait()
            stop.clear()
            stopping()
            sweeping.cancel()
            await listener.stop()
            await _drain(proxyserver, recorder, stop, settings.timeout)
            await master.done()


@contextlib.contextmanager
def _log_to(trouble: Callable[[str], None]) -> Iterator[None]:
    """Let mitmproxy's errors (a bug in a layer, say) reach the user; what it logs below that is our exchanges."""
    handler = logging.Handler(logging.ERROR)
    handler.emit = lambda record: trouble(handler.format(record))  # type: ignore[method-assign]
    logger = logging.getLogger("mitmproxy")
    logger.propagate = False
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = True


def _configure(
    master: Master, settings: Settings, proxyserver: Proxyserver, bounds: limits.Limits, recorder: Recorder
) -> None:
    target = settings.target
    master.addons.add(
        proxyserver,
        ChooseLayers(settings, proxyserver, whole=fits()),
        Tls(_listen_context(settings)),
        bounds,
        *([Guarding(settings.guard)] if settings.guard else []),
        # Recorder last: it sees the request as it leaves, and its `response` is the last before the bot's.
        Forward(target),
        Patience(settings.timeout, proxyserver),
        recorder,
    )
    if fits():
        master.addons.add(Tuning(proxyserver, master.addons))
    host = f"[{target.host}]" if ":" in target.host else target.host
    master.options.update(
        mode=[f"reverse:{target.scheme}://{host}:{target.port}"],
        connection_strategy="lazy",
        http2=False,
        websocket=False,
        ssl_verify_upstream_trusted_ca=str(settings.trust.ca) if settings.trust.ca else None,
        ssl_insecure=settings.trust.insecure,
    )


def _listen_context(settings: Settings) -> SSL.Context | None:
    if settings.cert is None:
        return None
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_cipher_list(sockets.TLS_CIPHERS.encode())
    try:
        context.use_certificate_chain_file(str(settings.cert))
        context.use_privatekey_file(str(settings.key or settings.cert))
        context.check_privatekey()
    except SSL.Error as error:
        reason = error.args[0][0][2] if error.args and error.args[0] else "not PEM"
        raise InvalidOption(
            f"--cert {settings.cert} and --key {settings.key or settings.cert} can't be used: {reason}. "
            "Give a PEM certificate chain and the private key that belongs to it."
        ) from None
    return context


async def _drain(proxyserver: Proxyserver, recorder: Recorder, hurry: asyncio.Event, patience: float) -> None:
    """Wait for the answers that are on their way, and let go of all connections.

    After `patience` seconds (the time-out of an answer, and a little) nothing more can come.
    """
    recorder.draining = True
    deadline = time.monotonic() + patience + 1
    while recorder.pending and not hurry.is_set() and time.monotonic() < deadline:
        await asyncio.sleep(_POLL_SECONDS)
    recorder.give_up()
    for connection in list(proxyserver.connections.values()):
        connections.close(proxyserver, connection.client.id, "stopping")
    deadline = time.monotonic() + _LAST_SECONDS
    while proxyserver.connections and time.monotonic() < deadline:
        await asyncio.sleep(_POLL_SECONDS)
