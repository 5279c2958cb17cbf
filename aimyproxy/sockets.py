"""Listening sockets, bound by ourselves so that trouble with the address is one clear sentence."""

from __future__ import annotations

import errno
import ipaddress
import resource
import socket
from contextlib import suppress
from typing import Final

from aimyproxy.errors import ListenError

BACKLOG: Final = 2048
"""How many connections may wait until they are taken: of more at once, some have to try again a second later."""
MOST_CONNECTIONS: Final = 10_000
_OTHER_FILES: Final = 100
TLS_CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""With TLS 1.2 (1.3 has its own): what was recorded on the way can't be read later with the certificate's key."""


def listening_socket(host: str, port: int, option: str = "--listen") -> socket.socket:
    """A TCP socket that listens on this address; port 0 picks a free one.

    `option` is what an error tells the user to change.

    Raises:
        ListenError: the address is in use, not this machine's, not allowed or not known.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (socket.gaierror, UnicodeError):
        raise ListenError(f"{host} is no address of this machine; choose another with {option}.") from None
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        # Some systems let two sockets bind one address, but never listen on it.
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise refused(host, port, error, option) from None
    listener.settimeout(0)
    return listener


def most_connections() -> int:
    """How many connections of bots there are files for, each with one to the webhook; the limit is raised first."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        # Where there is no hard limit, macOS takes no number for it.
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        soft = hard
    if soft == resource.RLIM_INFINITY:
        return MOST_CONNECTIONS
    return max(1, min(MOST_CONNECTIONS, (soft - _OTHER_FILES) // 2))


def check(host: str, port: int) -> None:
    """See whether this address can be listened on now; raises ListenError."""
    listening_socket(host, port).close()


def address_of(listener: socket.socket) -> str:
    """HOST:PORT as a URL spells it."""
    host, port, *_ = listener.getsockname()
    return _shown(host, port)


def is_loopback(host: str) -> bool:
    """Whether what listens on this address can be reached from this machine alone; of names, only localhost says so."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host.lower() == "localhost"
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def leads_to(listen: tuple[str, int], host: str, port: int) -> bool:
    """Whether who asks this host and port would be asking what listens there; of names, only localhost is known."""
    own, at = listen
    if port != at:
        return False
    same = _numbered(host) == _numbered(own)
    return same or (_numbered(own) in ("0.0.0.0", "::") and is_loopback(host))  # noqa: S104 - nothing is bound here


def _numbered(host: str) -> str:
    return "127.0.0.1" if host.lower() == "localhost" else host.lower()


def refused(host: str, port: int, error: OSError, option: str = "--listen") -> ListenError:
    """The error for what the operating system said of this address."""
    return ListenError(_sentence(_shown(host, port), error, option))


def _shown(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _sentence(address: str, error: OSError, option: str) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"{address} is in use; stop the other program or choose another address with {option}."
    if error.errno == errno.EACCES:
        return f"{address} is not allowed to you; choose a port from 1024 on with {option}."
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{address} is no address of this machine; choose another with {option}."
    return f"{address} can't be listened on ({error.strerror or error}); choose another address with {option}."
