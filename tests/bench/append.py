"""What an append costs at different sizes of the recording: `uv run python -m tests.bench.append`.

Rounds alternate between the sizes, so that a noisy machine is noisy for all; the ratios are of medians. Microseconds
are the processor's, encoding included. A recording of a million exchanges takes 1 GB of the temporary folder while this
runs; where there is no room for it, that size is left out and named.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import time
from pathlib import Path

from aimyproxy import jsonvalue
from aimyproxy.documents import to_document
from aimyproxy.store.recording import Recording
from tests import builders

BATCH = 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 100_000, 1_000_000])
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        recordings = {size: filled(Path(folder) / str(size), size) for size in arguments.sizes if fits(size, folder)}
        costs: dict[int, list[float]] = {size: [] for size in arguments.sizes}
        for _ in range(arguments.rounds):
            for size, recording in recordings.items():
                costs[size].append(measured(recording))
        report(recordings, costs)


def fits(size: int, folder: str) -> bool:
    """Whether there is room for a recording of this size, and as much again."""
    needed, free = size * len(jsonvalue.dumps(to_document(builders.exchange()))), shutil.disk_usage(folder).free
    if 2 * needed < free:
        return True
    print(f"{size:,} exchanges left out: they need {needed / 1e9:.1f} GB, and {folder} has {free / 1e9:.1f} GB left.")
    return False


def filled(folder: Path, size: int) -> Recording:
    recording = Recording.create(folder, None)
    document = jsonvalue.dumps(to_document(builders.exchange()))
    for start in range(0, size, BATCH):
        recording._table.append_encoded([document] * min(BATCH, size - start))
    return recording


def measured(recording: Recording) -> float:
    """Microseconds an append."""
    exchange = builders.exchange()
    started = time.process_time()
    for _ in range(BATCH):
        recording.append(exchange)
    return (time.process_time() - started) / BATCH * 1e6


def report(recordings: dict[int, Recording], costs: dict[int, list[float]]) -> None:
    base = statistics.median(costs[min(costs)])
    print(f"{'exchanges':>10} {'file':>9} {'µs an append':>13} {'best':>7} {'ratio':>6}")
    for size, found in costs.items():
        megabytes = recordings[size].path.stat().st_size / 1e6
        median = statistics.median(found)
        print(f"{size:>10,} {megabytes:>6.1f} MB {median:>13.1f} {min(found):>7.1f} {median / base:>6.2f}")


if __name__ == "__main__":
    main()
