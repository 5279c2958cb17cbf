"""The latency that each recorder adds to its webhook's, at a fixed moderate rate."""

from __future__ import annotations

import gc
import statistics
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httptools

from tests.bench.suite import openloop, subjects
from tests.bench.suite.load import one_round
from tests.bench.suite.progress import say
from tests.bench.suite.serving import Served, Unfit, lost, served
from tests.bench.suite.throughput import WEBHOOK, wrk_load

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bench.suite.figures import Row
    from tests.bench.suite.openloop import Latencies
    from tests.bench.suite.plan import Plan

RATE = 200
"""Requests a second: what stock mitmdump answers without effort."""


@dataclass
class Found:
    """A subject's rounds at one number of connections: medians and 99th percentiles in milliseconds."""

    subject: str
    connections: int
    medians: list[float] = field(default_factory=list)
    p99s: list[float] = field(default_factory=list)
    trouble: str = ""

    def add(self, latencies: Latencies) -> None:
        if latencies.wrong or latencies.unanswered:
            raise Unfit(f"{latencies.unanswered} unanswered, {latencies.wrong} wrong")
        cut = statistics.quantiles(latencies.milliseconds, n=100, method="inclusive")
        self.medians.append(cut[49])
        self.p99s.append(cut[98])

    def row(self, direct: Found) -> Row:
        row: Row = {"subject": self.subject, "connections": self.connections, "rate": RATE, "trouble": self.trouble}
        for name, mine, theirs in (("median_ms", self.medians, direct.medians), ("p99_ms", self.p99s, direct.p99s)):
            row[name] = statistics.median(mine) if mine else None
            # Of the same round each: what disturbed it disturbed both.
            added = [one - other for one, other in zip(mine, theirs, strict=False)]
            row[f"added_{name}"] = statistics.median(added) if added and self is not direct else None
        return row


def latency(plan: Plan) -> list[Row]:
    """All recorders and the webhook itself, at each number of connections; nothing of ours may get lost.

    Raises:
        Unfit: there is no webhook.
    """
    bare = subjects.nginx(plan.tools, WEBHOOK)
    chosen = [bare, *plan.choose(subjects.recorders(plan.tools))]
    found = {one.name: [Found(one.name, connections) for connections in plan.connections] for one in chosen}
    with ExitStack() as stack:
        webhook = stack.enter_context(served(bare, plan.bounds))
        running = []
        for subject in chosen:
            with _noting(found[subject.name]):
                one = stack.enter_context(served(subject, plan.bounds, webhook.url))
                _warm_up(plan, one)
                running.append(one)
        for number, connections in enumerate(plan.connections):
            say(f"  at {connections}")
            for _ in range(plan.latency_rounds):
                for one in running:
                    mine = found[one.subject.name][number]
                    # Who can't keep up would take long to show it again.
                    if not mine.trouble:
                        with _noting([mine]):
                            mine.add(_round(one, connections, plan.latency_seconds))
        for one in running:
            with _noting(found[one.subject.name]):
                _check_kept(one)
    return [one.row(direct) for rows in found.values() for one, direct in zip(rows, found[WEBHOOK], strict=True)]


@contextmanager
def _noting(rows: list[Found]) -> Iterator[None]:
    try:
        yield
    except (Unfit, OSError, httptools.HttpParserError) as trouble:
        say(f"  {rows[0].subject}: {trouble}")
        for row in rows:
            row.trouble = str(trouble)


def _warm_up(plan: Plan, one: Served) -> None:
    if one.subject.warm_ups > 1 and plan.tools.has("wrk"):
        one_round(wrk_load(plan), one, plan.warm_up * one.subject.warm_ups)
    one.group.freeze()


def _round(one: Served, connections: int, seconds: int) -> Latencies:
    bodies = [pair.request for pair in one.subject.asked]
    one.group.thaw()
    gc.disable()
    try:
        found = openloop.measured(one.place.port, bodies, connections, RATE, seconds)
    finally:
        gc.enable()
        one.group.freeze()
    one.answered += found.answered
    one.open += found.open
    return found


def _check_kept(one: Served) -> None:
    """Each answer was waited for, unless there was trouble: all of them are on the disk, and nothing else."""
    if one.subject.kept and (missing := lost(one)):
        raise Unfit(f"lost {missing:,} exchanges")
