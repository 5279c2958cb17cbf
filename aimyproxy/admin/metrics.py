"""Counts and times for Prometheus: what passed, what was refused, what waits."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final, Literal

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, disable_created_metrics
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from aimyproxy.admin.surface import Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from prometheus_client import Metric

_MOST_EVENTS: Final = 200
_LONGEST_EVENT: Final = 100
_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_KNOWN: Final = frozenset(status.value for status in HTTPStatus)
OTHER: Final = "other"
"""The event of all those that came after so many that a label can't be given to each."""


class Metrics:
    """What an admin surface tells Prometheus, in a registry of its own.

    Anybody may send any event: the first `most` have a label of their own, the rest share one. `refusals` is how many
    requests were refused.
    """

    def __init__(self, most: int = _MOST_EVENTS) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # the library has no types here
        self.refusals = 0
        self._registry = CollectorRegistry()
        self._most = most
        self._events: set[str] = set()
        self._exchanges = Counter(
            "aimyproxy_exchanges", "Exchanges with the bot.", ("event", "status"), registry=self._registry
        )
        self._refused = Counter(
            "aimyproxy_refused", "Requests that were refused.", ("reason",), registry=self._registry
        )
        self._total = Histogram(
            "aimyproxy_total_seconds",
            "From the bot's request to its answer.",
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._upstream = Histogram(
            "aimyproxy_upstream_seconds",
            "From asking the webhook to its answer.",
            buckets=_SECONDS,
            registry=self._registry,
        )
        ProcessCollector(registry=self._registry)

    def exchange(
        self, event: str | None, status: int | str | None, total_ms: float, upstream_ms: float | None = None
    ) -> None:
        """Count an exchange; `status` is that of the answer, or what kind of failure there was in its place."""
        self._exchanges.labels(self._label(event), _status(status)).inc()
        self._total.observe(total_ms / 1000)
        if upstream_ms is not None:
            self._upstream.observe(upstream_ms / 1000)

    def refused(self, reason: str) -> None:
        """Count a request that was refused."""
        self.refusals += 1
        self._refused.labels(reason).inc()

    def watch(self, kind: Literal["counter", "gauge"], name: str, text: str, read: Callable[[], float]) -> None:
        """Let a number be read whenever somebody asks: one that only grows, or one that comes and goes."""
        self._registry.register(_Read(kind, f"aimyproxy_{name}", text, read))

    def page(self) -> Reply:
        """All of it in Prometheus' text format."""
        return Reply(200, generate_latest(self._registry), content_type=CONTENT_TYPE_LATEST)

    def _label(self, event: str | None) -> str:
        # An event may hold what has no form in UTF-8.
        label = "" if event is None else event[:_LONGEST_EVENT].encode("utf-8", "replace").decode()
        if label not in self._events:
            if len(self._events) >= self._most:
                return OTHER
            self._events.add(label)
        return label


class _Read(Collector):
    def __init__(self, kind: str, name: str, text: str, read: Callable[[], float]) -> None:
        self._family = CounterMetricFamily if kind == "counter" else GaugeMetricFamily
        self._name = name
        self._text = text
        self._read = read

    def collect(self) -> Iterable[Metric]:
        yield self._family(self._name, self._text, value=self._read())


def _status(status: int | str | None) -> str:
    if isinstance(status, int) and status not in _KNOWN:
        return f"{status // 100}xx"
    return "none" if status is None else str(status)
