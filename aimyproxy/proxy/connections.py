"""Connections as mitmproxy keeps them: ended from outside, and asked whether anybody is still there."""

from __future__ import annotations

import select
from typing import TYPE_CHECKING, Final

from mitmproxy.connection import ConnectionState

if TYPE_CHECKING:
    from asyncio import StreamWriter

    from mitmproxy.addons.proxyserver import Proxyserver
    from mitmproxy.connection import Server
    from mitmproxy.proxy.server import ConnectionIO
    from mitmproxy_rs import Stream

# Where a system tells it at all, only of Linux is it asked: elsewhere the loop hears of it in its turn.
_ENDED: Final[int] = getattr(select, "POLLRDHUP", 0)


def bots_side(proxyserver: Proxyserver, identity: str) -> ConnectionIO | None:
    """The bot's side of a connection, None where it is closed."""
    handler = proxyserver.connections.get(identity)
    return handler.transports.get(handler.client) if handler else None


def close(proxyserver: Proxyserver, identity: str, reason: str) -> None:
    """End a bot's connection, as soon as the loop gets to it."""
    side = bots_side(proxyserver, identity)
    if side and side.handler:
        side.handler.cancel(reason)


def has_gone(proxyserver: Proxyserver, identity: str) -> bool:
    """Whether a bot that has closed its side doesn't even listen any more, as far as its system has said."""
    side = bots_side(proxyserver, identity)
    if side is None or side.writer is None:
        return True
    handler = proxyserver.connections[identity]
    if handler.client.state is not ConnectionState.CAN_WRITE:
        return False
    writer = side.writer
    return _is_over(writer, select.POLLHUP)


def is_over(proxyserver: Proxyserver, identity: str, webhooks: Server) -> bool:
    """Whether the webhook has ended its side of a bot's connection, though mitmproxy may not have heard of it yet."""
    handler = proxyserver.connections.get(identity)
    side = handler.transports.get(webhooks) if handler else None
    return side is None or side.writer is None or _is_over(side.writer, _ENDED)


def _is_over(writer: StreamWriter | Stream, sign: int) -> bool:
    """Whether a connection is closed, or its system says so by this sign."""
    found = None if writer.is_closing() else writer.get_extra_info("socket", None)
    if found is None:
        return True
    poll = select.poll()
    poll.register(found.fileno(), sign)
    return any(events & (sign | select.POLLHUP | select.POLLERR) for _, events in poll.poll(0))
