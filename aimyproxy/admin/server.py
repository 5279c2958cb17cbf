"""uvicorn's server for an admin surface: beside another server of the same loop, or in a thread of its own."""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import uvicorn

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    from aimyproxy.admin.surface import Surface

_KEEP_ALIVE_SECONDS: Final = 75
_GRACE_SECONDS: Final = 5
_MOST_CONNECTIONS: Final = 200
_MOST_KEPT: Final = 100
"""Connections beyond that end, the oldest first: whoever opens and leaves them takes no files from the bot's side."""


class QuietConfig(uvicorn.Config):
    """uvicorn's configuration for HTTP and no more.

    It leaves the loggers of the process as they are: others may use uvicorn in it.
    """

    def __init__(self, app: Any, **options: Any) -> None:
        super().__init__(
            app,
            ws="none",
            interface="asgi3",
            lifespan="off",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            **options,
        )

    def configure_logging(self) -> None:
        pass


class Companion(uvicorn.Server):
    """An admin surface's server; the signals are for the server beside it."""

    def __init__(self, surface: Surface, grace: int = _GRACE_SECONDS) -> None:
        super().__init__(
            QuietConfig(
                surface,
                timeout_keep_alive=_KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=grace,
                limit_concurrency=_MOST_CONNECTIONS,
            )
        )
        # Connections in the order in which they came, to a tick.
        self._known: dict[Any, None] = {}

    async def on_tick(self, counter: int) -> bool:
        """What uvicorn does ten times a second, and an end for connections that are too many."""
        there = self.server_state.connections
        self._known = dict.fromkeys([*(one for one in self._known if one in there), *there])
        for one in list(self._known)[: max(0, len(there) - _MOST_KEPT)]:
            one.transport.abort()
        return await super().on_tick(counter)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextmanager
def in_a_thread(surface: Surface, listener: socket.socket) -> Iterator[None]:
    """A context in which the surface serves on this socket, whatever the rest of the process does."""
    server = Companion(surface)
    # A daemon: whoever holds a connection open must not keep the program from ending.
    thread = threading.Thread(target=_run, args=(server, listener), name="admin", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()


def _run(server: Companion, listener: socket.socket) -> None:
    with silenced():
        server.run([listener])


@contextmanager
def silenced() -> Iterator[None]:
    """A context in which uvicorn logs nothing from this thread; our observers say what there is to say."""
    here, logger = threading.get_ident(), logging.getLogger("uvicorn.error")

    def elsewhere(record: logging.LogRecord) -> bool:
        return record.thread != here

    logger.addFilter(elsewhere)
    try:
        yield
    finally:
        logger.removeFilter(elsewhere)
