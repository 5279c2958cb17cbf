"""The webhooks of all kinds on one address, bots that talk to them, and what their answers come to."""

from __future__ import annotations

import json
import random
import threading
from dataclasses import dataclass
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from aimyproxy import aimylogic
from aimyproxy.exchange import Body, Request, Response
from tests.bench.fidelity.kinds import CHANNELS, KINDS, Kind, Variables

if TYPE_CHECKING:
    from collections.abc import Iterator


ASKED_FROM = 1000
"""The number of the first user who was not recorded."""


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

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        variables = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        kind = KINDS[int(self.path.rpartition("/")[2])]
        memory = self.server.memory.setdefault((kind.name, variables["userId"]), {})
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

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

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


def conversations(kind: Kind, chance: random.Random, numbers: range) -> list[list[Variables]]:
    """A conversation of each of these users."""
    return [conversation(kind, number, chance) for number in numbers]


def chance_of(kind: Kind, seed: int) -> random.Random:
    """What the users of a kind do, the same for the same seed, whatever the others do."""
    return random.Random(f"{seed} {kind.name}")


def path_of(kind: Kind) -> str:
    """Where the webhook of this kind is."""
    return f"/{KINDS.index(kind)}"


def talk_all(line: Line, talks: list[list[Variables]]) -> list[Variables]:
    """One conversation after the other; returns what was asked."""
    return [asked for requests in talks for asked in talk(line, requests)]


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
    """What the answer does to the bot, to be compared; of noise no more than that it is there, and its type."""
    request = Request("POST", "/", (), Body.of(json.dumps(asked).encode()))
    found = aimylogic.effect_of(request, response)
    value = found.value
    if found.kind == "variables":
        value = {name: type(made).__name__ if name in noise else made for name, made in value.items()}
    return response.status if response else 0, found.kind, json.dumps(value, sort_keys=True)


@dataclass(frozen=True)
class Outcome:
    """A request to the real webhook and to others: the effects, and what replay says of its answer."""

    variables: Variables
    wanted: Any
    got: Any
    source: str
    others: tuple[Any, ...]
    knowable: bool

    @property
    def right(self) -> bool:
        return bool(self.got == self.wanted)

    @property
    def claimed_wrongly(self) -> bool:
        return not self.right and self.source.startswith(("learned", "exact"))


def outcomes(
    kind: Kind, talks: list[list[Variables]], seen: list[Variables], real: Line, ours: Line, *others: Line
) -> Iterator[Outcome]:
    """Each request to all of them; the bot goes on with what the real webhook answered."""
    for requests in talks:
        held: Variables = {}
        for request in requests:
            held |= request
            wanted, _ = real.ask(held)
            answered, source = ours.ask(held)
            yield Outcome(
                dict(held),
                effect(held, wanted, kind.noise),
                effect(held, answered, kind.noise),
                source,
                tuple(effect(held, other.ask(held)[0], kind.noise) for other in others),
                kind.knowable(held, seen),
            )
            held |= (wanted.body.variables() or {}) if wanted and wanted.status < 400 else {}
