"""Requests a second: the same load on all subjects in turn, several rounds, each frozen while others are measured."""

from __future__ import annotations

import json
import statistics
import subprocess
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.suite.progress import say
from tests.bench.suite.serving import Bounds, Served, Unfit, check, lost, served, settled

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.bench.suite.figures import Row
    from tests.bench.suite.subjects import Subject

CONNECTIONS = 16
_SCRIPT = Path(__file__).with_name("load.lua")
_GRACE = 15.0


@dataclass(frozen=True)
class Load:
    """How the load is made: a warm-up and so many rounds of so many seconds, within which bounds."""

    wrk: list[str]
    warm_up: int
    seconds: int
    rounds: int
    bounds: Bounds


@dataclass(frozen=True)
class Run:
    """What one round of one subject gave. `wrong` were answered with another status than 2xx or 3xx, or broke off."""

    answered: int
    seconds: float
    median_ms: float
    p99_ms: float
    wrong: int
    cpu: float = 0.0


@dataclass
class Outcome:
    """A subject's rounds, or why there are none."""

    subject: str
    size: int = 0
    start: float | None = None
    peak_mb: float | None = None
    lost: int | None = None
    """Exchanges that were answered and are not on its disk; None where that isn't counted."""
    trouble: str = ""
    runs: list[Run] = field(default_factory=list)

    @property
    def rate(self) -> float | None:
        """Answers a second, the median of the rounds."""
        return statistics.median(run.answered / run.seconds for run in self.runs) if self.runs else None

    @property
    def cpu_us(self) -> float | None:
        """Microseconds of CPU an answer, over all rounds."""
        answered = sum(run.answered for run in self.runs)
        return sum(run.cpu for run in self.runs) / answered * 1e6 if answered else None

    def row(self) -> Row:
        """All that was measured, as JSON has it."""
        return {
            "subject": self.subject,
            "size": self.size,
            "requests_per_second": self.rate,
            "cpu_us": self.cpu_us,
            "median_ms": statistics.median(run.median_ms for run in self.runs) if self.runs else None,
            "p99_ms": statistics.median(run.p99_ms for run in self.runs) if self.runs else None,
            "start_s": self.start,
            "peak_mb": self.peak_mb,
            "lost": self.lost,
            "rates": [run.answered / run.seconds for run in self.runs],
            "trouble": self.trouble,
        }


def measured(subjects: Sequence[Subject], load: Load, webhook: str = "", size: int = 0) -> list[Outcome]:
    """Each subject's outcome, of rounds that go round all of them."""
    outcomes = [Outcome(subject.name, size) for subject in subjects]
    with ExitStack() as stack:
        running: list[tuple[Served, Outcome]] = []
        for subject, outcome in zip(subjects, outcomes, strict=True):
            with _noting(outcome):
                one = stack.enter_context(served(subject, load.bounds, webhook))
                outcome.start = one.start
                # What it does in the background behind its first answer is no part of what a request costs.
                settled(one.group)
                one_round(load, one, load.warm_up * subject.warm_ups)
                running.append((one, outcome))
        for number in range(1, load.rounds + 1):
            say(f"  round {number} of {load.rounds}")
            for one, outcome in running:
                with _noting(outcome):
                    outcome.runs.append(one_round(load, one, load.seconds))
        for one, outcome in running:
            with _noting(outcome):
                _finish(one, outcome, load)
    return outcomes


@contextmanager
def _noting(outcome: Outcome) -> Iterator[None]:
    """Let a subject's trouble be told and kept, and go on with the others."""
    try:
        yield
    except Unfit as trouble:
        outcome.trouble = str(trouble)
        say(f"  {outcome.subject}: {trouble}")


def one_round(load: Load, one: Served, seconds: int) -> Run:
    """So many seconds of load on the subject, which stands still before and after."""
    one.group.thaw()
    before = one.group.cpu()
    try:
        run = _wrk(load, one, seconds)
    finally:
        used = one.group.cpu() - before
        one.group.freeze()
    one.answered += run.answered
    one.open += CONNECTIONS
    return replace(run, cpu=used)


def _wrk(load: Load, one: Served, seconds: int) -> Run:
    command = [*load.wrk, "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(_SCRIPT), one.url]
    try:
        done = subprocess.run(
            [*command, "--", str(one.requests)], capture_output=True, text=True, timeout=seconds + _GRACE, check=False
        )
    except subprocess.TimeoutExpired:
        raise Unfit(f"the load did not end {_GRACE:g} s after its time") from None
    if done.returncode:
        raise Unfit(f"wrk ended with {done.returncode}: {done.stderr.strip()[:200]}")
    return parsed(done.stdout)


def parsed(output: str) -> Run:
    """The last line that wrk printed, which our script has written."""
    found = json.loads(output.strip().splitlines()[-1])
    return Run(
        answered=found["requests"],
        seconds=found["microseconds"] / 1e6,
        median_ms=found["median_us"] / 1e3,
        p99_ms=found["p99_us"] / 1e3,
        wrong=found["wrong_status"] + found["broken"],
    )


def _finish(one: Served, outcome: Outcome, load: Load) -> None:
    one.group.thaw()
    # Who is slow still has requests of the last round to answer.
    settled(one.group)
    outcome.peak_mb = one.group.peak()
    check(one, load.bounds.answer)
    if wrong := sum(run.wrong for run in outcome.runs):
        raise Unfit(f"{wrong} wrong answers under load")
    if one.subject.kept:
        outcome.lost = lost(one)
