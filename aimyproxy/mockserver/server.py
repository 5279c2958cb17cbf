"""uvicorn's server, run for one application: quiet, on a socket of our own, stopped in order by a signal."""

from __future__ import annotations

import signal
import ssl
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

import uvicorn

from aimyproxy.answering.journal import Journal
from aimyproxy.answering.replayer import Replayer
from aimyproxy.errors import InvalidOption
from aimyproxy.mockserver.app import App
from aimyproxy.mockserver.source import Source
from aimyproxy.sockets import address_of, listening_socket

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from aimyproxy.answering.index import Index, Match
    from aimyproxy.mockserver.app import Observer
    from aimyproxy.mockserver.onmiss import OnMiss
    from aimyproxy.store.recording import Recording

_KEEP_ALIVE_SECONDS: Final = 75
_GRACE_SECONDS: Final = 10


@dataclass(frozen=True, slots=True)
class Settings:
    """How to listen and how to answer. `cert` and `key` are PEM files; `arguments` names the recording in commands."""

    listen: tuple[str, int]
    match: Match = "learned"
    cert: Path | None = None
    key: Path | None = None
    arguments: str = "NAME"


def run(
    settings: Settings,
    recording: Recording,
    on_miss: OnMiss,
    observer: Observer,
    started: Callable[[str, Index], None],
) -> None:
    """Replay the recording until SIGINT or SIGTERM; returns when what was in flight is answered.

    `started` gets the URL and the index once the bot can connect. A second SIGINT ends the waiting.

    Raises:
        ListenError: the address can't be listened on.
        InvalidOption: the certificate or its key can't be used.
        BrokenFile, NewerFormat, StoreError: the recording can't be read.
    """
    if settings.cert:
        _check_certificate(settings.cert, settings.key)
    with listening_socket(*settings.listen) as listener:
        source = Source(recording, settings.match)
        replayer = Replayer(source.index, settings.arguments)

        def took(index: Index) -> None:
            replayer.index = index

        url = f"{'https' if settings.cert else 'http'}://{address_of(listener)}"
        server = _Server(
            _config(settings, App(replayer, on_miss, observer, Journal())), on_miss, lambda: started(url, source.index)
        )
        with source.watching(took, observer):
            server.run(sockets=[listener])


def _config(settings: Settings, app: App) -> uvicorn.Config:
    return uvicorn.Config(
        cast("Any", app),
        http="httptools",
        ws="none",
        interface="asgi3",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        ssl_certfile=str(settings.cert) if settings.cert else None,
        ssl_keyfile=str(settings.key) if settings.key else None,
    )


class _Server(uvicorn.Server):
    """uvicorn's server with an orderly end: a signal stops it and is not raised again."""

    def __init__(self, config: uvicorn.Config, on_miss: OnMiss, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_miss = on_miss
        self._tell_started = started

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
        await super().startup(sockets)
        self._tell_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await super().shutdown(sockets)
        await self._on_miss.close()


def _check_certificate(cert: Path, key: Path | None) -> None:
    try:
        # A password would be asked for on the terminal, where there may be none.
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(cert, key, password="")
    except (ssl.SSLError, OSError, ValueError) as error:
        files = f"--cert {cert}" + (f" with --key {key}" if key else " (it has to hold the private key too)")
        reason = getattr(error, "reason", None) or error.args[-1]
        raise InvalidOption(f"{files} can't be used: {reason}.") from None
