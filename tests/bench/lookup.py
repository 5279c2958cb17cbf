"""What building an index, learning and looking up cost at different sizes: `uv run python -m tests.bench.lookup`.

The recordings are conversations of the sample bot with the sample shop, whose bodies have 1 to 3 kB; asked are others,
as people who were not recorded would. Rounds alternate between the sizes, so that a noisy machine is noisy for all; the
ratios are of medians.
"""

from __future__ import annotations

import argparse
import gc
import resource
import statistics
import time
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from aimyproxy import aimylogic
from aimyproxy.answering.index import MATCHES, Index
from aimyproxy.answering.replayer import Replayer
from aimyproxy.demo import bot
from aimyproxy.demo.shop import Shop
from aimyproxy.exchange import Body, Exchange, Request, Response, Timing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aimyproxy.answering.index import Match

ASKED = 300
HEADERS = (("content-type", "application/json"),)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 10_000, 100_000])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--match", choices=MATCHES, action="append")
    arguments = parser.parse_args()
    newcomers = list(islice(exchanges(first_user=10_000_000), ASKED))
    for match in arguments.match or ("learned", "event"):
        print(f"--match {match}")
        compared(arguments.sizes, match, newcomers, arguments.rounds)


def compared(sizes: list[int], match: Match, newcomers: list[Exchange], rounds: int) -> None:
    replayers, costs = {}, {size: [] for size in sizes}
    print(f"{'exchanges':>10} {'build':>8} {'learn':>8} {'memory':>9} {'µs a look-up':>13} {'best':>7} {'ratio':>6}")
    built = {}
    for size in sizes:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        index, build, learn = timed(size, match)
        built[size] = build, learn, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        replayers[size] = Replayer(index)
        for exchange in newcomers:
            replayers[size].answer(exchange.request)
    gc.collect()
    gc.freeze()
    for _ in range(rounds):
        for size, replayer in replayers.items():
            costs[size].append(measured(replayer, newcomers))
    base = statistics.median(costs[min(sizes)])
    for size, (build, learn, memory) in built.items():
        median = statistics.median(costs[size])
        print(
            f"{size:>10,} {build:>6.2f} s {learn:>6.2f} s {memory:>6.0f} MB {median:>13.1f} {min(costs[size]):>7.1f} "
            f"{median / base:>6.2f}"
        )


def timed(size: int, match: Match) -> tuple[Index, float, float]:
    """The index of so many exchanges, and the seconds that building it and learning took."""
    recorded = list(enumerate(islice(exchanges(first_user=0), size), 1))
    gc.collect()
    started = time.perf_counter()
    index = Index.build(recorded, match=match)
    built = time.perf_counter()
    index.models()
    return index, built - started, time.perf_counter() - built


def measured(replayer: Replayer, asked: list[Exchange]) -> float:
    """Microseconds an answer."""
    started = time.perf_counter()
    for exchange in asked:
        replayer.answer(exchange.request)
    return (time.perf_counter() - started) / len(asked) * 1e6


def exchanges(first_user: int) -> Iterator[Exchange]:
    """What users from this one on ask the shop, one conversation after the other, without end."""
    shop = Shop(seed=1)
    for start in range(first_user, first_user + 10**9, 20):
        for talking in bot.conversations(seed=start, users=20):
            conversation = replace(talking, user=replace(talking.user, number=start + talking.user.number))
            while not conversation.finished:
                yield exchanged(shop, conversation)


def exchanged(shop: Shop, conversation: bot.Conversation) -> Exchange:
    variables = conversation.enter()
    answer = shop.answer(dict(variables))
    if isinstance(answer, dict):
        conversation.merge(answer)
    request, response = (
        Request("POST", "/", HEADERS, Body("json", variables)),
        Response(200, HEADERS, Body("json", answer)),
    )
    event, talking = aimylogic.identify(variables)
    return Exchange("2026-11-24T10:00:00.000000Z", event, talking, request, response, None, Timing(5.0, 6.0))


if __name__ == "__main__":
    main()
