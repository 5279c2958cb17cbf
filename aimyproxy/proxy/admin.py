"""The admin surface of a recording in progress: is it well, and how much passed?

    GET /health     {"status": "recording", "reason": "", "recording": "shop", "recorded": 12, "waiting": 0, "lost": 0,
                     "refused": 0, "uptime_s": 41.5}; `status` is `recording`, `holding` or `lost`, the HTTP status 503
                    in the latter two, and `reason` says why
    GET /metrics    counts and times for Prometheus

How it goes and how much waits is the keeper's to say.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from aimyproxy.admin.hosts import Hosts
from aimyproxy.admin.metrics import Metrics
from aimyproxy.admin.server import in_a_thread
from aimyproxy.admin.surface import HEALTH, Reply, Surface
from aimyproxy.keeping import wellbeing

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    from aimyproxy.admin.surface import Asked, Routes
    from aimyproxy.diff.shadow import Shadow
    from aimyproxy.exchange import Exchange
    from aimyproxy.guard import Refusal
    from aimyproxy.keeping.keeper import Keeper
    from aimyproxy.keeping.roles import Observer as KeepersObserver
    from aimyproxy.proxy.settings import Observer as ProxysObserver

    class Observer(KeepersObserver, ProxysObserver, Protocol):
        """Who is told what the keeper and the proxy have to tell."""


class Watch:
    """Counts what an observer is told. `ready` is whether the bot is served."""

    def __init__(self, observer: Observer) -> None:
        self.ready = False
        self.metrics = Metrics()
        self._observer = observer
        self.trouble = observer.trouble
        self.news = observer.news

    def recorded(self, identity: int, exchange: Exchange) -> None:
        """An exchange is in the file."""
        self._count(exchange)
        self._observer.recorded(identity, exchange)

    def held(self, number: int, exchange: Exchange) -> None:
        """An exchange waits in memory."""
        self._count(exchange)
        self._observer.held(number, exchange)

    def lost(self, number: int, exchange: Exchange) -> None:
        """An exchange could be put nowhere."""
        self._count(exchange)
        self._observer.lost(number, exchange)

    def refused(self, refusal: Refusal) -> None:
        """A request was refused."""
        self.metrics.refused(refusal.reason)
        self._observer.refused(refusal)

    def _count(self, exchange: Exchange) -> None:
        failure, response = exchange.failure, exchange.response
        status = response.status if response else failure.kind if failure else None
        self.metrics.exchange(exchange.event, status, exchange.timing.total_ms, exchange.timing.upstream_ms)


def routes_of(name: str, keeper: Keeper, watch: Watch, shadow: Shadow | None) -> Routes:
    """What the admin surface of the recording of this name answers, by path and method."""
    begun = time.monotonic()
    wellbeing.watch(watch.metrics, keeper)
    if shadow:
        _watch_shadow(watch.metrics, shadow)

    def health(asked: Asked) -> Reply:
        asked.allow()
        found = {
            **wellbeing.state_of(keeper),
            "recording": name,
            "refused": watch.metrics.refusals,
            "uptime_s": round(time.monotonic() - begun, 1),
        }
        return Reply.of_json(200 if found["status"] == "recording" else 503, found)

    def metrics(asked: Asked) -> Reply:
        asked.allow()
        return watch.metrics.page()

    return {HEALTH: {"GET": health}, "/metrics": {"GET": metrics}}


@contextmanager
def serving(routes: Routes, watch: Watch, given: str, listener: socket.socket, token: str) -> Iterator[None]:
    """A context in which these routes are served on a socket that was told to listen on the host `given`."""
    surface = Surface(routes, token, Hosts.of(given, listener), lambda: watch.ready, watch.trouble)
    with in_a_thread(surface, listener):
        yield


def _watch_shadow(metrics: Metrics, shadow: Shadow) -> None:
    metrics.watch("counter", "shadow_sent", "Requests that the shadow answered.", lambda: shadow.sent)
    metrics.watch("counter", "shadow_unsent", "Requests that did not get through to the shadow.", lambda: shadow.unsent)
    metrics.watch("counter", "shadow_dropped", "Requests for which the shadow was too slow.", lambda: shadow.dropped)
    metrics.watch("gauge", "shadow_waiting", "Requests that wait for the shadow.", lambda: shadow.waiting)
