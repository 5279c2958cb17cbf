"""What parts of aimyproxy cost by themselves; each runs in a process of its own, so that its memory is its own.

`python -m tests.bench.suite.costs append|index|diff SIZE…` measures one of them and prints rows as JSON. Seconds are the
processor's.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench import append as appending
from tests.bench import diff as diffing
from tests.bench.suite import peerfiles, traffic
from tests.bench.suite.groups import peak
from tests.bench.suite.progress import say
from tests.bench.suite.serving import Unfit

if TYPE_CHECKING:
    from tests.bench.suite.figures import Row
    from tests.bench.suite.plan import Plan

_ROUNDS = 9
_BOUND = 180.0


def append(plan: Plan) -> list[Row]:
    """An append to recordings of different sizes."""
    return _apart("append", *plan.append_sizes)


def index(plan: Plan) -> list[Row]:
    """Building what replay looks answers up in."""
    return _apart("index", *plan.sizes)


def diff(plan: Plan) -> list[Row]:
    """Comparing two recordings, of which a tenth differ, and of which all do."""
    return [*_apart("diff", plan.diff_pairs), *_apart("noisy", plan.diff_pairs)]


def _apart(what: str, *sizes: int) -> list[Row]:
    command = [sys.executable, "-m", "tests.bench.suite.costs", what, *map(str, sizes)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_BOUND, check=False)
    except subprocess.TimeoutExpired:
        raise Unfit(f"took more than {_BOUND:g} s") from None
    if done.returncode:
        raise Unfit(f"ended with {done.returncode}: {done.stderr.strip()[-200:]}")
    # Other lines tell what was left out.
    *told, rows = done.stdout.strip().splitlines()
    for line in told:
        say(f"  {line}")
    return json.loads(rows)


def _appended(folder: Path, sizes: list[int]) -> list[Row]:
    recordings = {
        size: appending.filled(folder / str(size), size) for size in sizes if appending.fits(size, str(folder))
    }
    files = {size: recording.path.stat().st_size for size, recording in recordings.items()}
    costs: dict[int, list[float]] = {size: [] for size in recordings}
    for _ in range(_ROUNDS):
        for size, recording in recordings.items():
            costs[size].append(appending.measured(recording))
    return [
        {
            "exchanges": size,
            "file_mb": files[size] / 1e6,
            "median_us": statistics.median(found),
            "best_us": min(found),
        }
        for size, found in costs.items()
    ]


def _indexed(folder: Path, sizes: list[int]) -> list[Row]:
    from aimyproxy.mockserver.source import load

    rows = []
    for size in sizes:
        recording = peerfiles.recording(folder / str(size), traffic.pairs(size))
        started = time.process_time()
        load(recording, "learned")
        seconds = time.process_time() - started
        rows.append({"exchanges": size, "file_mb": recording.path.stat().st_size / 1e6, "build_s": seconds})
    return rows


def _diffed(folder: Path, sizes: list[int], *, noise: bool) -> list[Row]:
    [pairs] = sizes
    before, after = diffing.recorded(folder, pairs, every=10, noise=noise)
    seconds = statistics.median(diffing.measured(before, after)[0] for _ in range(3))
    what = "all differ in a random number" if noise else "one of ten differs"
    return [{"what": what, "pairs": pairs, "pairs_per_second": pairs / seconds, "peak_mb": peak()}]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["append", "index", "diff", "noisy"])
    parser.add_argument("sizes", type=int, nargs="+")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="aimyproxy-bench-") as name:
        folder = Path(name)
        if arguments.what == "append":
            rows = _appended(folder, arguments.sizes)
        elif arguments.what == "index":
            rows = _indexed(folder, arguments.sizes)
        else:
            rows = _diffed(folder, arguments.sizes, noise=arguments.what == "noisy")
    print(json.dumps(rows, ensure_ascii=False))


if __name__ == "__main__":
    main()
