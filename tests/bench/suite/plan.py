"""How long and how much is measured: the full plan, the quick one, and what the user chose of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tests.bench.suite.serving import Bounds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bench.suite.subjects import Subject
    from tests.bench.suite.tools import Tools

PARTS: Final = ("record", "latency", "replay", "start", "append", "index", "diff")


@dataclass(frozen=True)
class Plan:
    """Seconds a round, how many rounds, and which sizes; `peers_to` is the largest that peers are asked to replay."""

    tools: Tools
    seconds: int
    rounds: int
    warm_up: int
    sizes: tuple[int, ...]
    peers_to: int
    starts: int
    append_sizes: tuple[int, ...]
    bounds: Bounds
    rate: int
    chosen: tuple[str, ...] = ()

    def choose(self, subjects: Sequence[Subject]) -> list[Subject]:
        """Those whose name holds one of the chosen words; all where none was chosen."""
        return [one for one in subjects if not self.chosen or any(word in one.name for word in self.chosen)]


def full(tools: Tools) -> Plan:
    return Plan(
        tools,
        seconds=3,
        rounds=5,
        warm_up=5,
        sizes=(1, 1_000, 5_000, 100_000),
        peers_to=100_000,
        starts=5,
        append_sizes=(1_000, 100_000, 1_000_000),
        bounds=Bounds(start=60, answer=10),
        rate=200,
    )


def quick(tools: Tools) -> Plan:
    return Plan(
        tools,
        seconds=1,
        rounds=3,
        warm_up=2,
        sizes=(1, 5_000, 100_000),
        peers_to=5_000,
        starts=3,
        append_sizes=(1_000, 100_000),
        bounds=Bounds(start=20, answer=5),
        rate=200,
    )
