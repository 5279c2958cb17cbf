"""uvicorn's server, run for one application: quiet, on a socket of our own, stopped in order by a signal."""

from __future__ import annotations

import asyncio
import signal
import ssl
import threading
import time
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import uvicorn

from aimyproxy.admin.server import Companion, QuietConfig, silenced
from aimyproxy.answering.journal import Journal
from aimyproxy.answering.missed import MissedEvents
from aimyproxy.answering.replayer import Replayer
from aimyproxy.answering.serving import AS_RECORDED
from aimyproxy.errors import AimyproxyError, InvalidOption
from aimyproxy.keeping import wellbeing
from aimyproxy.mockserver.app import App
from aimyproxy.mockserver.connection import Connection
from aimyproxy.mockserver.counting import Counted
from aimyproxy.mockserver.faulty import Trouble
from aimyproxy.mockserver.limits import Limits
from aimyproxy.mockserver.shared import Shared
from aimyproxy.mockserver.source import Source
from aimyproxy.sockets import TLS_CIPHERS, address_of, listening_socket
from aimyproxy.store.redacted import following

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from uvicorn.server import ServerState

    from aimyproxy.answering.conversations import Conversations
    from aimyproxy.answering.faults import Faults
    from aimyproxy.answering.index import Index
    from aimyproxy.answering.latency import Latency
    from aimyproxy.answering.serving import Match, Serving
    from aimyproxy.guard import Guard
    from aimyproxy.keeping.keeper import Keeper
    from aimyproxy.mockserver.app import Observer
    from aimyproxy.mockserver.onmiss import OnMiss
    from aimyproxy.mockserver.shared import Watched
    from aimyproxy.redaction.redactor import Redactor
    from aimyproxy.store.recording import Recording


@dataclass(frozen=True, slots=True)
class Settings:
    """How to listen and how to answer. `cert` and `key` are PEM files; `arguments` names the recording in commands.

    `serving`, `latency` and `faults` are how answers are chosen, how long they take and what goes wrong; `seed` is
    that of all dice. `guard` says who is let in, None for everybody. `admin` is the address of the admin surface, None
    for none, and `token` what it asks for. `grace` is how many seconds the end waits for what is in flight;
    `listen_option` is what an error about `listen` tells the user to change; `limits` are those of what bots send.
    `redactor` makes of a request what the recording would have kept of it.
    """

    listen: tuple[str, int]
    match: Match = "learned"
    cert: Path | None = None
    key: Path | None = None
    arguments: str = "NAME"
    serving: Serving = AS_RECORDED
    latency: Latency | None = None
    faults: Faults | None = None
    seed: int = 0
    admin: tuple[str, int] | None = None
    token: str = field(default="", repr=False)
    guard: Guard | None = None
    grace: int = 10
    listen_option: str = "--listen"
    limits: Limits = field(default_factory=Limits)
    redactor: Redactor | None = None


class MockServer:
    """A mock webhook that listens, and serves while `run` runs. `url` is where the bot connects to.

    `replayer` and `journal` are what answers and what was answered, `missed` what stayed unanswered; `admin_url` is
    where the admin surface is, empty where there is none.
    """

    def __init__(
        self,
        settings: Settings,
        recording: Recording,
        on_miss: OnMiss,
        observer: Observer,
        listeners: _Listeners,
        keeper: Keeper | None = None,
        conversations: Conversations | None = None,
    ) -> None:
        self._listeners = listeners
        self._observer = observer
        self.url = f"{'https' if settings.cert else 'http'}://{address_of(listeners.bot)}"
        self.admin_url = f"http://{address_of(listeners.admin)}" if listeners.admin else ""
        self._recording = recording
        self.source = Source(recording, settings.match)
        self.replayer = Replayer(
            self.source.index, settings.arguments, settings.serving, conversations, settings.redactor
        )
        self.journal = Journal()
        self.missed = MissedEvents()
        trouble = Trouble(settings.latency, settings.faults, settings.seed)
        admin = None
        if settings.admin and listeners.admin:
            host, listener = settings.admin[0], listeners.admin
            observer, admin = self._with_admin(recording.name, settings, observer, host, listener, keeper)
        app = App(self.replayer, on_miss, observer, self.journal, missed=self.missed, trouble=trouble)
        shared = Shared(app, observer, settings.limits, settings.guard)
        self._server = _Server(_config(settings, shared), shared, on_miss, trouble, admin)

    def run(self, started: Callable[[], None]) -> None:
        """Serve until `stop`, or a signal where this is the main thread; what was in flight is answered then.

        `started` is called once the bot can connect. A second SIGINT ends the waiting.
        """
        with self.source.watching(self._took, self._observer), silenced():
            self._server.serve_on(self._listeners, started)

    def stop(self) -> None:
        """End `run`; from any thread."""
        self._server.should_exit = True

    def _took(self, index: Index) -> None:
        with suppress(AimyproxyError):
            # Somebody may have redacted what is answered from.
            self.replayer.redactor = following(self.replayer.redactor, self._recording)
        self.replayer.index = index

    def _with_admin(
        self,
        name: str,
        settings: Settings,
        observer: Observer,
        host: str,
        listener: socket.socket,
        keeper: Keeper | None,
    ) -> tuple[Observer, uvicorn.Server]:
        """The observer, counted, and the admin surface's server."""
        from aimyproxy.admin.hosts import Hosts
        from aimyproxy.admin.metrics import Metrics
        from aimyproxy.admin.surface import Surface
        from aimyproxy.mockserver.admin import Admin, State

        metrics = Metrics()
        metrics.watch("counter", "misses", "Requests that nothing answered.", lambda: self.missed.total)
        if keeper is not None:
            wellbeing.watch(metrics, keeper)
        state = State(name, self.replayer, self.journal, self.missed, self.source, metrics, keeper)
        surface = Surface(Admin(state).routes, settings.token, Hosts.of(host, listener), self._serves, observer.trouble)
        return Counted(observer, metrics, self.replayer), Companion(surface, settings.grace)

    def _serves(self) -> bool:
        return self._server.started and not self._server.should_exit


@dataclass(frozen=True, slots=True)
class _Listeners:
    bot: socket.socket
    admin: socket.socket | None


@contextmanager
def mock_server_among_others(
    settings: Settings, recording: Recording, on_miss: OnMiss, observer: Observer, listening: socket.socket, table: Path
) -> Iterator[MockServer]:
    """As `mock_server`, in one of several processes that share a listening socket and a table of conversations.

    Raises:
        as `mock_server`, but no ListenError.
    """
    from aimyproxy.mockserver.standings import SharedConversations

    def names() -> set[str | None]:
        index = server.replayer.index
        return {*index.samples.events, *index.events}

    conversations = SharedConversations(table, names)
    _check_certificate(settings)
    with listening, closing(conversations):
        listeners = _Listeners(listening, None)
        server = MockServer(settings, recording, on_miss, observer, listeners, conversations=conversations)
        yield server


@contextmanager
def mock_server(
    settings: Settings, recording: Recording, on_miss: OnMiss, observer: Observer, keeper: Keeper | None = None
) -> Iterator[MockServer]:
    """A mock webhook that listens on its address until the context ends; `keeper` is who records what is forwarded.

    Raises:
        ListenError: an address can't be listened on.
        InvalidOption: the certificate or its key can't be used.
        BrokenFile, NewerFormat, StoreError: the recording can't be read.
    """
    _check_certificate(settings)
    with ExitStack() as open_ones:
        bot = open_ones.enter_context(listening_socket(*settings.listen, settings.listen_option))
        admin = open_ones.enter_context(listening_socket(*settings.admin, "--admin")) if settings.admin else None
        yield MockServer(settings, recording, on_miss, observer, _Listeners(bot, admin), keeper)


def _config(settings: Settings, shared: Shared) -> uvicorn.Config:
    def connection(*, server_state: ServerState, **_others: object) -> Connection:
        return Connection(shared, server_state)

    return QuietConfig(
        # The connections know who answers.
        cast("Any", shared.app),
        http=cast("Any", connection),
        timeout_graceful_shutdown=settings.grace,
        ssl_certfile=str(settings.cert) if settings.cert else None,
        ssl_keyfile=str(settings.key) if settings.key else None,
        ssl_ciphers=TLS_CIPHERS,
    )


class _Server(uvicorn.Server):
    """uvicorn's server with an orderly end: a signal stops it and is not raised again."""

    def __init__(
        self,
        config: uvicorn.Config,
        shared: Shared,
        on_miss: OnMiss,
        trouble: Trouble,
        companion: uvicorn.Server | None,
    ) -> None:
        super().__init__(config)
        self._shared = shared
        self._on_miss = on_miss
        self._trouble = trouble
        self._companion = companion
        self._companions_task: asyncio.Task[None] | None = None
        self._listeners: _Listeners | None = None
        self._tell_started: Callable[[], None] = lambda: None

    def serve_on(self, listeners: _Listeners, started: Callable[[], None]) -> None:
        """Serve on these sockets until the end; `started` is called once everything answers."""
        self._listeners = listeners
        self._tell_started = started
        self.run(sockets=[listeners.bot])

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        numbers = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, self.handle_exit) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        if self._companion and self._listeners and self._listeners.admin:
            serving = self._companion.serve(sockets=[self._listeners.admin])
            self._companions_task = asyncio.create_task(serving)
        await super().startup(sockets)
        self._tell_started()

    async def on_tick(self, counter: int) -> bool:
        self._shared.tick(cast("set[Watched]", self.server_state.connections), time.monotonic())
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._trouble.stop()
        await super().shutdown(sockets)
        # Those whose requests never became whole.
        for connection in list(self.server_state.connections):
            cast("Connection", connection).drop()
        if self._companion and self._companions_task:
            self._companion.should_exit = True
            await self._companions_task
        await self._on_miss.close()


def _check_certificate(settings: Settings) -> None:
    cert, key = settings.cert, settings.key
    if cert is None:
        return
    try:
        # A password would be asked for on the terminal, where there may be none.
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(cert, key, password="")
    except (ssl.SSLError, OSError, ValueError) as error:
        files = f"--cert {cert}" + (f" with --key {key}" if key else " (it has to hold the private key too)")
        reason = getattr(error, "reason", None) or error.args[-1]
        raise InvalidOption(f"{files} can't be used: {reason}.") from None
