"""The subjects: how each tool is started for the same task, with what its makers offer for speed.

None prints a line for each request but `aimyproxy record` and `mitmdump -w`, which do that as they come.
"""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import TYPE_CHECKING

from tests.bench.suite import peerfiles, traffic
from tests.bench.suite.tools import Tools

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tests.bench.suite.traffic import Pair

AIMYPROXY = [sys.executable, "-m", "aimyproxy"]
_JIT = 3
"""How many times as long as others Java is warmed up."""


@dataclass(frozen=True)
class Place:
    """Where a subject runs: a folder of its own, a port for the bot, one for its own administration, the webhook."""

    folder: Path
    port: int
    admin_port: int
    webhook: str = ""


@dataclass(frozen=True)
class Subject:
    """A tool at a task. `command` writes the files that it needs, and returns what starts it.

    `asked` are the pairs whose requests it gets in turn, `right` tells whether an answer to one is as it has to be.
    `prepared` is what has to be done once it listens; `kept` tells how many exchanges are in its folder, and is None
    where that isn't counted. It is warmed up `warm_ups` times as long as others; `missing` is why it can't run here.
    """

    name: str
    command: Callable[[Place], list[str]]
    asked: Sequence[Pair]
    right: Callable[[Pair, int, bytes], bool]
    prepared: Callable[[Place], None] = lambda place: None
    kept: Callable[[Path], int] | None = None
    warm_ups: int = 1
    missing: str = ""


def recorders(tools: Tools) -> list[Subject]:
    """All that stand between a bot and its webhook and write down what passes."""
    subject = partial(Subject, asked=traffic.pairs(traffic.MOST_ASKED), right=passed_on)
    no_workers = "" if _record_has_workers() else "this version of aimyproxy has no --workers"
    return [
        subject("aimyproxy record", _record, kept=_exchanges),
        subject(
            "aimyproxy record --workers 2",
            lambda place: [*_record(place), "--workers", "2"],
            kept=_exchanges,
            missing=no_workers,
        ),
        subject("mitmdump -w", lambda place: _write(tools, place), missing=tools.why("mitmdump")),
        subject(
            "WireMock recording",
            lambda place: _wiremock(tools, place),
            prepared=_start_recording,
            warm_ups=_JIT,
            missing=tools.why("wiremock"),
        ),
        subject(
            "mountebank proxyAlways",
            lambda place: _mountebank(tools, place, peerfiles.mountebank_proxy(place)),
            missing=tools.why("mountebank"),
        ),
    ]


def recorder_of_everything() -> Subject:
    """Ours, writing down what is secret and personal, too, as the peers do."""
    ours = recorders(Tools())[0]
    return replace(ours, name=f"{ours.name} --no-redact", command=lambda place: [*_record(place), "--no-redact"])


def our_replay(pairs: Sequence[Pair], name: str = "aimyproxy replay") -> Subject:
    """Ours, answering from these pairs."""
    return Subject(name, lambda place: _replay(place, pairs), traffic.asked_of(pairs), recorded)


def our_replay_to_others(pairs: Sequence[Pair], name: str) -> Subject:
    """Ours, answering users who were not recorded; an answer is right where it has what the recording can teach."""
    others = [replace(one, answered=one.learnable) for one in traffic.pairs(traffic.MOST_ASKED, first=10**7)]
    return Subject(name, lambda place: _replay(place, pairs), others, recorded)


def replaying_peers(tools: Tools, pairs: Sequence[Pair]) -> list[Subject]:
    """The peers, answering from these pairs."""
    subject = partial(Subject, asked=traffic.asked_of(pairs), right=recorded)
    return [
        subject(
            "mitmdump --server-replay",
            lambda place: _server_replay(tools, place, pairs),
            missing=tools.why("mitmdump"),
        ),
        subject("WireMock", lambda place: _wiremock(tools, place, pairs), warm_ups=_JIT, missing=tools.why("wiremock")),
        subject(
            "mountebank",
            lambda place: _mountebank(tools, place, peerfiles.mountebank_stubs(place, pairs)),
            missing=tools.why("mountebank"),
        ),
    ]


def nginx(tools: Tools, name: str) -> Subject:
    """nginx that always answers the same: the webhook itself, and the most that can be hoped for."""
    return Subject(
        name,
        lambda place: [*tools.commands["nginx"], "-p", str(place.folder), "-c", str(peerfiles.nginx(place))],
        asked=traffic.pairs(traffic.MOST_ASKED),
        right=passed_on,
        missing=tools.why("nginx"),
    )


def passed_on(_: Pair, status: int, body: bytes) -> bool:
    """Whether this is what the webhook behind a recording proxy answers."""
    try:
        return status == 200 and json.loads(body) == json.loads(traffic.WEBHOOK_ANSWER)
    except ValueError:
        return False


def recorded(pair: Pair, status: int, body: bytes) -> bool:
    """Whether this is what the pair's request was answered when it was recorded."""
    return pair.answers(status, body)


def _record(place: Place) -> list[str]:
    return [
        *(*AIMYPROXY, "record", "bench", "--target", place.webhook, "--listen", f"127.0.0.1:{place.port}"),
        *("--recordings", str(place.folder)),
    ]


def _exchanges(folder: Path) -> int:
    """Counted in the file itself, without the code that is measured."""
    with (folder / "bench/exchanges.json").open("rb") as file:
        return sum(line.startswith(b'"') and line[1:2].isdigit() for line in file)


def _replay(place: Place, pairs: Sequence[Pair]) -> list[str]:
    peerfiles.recording(place.folder / "bench", pairs)
    return [
        *(*AIMYPROXY, "replay", "bench", "--quiet", "--listen", f"127.0.0.1:{place.port}"),
        *("--recordings", str(place.folder)),
    ]


@cache
def _record_has_workers() -> bool:
    return (
        "--workers"
        in subprocess.run([*AIMYPROXY, "record", "--help"], capture_output=True, text=True, check=True).stdout
    )


def _write(tools: Tools, place: Place) -> list[str]:
    command = tools.commands["mitmdump"]
    return [*command, "--mode", f"reverse:{place.webhook}", "-w", "flows", *_mitmproxy_listens(place)]


def _server_replay(tools: Tools, place: Place, pairs: Sequence[Pair]) -> list[str]:
    flows = peerfiles.flows(place.folder / "flows", pairs)
    return [
        *(*tools.commands["mitmdump"], "-q", "--mode", f"reverse:{peerfiles.NOWHERE}", "--server-replay", str(flows)),
        *("--set", "server_replay_reuse=true", "--set", "server_replay_extra=404"),
        *("--set", "connection_strategy=lazy", *_mitmproxy_listens(place)),
    ]


def _mitmproxy_listens(place: Place) -> list[str]:
    return [
        *("--listen-host", "127.0.0.1", "--listen-port", str(place.port), "--set", f"confdir={place.folder}"),
    ]


def _wiremock(tools: Tools, place: Place, pairs: Sequence[Pair] = ()) -> list[str]:
    peerfiles.wiremock_mappings(place.folder / "mappings", pairs)
    # Its journal of requests is what it records from; a replay needs none.
    journal = ["--no-request-journal"] if pairs else []
    return [
        *(*tools.commands["wiremock"], "--port", str(place.port), "--bind-address", "127.0.0.1"),
        *("--root-dir", str(place.folder), "--disable-banner", "--disable-request-logging", *journal),
    ]


def _start_recording(place: Place) -> None:
    request = urllib.request.Request(
        f"http://127.0.0.1:{place.port}/__admin/recordings/start",
        json.dumps({"targetBaseUrl": place.webhook}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10):
        pass


def _mountebank(tools: Tools, place: Place, imposters: Path) -> list[str]:
    return [
        *(*tools.commands["mountebank"], "start", "--host", "127.0.0.1", "--port", str(place.admin_port)),
        *("--localOnly", "--nologfile", "--loglevel", "error", "--noParse", "--configfile", str(imposters)),
        *("--pidfile", str(place.folder / "mb.pid")),
    ]
