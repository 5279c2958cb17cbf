"""How many pairs a second the offline comparison of two recordings takes, and its memory: `uv run python -m tests.bench.diff`.

Both recordings are the same conversations of the sample bot with the sample shop (bodies of 1 to 3 kB); the second one
answers every `--every`-th exchange otherwise. Measured is all of `diff_recordings` on one core. With `--noise`, every
answer differs in a random number, so that none of them are alike, and noise has to be learned.
"""

from __future__ import annotations

import argparse
import random
import resource
import tempfile
import time
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from aimyproxy.diff.run import diff_recordings
from aimyproxy.exchange import Body
from aimyproxy.store.recording import Recording
from tests.bench.lookup import exchanges

if TYPE_CHECKING:
    from aimyproxy.exchange import Exchange


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--every", type=int, default=10)
    parser.add_argument("--noise", action="store_true", help="each answer has a random number, too")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        before, after = recorded(Path(folder), arguments.pairs, arguments.every, noise=arguments.noise)
        print(f"{before.path.stat().st_size / arguments.pairs:,.0f} bytes an exchange")
        for _ in range(arguments.rounds):
            seconds, differing = measured(before, after)
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(f"{arguments.pairs / seconds:>9,.0f} pairs/s   {differing:,} differ   {peak:,.0f} MB at most")


def recorded(folder: Path, pairs: int, every: int, *, noise: bool) -> tuple[Recording, Recording]:
    """Two recordings of so many exchanges, every so many of which differ; with noise, all do in a random number."""
    before, after = (Recording.create(folder / name, None) for name in ("before", "after"))
    for number, one in enumerate(islice(exchanges(first_user=0), pairs)):
        first, second = (changed(one, "roll", random.randrange(10**9)) if noise else one for _ in range(2))
        before.append(first)
        after.append(second if number % every else changed(second, "added", 1))
    before.close()
    after.close()
    return before, after


def measured(before: Recording, after: Recording) -> tuple[float, int]:
    """Seconds of the processor, and how many pairs differ."""
    started = time.process_time()
    differing = diff_recordings(before, after).differing.total()
    return time.process_time() - started, differing


def changed(exchange: Exchange, name: str, value: int) -> Exchange:
    """The exchange with one more variable in its answer."""
    response = exchange.response
    variables = response.body.variables() if response else None
    if response is None or variables is None:
        return exchange
    return replace(exchange, response=replace(response, body=Body("json", {**variables, name: value})))


if __name__ == "__main__":
    main()
