"""`uv run python -m tests.bench.kills`: `kill -9` under load at random moments, and what was lost by it."""

from __future__ import annotations

import argparse
import signal
import tempfile
import time
from pathlib import Path

from tests.crashes import end_again_and_again, recorded


def main() -> None:
    """Run the rounds and print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", default="1")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder, begun = Path(name), time.perf_counter()
        outcome = end_again_and_again(
            folder, arguments.rounds, signal.SIGKILL, arguments.seed, "--workers", arguments.workers
        )
        lost, kept = outcome.lost(folder), recorded(folder)
        torn = len(list((folder / "shop").glob("*.torn-*")))
        print(
            f"{len(outcome.statuses)} rounds in {time.perf_counter() - begun:.0f} s: {len(outcome.asked)} requests, "
            f"{len(outcome.answered)} answered, {len(kept)} recorded, {torn} torn lines set aside, {len(lost)} lost"
        )


if __name__ == "__main__":
    main()
