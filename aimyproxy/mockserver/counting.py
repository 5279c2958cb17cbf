"""What an observer of a mock server is told, counted for the metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aimyproxy.admin.metrics import Metrics
    from aimyproxy.answering.journal import Entry
    from aimyproxy.answering.replayer import Replayer
    from aimyproxy.guard import Refusal
    from aimyproxy.mockserver.app import Observer


class Counted:
    """Counts what the observer is told; events as `replayer` redacts them, as whoever collects metrics keeps them."""

    def __init__(self, observer: Observer, metrics: Metrics, replayer: Replayer) -> None:
        self._metrics = metrics
        self._replayer = replayer
        self._observer = observer
        self.news = observer.news
        self.trouble = observer.trouble

    def served(self, entry: Entry) -> None:
        """A request was answered."""
        redactor, event = self._replayer.redactor, entry.event
        if redactor is not None and event is not None:
            event = redactor.text(event)
        self._metrics.exchange(event, entry.status, entry.milliseconds)
        self._observer.served(entry)

    def refused(self, refusal: Refusal) -> None:
        """A request was refused."""
        self._metrics.refused(refusal.reason)
        self._observer.refused(refusal)
