"""Records conversations through the real proxy, then asks others of the real webhook, of replay and of mitmproxy."""

from __future__ import annotations

import argparse
import json
import random
import socket
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tests.bench.fidelity.kinds import KINDS, Kind, Variables
from tests.bench.fidelity.talking import Line, Webhook, conversation, outcomes, talk
from tests.processes import aimyproxy, eventually, free_port, listening_port, running


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recorded", type=int, default=30, help="conversations recorded of each kind")
    parser.add_argument("--asked", type=int, default=30, help="conversations asked afterwards")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write the results here, too")
    arguments = parser.parse_args()
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        rows = [measured(number, kind, arguments, Path(folder)) for number, kind in enumerate(KINDS)]
    report(rows, arguments, time.perf_counter() - started)


def measured(number: int, kind: Kind, arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    chance = random.Random(f"{arguments.seed} {kind.name}")
    webhook = Webhook()
    name, path = f"kind-{number}", f"/{number}"
    flows, seen = folder / f"{name}.flows", []
    recorded = [conversation(kind, index, chance) for index in range(arguments.recorded)]
    with aimyproxy("record", name, "--target", webhook.url, "--listen", 0, "--recordings", folder) as process:
        line = Line(f"http://127.0.0.1:{listening_port(process)}", path)
        for requests in recorded:
            seen += talk(line, requests)
        process.stop()
    webhook.memory.clear()
    exact_port = free_port()
    mitmdump = [str(Path(sys.executable).parent / "mitmdump"), "--set", "connection_strategy=lazy", "--quiet"]
    with running([*mitmdump, "-w", str(flows), "-m", f"reverse:{webhook.url}", "-p", str(exact_port)]) as process:
        eventually(lambda: accepts(exact_port), "mitmdump")
        line = Line(f"http://127.0.0.1:{exact_port}", path)
        for requests in recorded:
            talk(line, requests)
        process.stop()
    webhook.memory.clear()
    serving = [*mitmdump, "--server-replay", str(flows), "--set", "server_replay_extra=404", "--set"]
    serving += ["server_replay_reuse=true", "-m", f"reverse:{webhook.url}", "-p", str(exact_port)]
    with (
        aimyproxy("replay", name, "--listen", 0, "--recordings", folder) as process,
        running(serving) as _,
    ):
        eventually(lambda: accepts(exact_port), "mitmdump")
        real = Line(webhook.url, path)
        ours = Line(f"http://127.0.0.1:{listening_port(process)}", path)
        exact = Line(f"http://127.0.0.1:{exact_port}", path)
        return compared(
            kind,
            [conversation(kind, 1000 + index, chance) for index in range(arguments.asked)],
            seen,
            real,
            ours,
            exact,
        )


def accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def compared(
    kind: Kind, talks: list[list[Variables]], seen: list[Variables], real: Line, ours: Line, exact: Line
) -> dict[str, Any]:
    """The counts of a kind, and some answers that are wrong."""
    count: Counter[str] = Counter()
    wrong: list[str] = []
    for outcome in outcomes(kind, talks, seen, real, ours, exact):
        knowable = "known" if outcome.knowable else "unknown"
        count[knowable] += 1
        count[f"{knowable} right"] += outcome.right
        count[f"{knowable} exact"] += outcome.others == (outcome.wanted,)
        count[f"{knowable} claimed wrongly"] += outcome.claimed_wrongly
        if not outcome.right and len(wrong) < 3:
            wrong.append(f"{outcome.source}: wanted {outcome.wanted}, got {outcome.got}")
    return {"kind": kind.name, **count, "wrong": wrong}


def report(rows: list[dict[str, Any]], arguments: argparse.Namespace, seconds: float) -> None:
    print(
        f"{arguments.recorded} conversations recorded, {arguments.asked} others asked, of each kind; {seconds:.0f} s\n"
    )
    print(f"{'':32} {'can be known':>24}   {'cannot be known':>32}")
    print(f"{'kind of behaviour':32} {'right':>14} {'exact-body':>11}   {'right':>12} {'falsely claimed':>16}")
    total: Counter[str] = Counter()
    for row in rows:
        total.update({key: value for key, value in row.items() if isinstance(value, int)})
        print(line_of(row["kind"], Counter(row)))
    print(line_of("all", total))
    for row in rows:
        for problem in row["wrong"]:
            print(f"  {row['kind']}: {problem[:300]}")
    if arguments.json:
        arguments.json.write_text(json.dumps({"rows": rows, "total": total}, ensure_ascii=False, indent=2))


def line_of(name: str, count: Counter[str]) -> str:
    known, unknown = count["known"], count["unknown"]
    right = f"{count['known right']}/{known} {count['known right'] / known:>5.0%}" if known else "-"
    stock = f"{count['known exact'] / known:.0%}" if known else "-"
    guessed = f"{count['unknown right']}/{unknown}" if unknown else "-"
    claimed = f"{count['unknown claimed wrongly']}/{unknown}" if unknown else "-"
    return f"{name:32} {right:>14} {stock:>11}   {guessed:>12} {claimed:>16}"


if __name__ == "__main__":
    main()
