"""The benchmark suite: aimyproxy and its peers side by side on this machine: `uv run python -m tests.bench.suite`.

Each subject is a process of its own; all get the same load in turn, several rounds, and stand still (SIGSTOP) while
others are measured. Before any load, and after it, answers are checked; load begins when a subject that has given its
first answers has nothing more to do by itself. Programs in Python find their modules compiled, as installed ones do.
Figures are medians of the rounds, ratios are of rounds of the same run. Nothing but loopback is asked, and each run is bounded: `--quick` takes some three minutes, all
of it some fifteen. Linux only, with `wrk` and `nginx`; what else is missing is named and left out.

    uv run python -m tests.bench.suite --quick                      a first look
    uv run python -m tests.bench.suite --only record --subjects aimyproxy mitmdump
    uv run python -m tests.bench.suite --only replay --sizes 1 100000 --subjects aimyproxy nginx --seconds 5
    uv run python -m tests.bench.suite --json FILE --markdown README.md

The last one writes all figures as JSON, and the tables into the README, between the marks `<!-- figures -->` and
`<!-- /figures -->`; a file without these marks gets nothing but the tables.

The ratios of a machine that others use are good for a first idea only.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.bench.suite import costs, latency, machine, plan, starting, tables, throughput, tools
from tests.bench.suite.figures import Figures
from tests.bench.suite.progress import say
from tests.bench.suite.serving import Unfit
from tests.bench.suite.targets import TARGETS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.bench.suite.figures import Row
    from tests.bench.suite.plan import Plan

MEASURES: dict[str, Callable[[Plan], list[Row]]] = {
    "record": throughput.record,
    "latency": latency.latency,
    "replay": throughput.replay,
    "start": starting.start,
    "append": costs.append,
    "index": costs.index,
    "diff": costs.diff,
}


def main() -> None:
    if sys.platform != "linux":
        sys.exit("The suite measures processes in /proc: it needs Linux.")
    _keep_byte_code()
    # Ended by SIGTERM, too, the suite leaves no process behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    arguments = _arguments()
    found = tools.found(arguments.peers, install=not arguments.no_install)
    chosen = _plan(arguments, found)
    about, figures = machine.described(found), Figures()
    for part in arguments.only or MEASURES:
        say(part)
        try:
            figures.parts[part] = MEASURES[part](chosen)
        # Whatever goes wrong in a part, the others' figures are not lost.
        except (Unfit, OSError, subprocess.SubprocessError) as trouble:
            figures.missing[part] = str(trouble)
            say(f"{part}: {trouble}")
    _report(arguments, about, figures)


def _keep_byte_code() -> None:
    """Let programs in Python find their modules compiled, as installed ones do, whatever this shell wants."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ.setdefault("PYTHONPYCACHEPREFIX", str(tools.BYTE_CODE))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds, fewer sizes")
    parser.add_argument("--only", nargs="+", choices=list(MEASURES), metavar="PART", help=", ".join(MEASURES))
    parser.add_argument(
        "--subjects", nargs="+", default=[], metavar="WORD", help="those with these words in their name"
    )
    parser.add_argument("--sizes", nargs="+", type=int, help="how many pairs replay has")
    parser.add_argument("--seconds", type=int, help="of load a round")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables there, between its marks")
    parser.add_argument("--peers", type=Path, metavar="FOLDER", default=tools.DEFAULT_FOLDER, help="where npm's are")
    parser.add_argument("--no-install", action="store_true", help="don't fetch peers that are not there")
    return parser.parse_args()


def _plan(arguments: argparse.Namespace, found: tools.Tools) -> Plan:
    usual = (plan.quick if arguments.quick else plan.full)(found)
    own = {
        "sizes": arguments.sizes and tuple(arguments.sizes),
        "start_sizes": arguments.sizes and tuple(arguments.sizes),
        "seconds": arguments.seconds,
        "rounds": arguments.rounds,
    }
    return replace(usual, chosen=tuple(arguments.subjects), **{name: value for name, value in own.items() if value})


def _report(arguments: argparse.Namespace, about: dict[str, Any], figures: Figures) -> None:
    made = tables.tables(figures)
    missing = {**about["missing"], **figures.missing}
    print(machine.sentence(about), *(f"{name}: {why}" for name, why in missing.items()), sep="\n")
    for table in made:
        print(f"\n{tables.as_text(table)}")
    if arguments.json:
        results = {"machine": about, "arguments": sys.argv[1:], "parts": figures.parts, "missing": missing}
        results["targets"] = [one.verdict(figures) for one in TARGETS]
        arguments.json.write_text(json.dumps(results, ensure_ascii=False, indent=1) + "\n")
    if arguments.markdown:
        old = arguments.markdown.read_text() if arguments.markdown.exists() else ""
        arguments.markdown.write_text(tables.page(old, machine.sentence(about), made))


if __name__ == "__main__":
    main()
