"""Which Host headers are a server's own: a web page must not reach it under a name that it made resolve to us."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket

_PLAIN_HTTP = "80"


class Hosts:
    """The names of a server that was told to listen on `given` and does so on `bound` and `port`.

    A server that listens on every address can't know under which of them, or behind which port of a container, it is
    asked: there any address will do, which no page can make up, and no name but `localhost`.
    """

    def __init__(self, given: str, bound: str, port: int) -> None:
        self._names = {given.lower(), bound, "localhost", "127.0.0.1", "::1"}
        self._port = str(port)
        self._everywhere = _is_everywhere(bound)

    @classmethod
    def of(cls, given: str, listener: socket.socket) -> Hosts:
        """The names of a server that was told to listen on `given`, and does so on this socket."""
        bound, port, *_ = listener.getsockname()
        return cls(given, bound, port)

    def own(self, header: str) -> bool:
        """Whether a Host header names this server."""
        name, port = _parts(header.lower())
        if self._everywhere and (name == "localhost" or _is_address(name)):
            return True
        return name in self._names and port == self._port


def _parts(header: str) -> tuple[str, str]:
    name, colon, port = header.rpartition(":")
    if not colon or port.endswith("]"):
        name, port = header, _PLAIN_HTTP
    return name.removeprefix("[").removesuffix("]"), port


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_everywhere(bound: str) -> bool:
    return ipaddress.ip_address(bound.partition("%")[0]).is_unspecified
