"""Requests a second of recording and of replaying, all subjects side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.bench.suite import subjects, traffic
from tests.bench.suite.load import Load, measured
from tests.bench.suite.progress import say
from tests.bench.suite.serving import Unfit, served

if TYPE_CHECKING:
    from tests.bench.suite.figures import Row
    from tests.bench.suite.plan import Plan

NGINX, WEBHOOK = "nginx return 200", "webhook itself (nginx)"
OF_ONE_PAIR, TO_OTHERS = "aimyproxy replay of 1 pair", "aimyproxy replay, to new users"


def record(plan: Plan) -> list[Row]:
    """All recorders before the same webhook, and the bare webhook.

    Raises:
        Unfit: there is no webhook to record, or nothing that makes load.
    """
    bare = subjects.nginx(plan.tools, WEBHOOK)
    with served(bare, plan.bounds) as webhook:
        ours, *others = subjects.recorders(plan.tools)
        chosen = [*plan.choose([ours, subjects.recorder_of_everything(), *others]), bare]
        return [one.row() for one in measured(chosen, wrk_load(plan), webhook.url)]


def replay(plan: Plan) -> list[Row]:
    """All replayers at each size; our own of one pair and nginx run beside them, to be compared within the rounds.

    Raises:
        Unfit: there is nothing that makes load.
    """
    rows = []
    for size in plan.sizes:
        say(f"  of {size:,}")
        rows += [one.row() for one in measured(_replayers(plan, size), wrk_load(plan), size=size)]
    return rows


def _replayers(plan: Plan, size: int) -> list[subjects.Subject]:
    pairs = traffic.pairs(size)
    found = [subjects.our_replay(pairs)]
    if size > 1:
        found += [subjects.our_replay(pairs[:1], OF_ONE_PAIR), subjects.our_replay_to_others(pairs, TO_OTHERS)]
    if size <= plan.peers_to:
        found += subjects.replaying_peers(plan.tools, pairs)
    return plan.choose([*found, subjects.nginx(plan.tools, NGINX)])


def wrk_load(plan: Plan) -> Load:
    """The plan's load; Unfit where there is nothing that makes it."""
    if why := plan.tools.why("wrk"):
        raise Unfit(why)
    return Load(plan.tools.commands["wrk"], plan.warm_up, plan.seconds, plan.rounds, plan.bounds)
