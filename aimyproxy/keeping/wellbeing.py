"""How a keeper is doing, for an admin surface: its state in numbers and words, and its metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aimyproxy.admin.metrics import Metrics
    from aimyproxy.jsonvalue import JSON
    from aimyproxy.keeping.keeper import Keeper


def state_of(keeper: Keeper) -> dict[str, JSON]:
    """`status` (`recording`, `holding` or `lost`), the `reason` if it isn't well, and `recorded`, `waiting`, `lost`."""
    return {
        "status": keeper.health,
        "reason": keeper.reason,
        "recorded": keeper.recorded,
        "waiting": keeper.waiting,
        "lost": keeper.lost,
    }


def watch(metrics: Metrics, keeper: Keeper) -> None:
    """Let the metrics tell of the keeper, too."""
    metrics.watch("counter", "recorded", "Exchanges that are in the file.", lambda: keeper.recorded)
    metrics.watch("counter", "lost", "Exchanges that could be put nowhere.", lambda: keeper.lost)
    metrics.watch("gauge", "waiting", "Exchanges that wait in memory for the disk.", lambda: keeper.waiting)
    metrics.watch("gauge", "healthy", "1 while all is recorded, else 0.", lambda: keeper.health == "recording")
