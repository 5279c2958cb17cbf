"""What the connections of a server share: who answers, the limits, the clock, and what was said of refusals."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

from aimyproxy.mockserver.crowd import Crowd
from aimyproxy.mockserver.heads import Heads
from aimyproxy.mockserver.outgoing import Turn
from aimyproxy.mockserver.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aimyproxy.guard import Guard
    from aimyproxy.mockserver.app import App, Observer
    from aimyproxy.mockserver.limits import Limits
    from aimyproxy.mockserver.refusals import Refusal, TurnedAway


class Watched(Protocol):
    """A connection that is looked at now and then."""

    def look(self) -> None:
        """See whether something takes too long."""


class Shared:
    """What the connections of a server share. `now` is the time in seconds of some clock, as of the last `tick`."""

    def __init__(self, app: App, observer: Observer, limits: Limits, guard: Guard | None = None) -> None:
        self.app = app
        self.guard = guard
        self.limits = limits
        self.crowd = Crowd(limits.connections)
        self.heads = Heads()
        self.wire = Wire()
        self.turn = Turn()
        self.now = time.monotonic()
        self._observer = observer
        self._looked = self.now
        self._told: set[str] = set()

    def tick(self, connections: Iterable[Watched], now: float) -> None:
        """Look at the clock and, not too often, at the connections; to be called several times a second."""
        if int(now) != int(self.now):
            self.wire.tick()
        self.now = now
        if now - self._looked >= self.limits.shortest / 10:
            self._looked = now
            for connection in list(connections):
                connection.look()

    def turned_away(self, refusal: TurnedAway) -> None:
        """Tell of a request that the guard did not let in."""
        self._observer.refused(refusal.why)

    def tell(self, refusal: Refusal) -> None:
        """Tell the user of a refusal, once for each reason: who can reach the server can have it refuse a lot."""
        if str(refusal) not in self._told:
            self._told.add(str(refusal))
            self._observer.trouble(f"Refused a request with status {refusal.status}: {refusal}.")
