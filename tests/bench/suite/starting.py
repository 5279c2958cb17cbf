"""How long commands take from their start to their first answer, or to their end, and the memory of what answers."""

from __future__ import annotations

import re
import resource
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tests.bench.suite import subjects, traffic
from tests.bench.suite.progress import say
from tests.bench.suite.serving import Unfit, served, settled
from tests.bench.suite.targets import HELP, IMPORTS, OURS, STOCK
from tests.bench.suite.throughput import WEBHOOK

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.bench.suite.figures import Row
    from tests.bench.suite.plan import Plan
    from tests.bench.suite.subjects import Subject

_IMPORTED = re.compile(r"^import time:.*\| +(mitmproxy[\w.]*)$", re.MULTILINE)

_BOUND = 60.0


@dataclass
class Starts:
    """What one thing took in each round, in seconds and in seconds of CPU, and how much memory it then had."""

    what: str
    measure: Callable[[Starts], tuple[float, float]]
    took: list[tuple[float, float]] = field(default_factory=list)
    peak_mb: float | None = None
    file_mb: float | None = None
    trouble: str = ""

    def round(self) -> None:
        if self.trouble:
            return
        try:
            self.took.append(self.measure(self))
        except Unfit as trouble:
            self.trouble = str(trouble)
            say(f"  {self.what}: {trouble}")

    def rehearse(self) -> None:
        """As a round that nobody counts: the first start of all compiles modules, and finds no file in memory."""
        self.round()
        self.took.clear()

    def row(self) -> Row:
        seconds, cpu = zip(*self.took, strict=True) if self.took else ((), ())
        return {
            "what": self.what,
            "median_s": statistics.median(seconds) if seconds else None,
            "best_s": min(seconds, default=None),
            "cpu_s": statistics.median(cpu) if cpu else None,
            "peak_mb": self.peak_mb,
            "file_mb": self.file_mb,
            "trouble": self.trouble,
        }


def start(plan: Plan) -> list[Row]:
    """Help, the imports that recording needs, recorders, and replays of growing recordings, several rounds of all.

    Raises:
        Unfit: there is no webhook.
    """
    with served(subjects.nginx(plan.tools, WEBHOOK), plan.bounds) as webhook:
        modules = _modules(plan, webhook.url)
        things = [
            Starts(HELP, lambda _: _ended([*subjects.AIMYPROXY, "--help"])),
            Starts(
                IMPORTS, lambda _: _ended([sys.executable, "-c", f"import {', '.join(['aimyproxy.proxy', *modules])}"])
            ),
            *(
                Starts(one.name, _answering(plan, one, webhook.url))
                for one in subjects.recorders(plan.tools)
                if one.name in (OURS, STOCK)
            ),
            *(
                Starts(
                    f"aimyproxy replay of {size:,} pairs", _answering(plan, subjects.our_replay(traffic.pairs(size)))
                )
                for size in plan.start_sizes
            ),
        ]
        things = [one for one in things if plan.chooses(one.what)]
        for one in things:
            one.rehearse()
        for number in range(1, plan.starts + 1):
            say(f"  round {number} of {plan.starts}")
            for one in things:
                one.round()
    return [one.row() for one in things]


def _modules(plan: Plan, webhook: str) -> list[str]:
    """Those of mitmproxy that a recorder has imported when it has answered, the first ones first.

    To import them and no others, `aimyproxy.proxy` has to be imported before them.
    """
    ours = subjects.recorders(plan.tools)[0]

    def traced(place: subjects.Place) -> list[str]:
        python, *arguments = ours.command(place)
        return [python, "-X", "importtime", *arguments]

    with served(replace(ours, command=traced), plan.bounds, webhook) as one:
        # A module is told when it is complete, after those that it needs.
        return _IMPORTED.findall(one.group.log.read_text())[::-1]


def _ended(command: list[str]) -> tuple[float, float]:
    began, used = time.perf_counter(), _children()
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_BOUND, check=False)
    except subprocess.TimeoutExpired:
        raise Unfit(f"took more than {_BOUND:g} s") from None
    if done.returncode:
        raise Unfit(f"ended with {done.returncode}: {done.stderr.strip()[-200:]}")
    return time.perf_counter() - began, _children() - used


def _children() -> float:
    """Seconds of CPU of all processes that this one has waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _answering(plan: Plan, subject: Subject, webhook: str = "") -> Callable[[Starts], tuple[float, float]]:
    def measure(starts: Starts) -> tuple[float, float]:
        with served(subject, plan.bounds, webhook) as one:
            settled(one.group)
            starts.peak_mb = max(starts.peak_mb or 0.0, one.group.peak())
            if not webhook:
                starts.file_mb = (one.place.folder / "bench/exchanges.json").stat().st_size / 1e6
            return one.start, one.start_cpu

    return measure
