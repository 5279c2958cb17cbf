"""Fuzzes one file of a recording, guided by the coverage of the code that reads it.

    uv run --with atheris python -m tests.bench.fuzz exchanges.json --seconds 120

Needs Python 3.11 or 3.12, which atheris is built for. What breaks a target is left as `crash-…` in the corpus' folder.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import atheris

with atheris.instrument_imports(include=["aimyproxy"]):
    from tests.bench.fuzz import seeds, targets

if TYPE_CHECKING:
    from collections.abc import Callable


def mutator(data: bytes, max_size: int, seed: int) -> bytes:
    """Half of the changes are the fuzzer's own; the others put, move, double or take pieces where JSON has its joints."""
    chance = random.Random(seed)
    if chance.random() < 0.5:
        return bytes(atheris.Mutate(data, max_size))
    joints = [index for index, byte in enumerate(data) if byte in b'{}[],:"\n'] or [0]
    start, end = sorted(chance.choices([*joints, len(data)], k=2))
    piece = chance.choice([*seeds.TOKENS, data[start:end], b""])
    changed = data[:start] + piece + data[chance.choice([start, end]) :]
    return changed[:max_size]


def main() -> None:
    """Run the fuzzer on the target that the arguments name."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", choices=targets.TARGETS)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--corpus", type=Path, default=None, help="A folder that is kept from run to run.")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as scratch:
        corpus = arguments.corpus or Path(scratch) / "corpus"
        corpus.mkdir(parents=True, exist_ok=True)
        for number, seed in enumerate(seeds.seeds(Path(scratch) / "seed")[arguments.file]):
            (corpus / f"seed-{number}").write_bytes(seed)
        folder, target = Path(scratch) / "shop", targets.TARGETS[arguments.file]
        limits = [f"-max_total_time={arguments.seconds}", "-max_len=20000", "-timeout=30", "-rss_limit_mb=3000"]
        _fuzz([sys.argv[0], *limits, f"-artifact_prefix={Path.cwd()}/", str(corpus)], target, folder)
    shutil.rmtree(folder, ignore_errors=True)


def _fuzz(arguments: list[str], target: Callable[[bytes, Path], None], folder: Path) -> None:
    atheris.Setup(arguments, lambda data: target(data, folder), custom_mutator=mutator)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
