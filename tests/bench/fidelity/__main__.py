"""Records conversations through the real proxy, then asks others of the real webhook, of replay and of mitmproxy."""

from __future__ import annotations

import argparse
import json
import random
import socket
import sys
import tempfile
import threading
import time
from collections import Counter
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aimyproxy import aimylogic
from aimyproxy.exchange import Body, Request, Response
from tests.bench.fidelity.kinds import CHANNELS, KINDS, Kind, Variables
from tests.processes import aimyproxy, eventually, free_port, listening_port, running


class Webhook(ThreadingHTTPServer):
    """All kinds under one URL: the path says which. Remembers users until it is forgotten."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.memory: dict[tuple[str, str], dict[str, Any]] = {}
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        variables = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        kind = KINDS[int(self.path.rpartition("/")[2])]
        memory = self.server.memory.setdefault((kind.name, variables["userId"]), {})  # type: ignore[attr-defined]
        answer = kind.webhook(variables, memory)
        status, body = answer if isinstance(answer, tuple) else (200, answer)
        raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_: object) -> None:
        pass


class Line:
    """A bot's connection to one server; `ask` gives status, body and what the answer says of itself."""

    def __init__(self, url: str, path: str) -> None:
        parts = urlsplit(url)
        self._connection = HTTPConnection(parts.hostname or "", parts.port, timeout=30)
        self._path = path

    def ask(self, variables: Variables) -> tuple[Response | None, str]:
        try:
            body = json.dumps(variables, ensure_ascii=False).encode()
            self._connection.request("POST", self._path, body, {"Content-Type": "application/json"})
            response = self._connection.getresponse()
            raw = response.read()
        except OSError:
            self._connection.close()
            return None, ""
        return Response(response.status, (), Body.of(raw)), response.headers.get("Aimyproxy-Answer", "")


def conversation(kind: Kind, number: int, chance: random.Random) -> list[Variables]:
    """The requests of one user as far as the bot's author decides them; what comes back is merged when they are asked."""
    channel = CHANNELS[number % len(CHANNELS)]
    user = f"{channel}-{number}-{chance.randrange(10**6)}"
    frame = {"userId": user, "channelId": f"{channel}-1", "channelType": channel}
    requests = []
    for step, (event, own) in enumerate(kind.screens(chance)):
        message = {"message_id": chance.randrange(10**9), "date": 1_790_000_000 + chance.randrange(10**6), "text": "…"}
        request = {"action": event, "queryText": f"/{event}", **frame, "rawRequest": {"message": message}, **own}
        requests.append(request if step == 0 else {**request, "lastSeen": chance.randrange(100)})
    return requests


def talk(line: Line, requests: list[Variables]) -> list[Variables]:
    """Ask as the bot would; returns what was asked."""
    held: Variables = {}
    asked = []
    for request in requests:
        held |= request
        asked.append(dict(held))
        response, _ = line.ask(held)
        held |= (response.body.variables() or {}) if response and response.status < 400 else {}
    return asked


def effect(asked: Variables, response: Response | None, noise: tuple[str, ...]) -> Any:
    request = Request("POST", "/", (), Body.of(json.dumps(asked).encode()))
    found = aimylogic.effect_of(request, response)
    value = found.value
    if found.kind == "variables":
        value = {name: made for name, made in value.items() if name not in noise}
    return response.status if response else 0, found.kind, json.dumps(value, sort_keys=True)


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
    """Each request to all three; the bot goes on with what the real webhook answered."""
    count: Counter[str] = Counter()
    wrong: list[str] = []
    for requests in talks:
        held: Variables = {}
        for request in requests:
            held |= request
            wanted, _ = real.ask(held)
            answered, source = ours.ask(held)
            stock, _ = exact.ask(held)
            target = effect(held, wanted, kind.noise)
            knowable = "known" if kind.knowable(held, seen) else "unknown"
            right = effect(held, answered, kind.noise) == target
            count[knowable] += 1
            count[f"{knowable} right"] += right
            count[f"{knowable} exact"] += effect(held, stock, kind.noise) == target
            count[f"{knowable} claimed wrongly"] += not right and source.startswith(("learned", "exact"))
            if not right and len(wrong) < 3:
                wrong.append(f"{source}: wanted {target}, got {effect(held, answered, kind.noise)}")
            held |= (wanted.body.variables() or {}) if wanted and wanted.status < 400 else {}
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
