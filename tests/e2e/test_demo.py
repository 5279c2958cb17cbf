"""`aimyproxy demo` as its users run it."""

from __future__ import annotations

import os
import re
import signal
import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from aimyproxy.demo import bot, shop
from aimyproxy.store.folder import RecordingsFolder
from tests import processes

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow


@pytest.fixture
def environment() -> Iterator[dict[str, str]]:
    """An environment with a mark in it; afterwards no process that was started with the mark is left."""
    mark = f"AIMYPROXY_TESTS_MARK={uuid.uuid4()}"
    # The demo keeps AIMYPROXY_… from what it starts.
    mark = mark.removeprefix("AIMYPROXY_")
    name, _, value = mark.partition("=")
    yield {**os.environ, name: value}
    assert _marked(mark) == []


def _marked(mark: str) -> list[str]:
    if sys.platform != "linux":
        return []
    return [str(process) for process in Path("/proc").glob("[0-9]*") if mark.encode() in _environment_of(process)]


def _environment_of(process: Path) -> bytes:
    try:
        return (process / "environ").read_bytes()
    except OSError:
        return b""


def test_the_whole_story(tmp_path: Path, environment: dict[str, str]) -> None:
    """The demo records, replays and diffs for real, and leaves a complete recording and no process."""
    taken = tmp_path / "demo"
    taken.mkdir()
    (taken / "exchanges.json").write_text("mine")

    demo = processes.run("demo", "--recordings", tmp_path, env=environment, fork=False)

    told = "\n".join(demo.stdout)
    assert demo.process.returncode == 0, "\n".join([told, *demo.stderr])
    assert "\x1b" not in told
    assert [line[:2] for line in demo.stdout if re.match(r"\d\. ", line)] == ["1.", "2.", "3.", "4.", "5."]
    for command in (
        "record demo-2 --target http://",
        "replay demo-2 --listen 127.0.0.1:",
        "diff demo-2 --target http://",
        "show demo-2 1",
    ):
        assert re.search(rf"\$ (uv run )?aimyproxy {command}", told)
    for event, variable in shop.CHANGES:
        assert re.search(rf"\b{event}\b.*\$\.{variable}\b", told), f"{event} {variable}"
    assert "154 of 154 answers as recorded" in " ".join(told.split())
    assert re.search(r"Мария +start +«/start» +→ «\S+, \S+!»", told)
    assert (taken / "exchanges.json").read_text() == "mine"
    overview = RecordingsFolder(tmp_path).overview("demo-2")
    assert overview.exchanges == sum(len(one.screens) for one in bot.conversations())
    assert (overview.conversations, overview.failures) == (20, 0)


@pytest.mark.parametrize(
    ("number", "moment"),
    [(signal.SIGINT, r"\$ .*aimyproxy record"), (signal.SIGTERM, r"2\. Replay"), (signal.SIGHUP, r"\$ .* diff")],
)
def test_interrupted(tmp_path: Path, environment: dict[str, str], number: signal.Signals, moment: str) -> None:
    """Ctrl-C, a kill and a closed terminal end the demo and all that it started, whenever they come."""
    with processes.aimyproxy("demo", "--recordings", tmp_path, env=environment, fork=False) as demo:
        demo.wait_for(moment)
        assert demo.stop(number) == 130
    assert "".join(demo.stderr) == "Interrupted."


def test_a_failing_step_is_told(tmp_path: Path, environment: dict[str, str]) -> None:
    """Where nothing can be recorded, the demo says so and ends with status 2."""
    (tmp_path / "file").touch()
    demo = processes.run("demo", "--recordings", tmp_path / "file" / "below", env=environment, fork=False)
    assert demo.process.returncode == 2
    assert demo.stderr[0].startswith("Error: ")
