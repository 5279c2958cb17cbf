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
        before, after = (Recording.create(Path(folder) / name, None) for name in ("before", "after"))
        for number, one in enumerate(islice(exchanges(first_user=0), arguments.pairs)):
            if arguments.noise:
                before.append(changed(one, "roll", random.randrange(10**9)))
                one = changed(one, "roll", random.randrange(10**9))  # noqa: PLW2901
            else:
                before.append(one)
            after.append(one if number % arguments.every else changed(one, "added", 1))
        print(f"{before.path.stat().st_size / arguments.pairs:,.0f} bytes an exchange")
        for _ in range(arguments.rounds):
            started = time.process_time()
            differing = diff_recordings(before, after).differing.total()
            rate = arguments.pairs / (time.process_time() - started)
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(f"{rate:>9,.0f} pairs/s   {differing:,} differ   {peak:,.0f} MB at most")
        before.close()
        after.close()


def changed(exchange: Exchange, name: str, value: int) -> Exchange:
    """The exchange with one more variable in its answer."""
    response = exchange.response
    variables = response.body.variables() if response else None
    if response is None or variables is None:
        return exchange
    return replace(exchange, response=replace(response, body=Body("json", {**variables, name: value})))


if __name__ == "__main__":
    main()
