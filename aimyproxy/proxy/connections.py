"""The bots' connections as mitmproxy keeps them: ended from outside, and asked whether anybody is still there."""

from __future__ import annotations

import select
from typing import TYPE_CHECKING

from mitmproxy.connection import ConnectionState

if TYPE_CHECKING:
    from mitmproxy.addons.proxyserver import Proxyserver
    from mitmproxy.proxy.server import ConnectionIO


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
    if writer.is_closing() or writer.get_extra_info("socket", None) is None:
        return True
    poll = select.poll()
    poll.register(writer.get_extra_info("socket", None).fileno(), 0)
    return any(events & (select.POLLHUP | select.POLLERR) for _, events in poll.poll(0))
