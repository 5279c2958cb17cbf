"""How long and how much is measured: the full plan, the quick one, and what the user chose of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.bench.suite.serving import Bounds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bench.suite.subjects import Subject
    from tests.bench.suite.tools import Tools


@dataclass(frozen=True)
class Plan:
    """How much of everything.

    A round of load has so many `seconds`, one of latencies `latency_seconds`; `peers_to` is the largest size that peers
    are asked to replay; starts are measured `starts` times. `chosen` are words of which subjects' names have to hold
    one; none means all.
    """

    tools: Tools
    seconds: int
    rounds: int
    warm_up: int
    sizes: tuple[int, ...]
    peers_to: int
    connections: tuple[int, ...]
    latency_seconds: int
    latency_rounds: int
    starts: int
    start_sizes: tuple[int, ...]
    append_sizes: tuple[int, ...]
    diff_pairs: int
    bounds: Bounds
    chosen: tuple[str, ...] = ()

    def choose(self, subjects: Sequence[Subject]) -> list[Subject]:
        return [one for one in subjects if self.chooses(one.name)]

    def chooses(self, name: str) -> bool:
        """Whether the name holds one of the chosen words; all do where none was chosen."""
        return not self.chosen or any(word in name for word in self.chosen)


def full(tools: Tools) -> Plan:
    return Plan(
        tools,
        seconds=2,
        rounds=5,
        warm_up=3,
        sizes=(1, 1_000, 5_000, 100_000),
        peers_to=100_000,
        connections=(1, 16, 64),
        latency_seconds=2,
        latency_rounds=3,
        starts=4,
        start_sizes=(100, 5_000, 100_000),
        append_sizes=(1_000, 100_000, 1_000_000),
        diff_pairs=20_000,
        bounds=Bounds(start=45, answer=10),
    )


def quick(tools: Tools) -> Plan:
    return Plan(
        tools,
        seconds=1,
        rounds=3,
        warm_up=1,
        sizes=(1, 5_000, 100_000),
        peers_to=5_000,
        connections=(1, 16),
        latency_seconds=1,
        latency_rounds=2,
        starts=2,
        start_sizes=(100, 100_000),
        append_sizes=(1_000, 100_000),
        diff_pairs=2_000,
        bounds=Bounds(start=30, answer=5),
    )
