"""Records conversations through the real proxy, then asks others of the real webhook, of replay and of mitmproxy."""

from __future__ import annotations

import argparse
import json
import socket
import sys
import tempfile
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.bench.fidelity.kinds import KINDS, Kind, Variables
from tests.bench.fidelity.talking import (
    ASKED_FROM,
    Line,
    Webhook,
    chance_of,
    conversations,
    outcomes,
    path_of,
    talk_all,
)
from tests.processes import Running, aimyproxy, eventually, free_port, listening_port, running

if TYPE_CHECKING:
    from collections.abc import Iterator


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
    chance, path, name = chance_of(kind, arguments.seed), path_of(kind), f"kind-{number}"
    webhook = Webhook()
    recorded = conversations(kind, chance, range(arguments.recorded))
    with aimyproxy("record", name, "--target", webhook.url, "--listen", 0, "--recordings", folder) as process:
        seen = talk_all(Line(f"http://127.0.0.1:{listening_port(process)}", path), recorded)
        process.stop()
    webhook.memory.clear()
    exact_port, flows = free_port(), folder / f"{name}.flows"
    with mitmdump(webhook, exact_port, "-w", flows) as process:
        talk_all(Line(f"http://127.0.0.1:{exact_port}", path), recorded)
        process.stop()
    webhook.memory.clear()
    replaying = ["--server-replay", flows, "--set", "server_replay_extra=404", "--set", "server_replay_reuse=true"]
    with (
        aimyproxy("replay", name, "--listen", 0, "--recordings", folder) as process,
        mitmdump(webhook, exact_port, *replaying),
    ):
        ours = Line(f"http://127.0.0.1:{listening_port(process)}", path)
        exact = Line(f"http://127.0.0.1:{exact_port}", path)
        talks = conversations(kind, chance, range(ASKED_FROM, ASKED_FROM + arguments.asked))
        return compared(kind, talks, seen, Line(webhook.url, path), ours, exact)


@contextmanager
def mitmdump(webhook: Webhook, port: int, *arguments: Any) -> Iterator[Running]:
    """A running stock mitmdump in front of the webhook."""
    command = [str(Path(sys.executable).parent / "mitmdump"), "--set", "connection_strategy=lazy", "--quiet"]
    command += [*map(str, arguments), "-m", f"reverse:{webhook.url}", "-p", str(port)]
    with running(command) as process:
        eventually(lambda: accepts(port), "mitmdump")
        yield process


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
