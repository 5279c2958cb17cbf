"""What this project wants to reach, and whether the measured figures do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tests.bench.suite.figures import Figures, divided
from tests.bench.suite.throughput import NGINX, OF_ONE_PAIR

if TYPE_CHECKING:
    from collections.abc import Callable

OURS, TWO_WORKERS, STOCK = "aimyproxy record", "aimyproxy record --workers 2", "mitmdump -w"
REPLAY = "aimyproxy replay"


@dataclass(frozen=True)
class Target:
    """What has to be at least (or at most) how much; `unit` is that of the figure, which `part` of the suite measures."""

    part: str
    name: str
    relation: str
    bound: float
    unit: str
    measured: Callable[[Figures], float | None]

    @property
    def wanted(self) -> str:
        return f"{self.relation} {self.bound:g}{self.unit}"

    def verdict(self, figures: Figures) -> dict[str, Any]:
        """The target, what was measured, and whether that is enough; None where it was not measured."""
        figure = self.measured(figures)
        met = None if figure is None else figure >= self.bound if self.relation == "≥" else figure <= self.bound
        return {"target": self.name, "wanted": self.wanted, "measured": figure, "unit": self.unit, "met": met}


def _record(peer: str, ours: str = OURS) -> Callable[[Figures], float | None]:
    return lambda figures: figures.quotient("record", {"subject": ours}, {"subject": peer})


def _replay(peer: str, size: int) -> Callable[[Figures], float | None]:
    return lambda figures: figures.quotient(
        "replay", {"subject": REPLAY, "size": size}, {"subject": peer, "size": size}
    )


def _slower(size: int) -> Callable[[Figures], float | None]:
    return lambda figures: figures.quotient(
        "replay", {"subject": OF_ONE_PAIR, "size": size}, {"subject": REPLAY, "size": size}
    )


def _started(what: str, key: str = "median_s") -> Callable[[Figures], float | None]:
    return lambda figures: figures.value("start", key, what=what)


def _added(figures: Figures) -> float | None:
    ours, stock = (
        figures.value("latency", "added_median_ms", subject=subject, connections=1) for subject in (OURS, STOCK)
    )
    return divided(ours, stock)


def _append_growth(figures: Figures) -> float | None:
    rows = figures.parts.get("append", [])
    return divided(rows[-1]["median_us"], rows[0]["median_us"]) if len(rows) > 1 else None


def _dearest_append(figures: Figures) -> float | None:
    return max((row["median_us"] for row in figures.parts.get("append", [])), default=None)


def _record_start(figures: Figures) -> float | None:
    return divided(_started(OURS)(figures), _started(IMPORTS)(figures))


def _memory(figures: Figures) -> float | None:
    row = figures.row("start", what=LARGE)
    return divided(row["peak_mb"], row["file_mb"]) if row else None


HELP, IMPORTS = "aimyproxy --help", "import of what record needs of mitmproxy"
SMALL, LARGE = "aimyproxy replay of 100 pairs", "aimyproxy replay of 100,000 pairs"

TARGETS: Final = [
    Target("record", "record: requests/s, of `mitmdump -w`'s", "≥", 3.5, " ×", _record(STOCK)),
    Target("record", "record: CPU a request", "≤", 600, " µs", lambda f: f.value("record", "cpu_us", subject=OURS)),
    Target("record", "record: exchanges lost", "≤", 0, "", lambda f: f.value("record", "lost", subject=OURS)),
    Target(
        "record",
        "record --workers 2: requests/s, of WireMock's",
        "≥",
        1,
        " ×",
        _record("WireMock recording", TWO_WORKERS),
    ),
    Target("latency", "record: latency added at 1 connection, of `mitmdump -w`'s", "≤", 0.5, " ×", _added),
    Target("replay", "replay of 1 pair: requests/s, of WireMock's", "≥", 5, " ×", _replay("WireMock", 1)),
    Target("replay", "replay of 1 pair: requests/s, of nginx's", "≥", 0.5, " ×", _replay(NGINX, 1)),
    Target("replay", "replay: 1 pair's requests/s, of 5,000 pairs'", "≤", 1.2, " ×", _slower(5_000)),
    Target("replay", "replay: 1 pair's requests/s, of 100,000 pairs'", "≤", 1.2, " ×", _slower(100_000)),
    Target("start", "replay of 100 pairs: start to first answer", "≤", 0.4, " s", _started(SMALL)),
    Target("start", "replay of 100,000 pairs: start to first answer", "≤", 2, " s", _started(LARGE)),
    Target("start", "replay of 100,000 pairs: memory, of the file's size", "≤", 4, " ×", _memory),
    Target("start", "record: start to first answer, of the imports' time", "≤", 1.2, " ×", _record_start),
    Target("append", "append", "≤", 15, " µs", _dearest_append),
    Target("append", "append: the longest file's cost, of the shortest's", "≤", 1.2, " ×", _append_growth),
    Target("start", "`aimyproxy --help`", "≤", 0.2, " s", _started(HELP)),
]
