"""The admin surface of `record`, where the user wants one."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    from aimyproxy.cli.access_options import AdminOptions
    from aimyproxy.cli.record_screen import Screen
    from aimyproxy.diff.shadow import Shadow
    from aimyproxy.keeping.keeper import Keeper
    from aimyproxy.proxy.admin import Observer, Watch


class RecordAdmin:
    """Listens, watches, serves and tells, in this order; without options it does nothing of that."""

    def __init__(self, options: AdminOptions | None) -> None:
        self._options = options
        self._listener: socket.socket | None = None
        self._watch: Watch | None = None

    @contextmanager
    def listening(self) -> Iterator[None]:
        """A context in which the address is ours; raises ListenError."""
        if self._options is None:
            yield
            return
        from aimyproxy.sockets import listening_socket

        with listening_socket(*self._options.address, "--admin") as self._listener:
            yield

    def watching(self, screen: Screen) -> Observer:
        """Who is to be told what happens, for the screen to hear of it, too."""
        if self._options is None:
            return screen
        from aimyproxy.proxy.admin import Watch

        self._watch = Watch(screen)
        return self._watch

    @contextmanager
    def serving(self, name: str, keeper: Keeper, shadow: Shadow | None) -> Iterator[None]:
        """A context in which the surface answers for the recording of this name."""
        if not (self._options and self._listener and self._watch):
            yield
            return
        from aimyproxy.proxy.admin import routes_of, serving

        routes = routes_of(name, keeper, self._watch, shadow)
        with serving(routes, self._watch, self._options.address[0], self._listener, self._options.token):
            yield

    def started(self) -> None:
        """The bot is served from now on: say where the surface is."""
        if self._options and self._listener and self._watch:
            from aimyproxy.sockets import address_of

            self._watch.ready = True
            self._options.tell(f"http://{address_of(self._listener)}")

    def stopping(self) -> None:
        """The bot will not be served much longer."""
        if self._watch:
            self._watch.ready = False
