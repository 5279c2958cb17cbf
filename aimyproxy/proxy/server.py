"""A lean mitmproxy master: only what a reverse proxy needs, started, drained and stopped in order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.master import Master
from mitmproxy.options import Options
from mitmproxy.utils import asyncio_utils
from OpenSSL import SSL

from aimyproxy import sockets
from aimyproxy.errors import InvalidOption
from aimyproxy.proxy import connections, fits, limits
from aimyproxy.proxy.addons import Forward, Patience, Recorder, Tls
from aimyproxy.proxy.guarding import Guarding
from aimyproxy.proxy.layers import ChooseLayers
from aimyproxy.proxy.tuning import Tuning
from aimyproxy.trust import SYSTEM

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from aimyproxy.exchange import Exchange
    from aimyproxy.guard import Guard
    from aimyproxy.keeping.keeper import Keeper
    from aimyproxy.proxy.addons import Observer
    from aimyproxy.target import Target
    from aimyproxy.trust import Trust

_POLL_SECONDS: Final = 0.02


@dataclass(frozen=True, slots=True)
class Settings:
    """How to listen, whom to let in and where to forward. `timeout` is in seconds; `cert` and `key` are PEM files.

    `max_body` is in bytes of a request's or a response's body.
    With `strict`, what can't be recorded ends the run, and the bot gets a 503.
    """

    target: Target
    listen: tuple[str, int]
    timeout: float = 30.0
    cert: Path | None = None
    key: Path | None = None
    trust: Trust = SYSTEM
    guard: Guard | None = None
    strict: bool = False
    max_body: int = 64_000_000


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
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_serve(settings, keeper, observer, started, served, stopping))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


async def _serve(
    settings: Settings,
    keeper: Keeper,
    observer: Observer,
    started: Callable[[str, int], None],
    served: Callable[[int, Exchange], None] | None,
    stopping: Callable[[], None],
) -> None:
    with _stop_signals() as stop, _log_to(observer.trouble):
        master, proxyserver = Master(Options()), Proxyserver()
        gone = partial(connections.has_gone, proxyserver)
        recorder = Recorder(keeper.keep, observer.refused, gone, served, stop.set if settings.strict else None)
        bounds = limits.Limits(proxyserver, limits.most_connections(), limits.IDLE_SECONDS, limits.BODY_SECONDS)
        with asyncio_utils.install_exception_handler(master._asyncio_exception_handler):  # noqa: SLF001
            _configure(master, settings, proxyserver, bounds, recorder)
            started(*await _listen(proxyserver, settings))
            await master.running()
            sweeping = asyncio.create_task(bounds.sweep())
            await stop.wait()
            stop.clear()
            stopping()
            sweeping.cancel()
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


@contextlib.contextmanager
def _stop_signals() -> Iterator[asyncio.Event]:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    try:
        yield stop
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


def _configure(
    master: Master, settings: Settings, proxyserver: Proxyserver, bounds: limits.Limits, recorder: Recorder
) -> None:
    target = settings.target
    master.addons.add(
        proxyserver,
        ChooseLayers(
            listen_tls=settings.cert is not None, target_tls=target.scheme == "https", max_body=settings.max_body
        ),
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
        listen_host=settings.listen[0],
        listen_port=settings.listen[1],
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


async def _listen(proxyserver: Proxyserver, settings: Settings) -> tuple[str, int]:
    # What it logs of a failure to listen is in the server's last exception, too.
    log = logging.getLogger("mitmproxy")
    log.disabled = True
    try:
        await proxyserver.setup_servers()
    finally:
        log.disabled = False
    server = next(iter(proxyserver.servers))
    if error := server.last_exception:
        raise sockets.refused(*settings.listen, error if isinstance(error, OSError) else OSError(str(error)))
    host, port, *_ = server.listen_addrs[0]
    return str(host), int(port)


async def _drain(proxyserver: Proxyserver, recorder: Recorder, hurry: asyncio.Event, patience: float) -> None:
    """Stop listening, wait for the answers that are on their way, and let go of all connections.

    After `patience` seconds (the time-out of an answer, and a little) nothing more can come.
    """
    recorder.draining = True
    await proxyserver.servers.update([])
    deadline = time.monotonic() + patience + 1
    while recorder.pending and not hurry.is_set() and time.monotonic() < deadline:
        await asyncio.sleep(_POLL_SECONDS)
    recorder.give_up()
    for connection in list(proxyserver.connections.values()):
        connections.close(proxyserver, connection.client.id, "stopping")
    while proxyserver.connections and not hurry.is_set():
        await asyncio.sleep(_POLL_SECONDS)
