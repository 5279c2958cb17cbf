from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from aimyproxy.proxy import limits
from aimyproxy.proxy.limits import Limits


class Handler:
    """A connection of a bot as mitmproxy keeps it."""

    def __init__(self, proxyserver, identity):
        self.client = SimpleNamespace(id=identity, error=None)
        self.transports = _By(self.client, SimpleNamespace(handler=self))
        self.cancelled = None
        proxyserver.connections[identity] = self

    def cancel(self, reason):
        self.cancelled = reason


class _By(dict):
    def __init__(self, client, transport):
        super().__init__({id(client): transport})

    def get(self, client):
        return super().get(id(client))


@pytest.fixture
def proxyserver():
    return SimpleNamespace(connections={})


def flow_of(handler):
    return SimpleNamespace(client_conn=handler.client)


def connected(limited, proxyserver, *identities):
    handlers = [Handler(proxyserver, identity) for identity in identities]
    for handler in handlers:
        limited.client_connected(handler.client)
    return handlers


def test_the_longest_idle_one_makes_room(proxyserver):
    """Those that are busy stay."""
    limited = Limits(proxyserver, 2, 9, 9)
    first, second = connected(limited, proxyserver, "a", "b")
    limited.requestheaders(flow_of(first))
    connected(limited, proxyserver, "c")
    assert (first.cancelled, second.cancelled) == (None, "time-out")


def test_where_all_are_busy_a_new_one_is_turned_away(proxyserver):
    """mitmproxy closes a connection that has an error from the start."""
    limited = Limits(proxyserver, 1, 9, 9)
    (busy,) = connected(limited, proxyserver, "a")
    limited.requestheaders(flow_of(busy))
    (new,) = connected(limited, proxyserver, "b")
    assert (busy.cancelled, new.client.error) == (None, "too many connections")


def test_what_is_late_is_closed(proxyserver, monkeypatch):
    """A head or a body; who waits for an answer has all the time, and then begins anew."""
    monkeypatch.setattr(limits, "_SWEEP_SECONDS", 0.001)
    now = [1000.0]
    monkeypatch.setattr(limits, "time", SimpleNamespace(monotonic=lambda: now[0]))
    limited = Limits(proxyserver, 9, idle=10, body=5)
    _, sending, waiting, answered, gone = handlers = connected(limited, proxyserver, *"abcde")
    for handler in (sending, waiting, answered):
        limited.requestheaders(flow_of(handler))
    for handler in (waiting, answered):
        limited.request(flow_of(handler))
    limited.client_disconnected(gone.client)

    def swept(later):
        now[0] += later

        async def sweeping():
            task = asyncio.create_task(limited.sweep())
            await asyncio.sleep(0.01)
            task.cancel()

        asyncio.run(sweeping())
        return [handler.cancelled for handler in handlers]

    assert swept(6) == [None, "time-out", None, None, None]
    limited.response(flow_of(answered))
    assert swept(5) == ["time-out", "time-out", None, None, None]
    assert swept(6) == ["time-out", "time-out", None, "time-out", None]
