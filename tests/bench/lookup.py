"""What loading an index, learning and looking up cost at different sizes: `uv run python -m tests.bench.lookup`.

The recordings are conversations of the sample bot with the sample shop, whose bodies have 1 to 3 kB. `new` are
conversations that were not recorded, as people have them who come later; `exact` are recorded requests, word for word.
`load` and `learn` are seconds of the processor, as `aimyproxy replay` loads a recording from the disk and learns all
of its events; `memory` is what the process has more of afterwards, and the share of the file's size that this is.
Rounds alternate between the sizes, so that a noisy machine is noisy for all; the ratios are of medians.
"""

from __future__ import annotations

import argparse
import gc
import resource
import statistics
import tempfile
import time
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from aimyproxy import aimylogic, jsonvalue
from aimyproxy.answering.replayer import Replayer
from aimyproxy.answering.serving import MATCHES
from aimyproxy.demo import bot
from aimyproxy.demo.shop import Shop
from aimyproxy.documents import to_document
from aimyproxy.exchange import Body, Exchange, Request, Response, Timing
from aimyproxy.mockserver.source import load
from aimyproxy.store.recording import Recording

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aimyproxy.answering.index import Index
    from aimyproxy.answering.serving import Match

ASKED = 300
SMALLEST = 100
BATCH = 1_000
HEADERS = (("content-type", "application/json"),)


@dataclass
class Built:
    """An index, what it cost in seconds and megabytes, and microseconds a look-up by what was asked, of each round."""

    index: Index
    load: float
    learn: float
    memory: float
    file: float
    costs: dict[str, list[float]] = field(default_factory=lambda: {"new": [], "exact": []})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 10_000, 100_000])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--match", choices=MATCHES, action="append")
    arguments = parser.parse_args()
    asked = {
        "new": [one.request for one in islice(exchanges(first_user=10_000_000), ASKED)],
        "exact": [one.request for one in islice(exchanges(first_user=0), SMALLEST)],
    }
    documents = [jsonvalue.dumps(to_document(one)) for one in islice(exchanges(first_user=0), max(arguments.sizes))]
    for match in arguments.match or ("learned", "event"):
        report(match, compared(documents, arguments.sizes, match, asked, arguments.rounds))


def compared(
    documents: list[bytes], sizes: list[int], match: Match, asked: dict[str, list[Request]], rounds: int
) -> dict[int, Built]:
    indexes = {}
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            indexes[size] = built(filled(Path(folder) / "shop", documents[:size]), match)
    for _ in range(rounds):
        for one in indexes.values():
            for name, requests in asked.items():
                one.costs[name].append(measured(Replayer(one.index), requests))
    return indexes


def filled(folder: Path, documents: list[bytes]) -> Recording:
    recording = Recording.create(folder, None)
    for start in range(0, len(documents), BATCH):
        recording.append_stored(documents[start : start + BATCH])
    recording.close()
    return recording


def built(recording: Recording, match: Match) -> Built:
    """The index of this recording, with all that can be learned from it."""
    gc.collect()
    before = resident()
    started = time.process_time()
    index = load(recording, match)
    loaded = time.process_time()
    index.prepare(index.events)
    learned = time.process_time()
    gc.collect()
    return Built(index, loaded - started, learned - loaded, resident() - before, recording.size() / 1e6)


def resident() -> float:
    """Megabytes of memory that this process has at the moment."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 1e6


def measured(replayer: Replayer, requests: list[Request]) -> float:
    """Microseconds of the processor, an answer."""
    started = time.process_time()
    for request in requests:
        replayer.answer(request)
    return (time.process_time() - started) / len(requests) * 1e6


def report(match: Match, indexes: dict[int, Built]) -> None:
    print(f"--match {match}")
    print(
        f"{'exchanges':>10} {'load':>8} {'learn':>8} {'memory':>9} {'file':>9} ratio"
        f" {'µs new':>8} ratio {'µs exact':>9} ratio"
    )
    base = indexes[min(indexes)].costs
    for size, one in indexes.items():
        new, exact = (statistics.median(one.costs[name]) for name in ("new", "exact"))
        print(
            f"{size:>10,} {one.load:>6.2f} s {one.learn:>6.2f} s {one.memory:>6.0f} MB {one.file:>6.1f} MB"
            f" {one.memory / one.file:>5.1f} {new:>8.1f} {new / statistics.median(base['new']):>5.2f}"
            f" {exact:>9.1f} {exact / statistics.median(base['exact']):>5.2f}"
        )


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
