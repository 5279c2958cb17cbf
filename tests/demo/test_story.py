"""The story's parts that need no processes, and its failures. The whole of it is in tests/e2e/test_demo.py."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aimyproxy.demo import story
from aimyproxy.demo.processes import StepFailed
from aimyproxy.errors import InvalidName, StoreError
from aimyproxy.store.folder import RecordingsFolder
from tests import builders


class Told:
    """A teller that remembers."""

    def __init__(self) -> None:
        self.lines: list[Any] = []

    def step(self, title: str) -> None:
        self.lines.append(title)

    text = command = output = step

    def table(self, rows: list[tuple[str, ...]]) -> None:
        self.lines += rows


@pytest.fixture
def folder(tmp_path: Path) -> RecordingsFolder:
    return RecordingsFolder(tmp_path / "recordings")


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UV_RUN_RECURSION_DEPTH", raising=False)
    monkeypatch.delenv("AIMYPROXY_RECORDINGS", raising=False)


def stage(folder: RecordingsFolder) -> story._Stage:
    return story._Stage(Told(), folder, "demo", 5000)


def test_takes_the_first_free_name(folder: RecordingsFolder) -> None:
    """Existing folders keep their names, recordings or not."""
    for name in ("demo", "demo-2"):
        folder.path(name).mkdir(parents=True)
    with story._reserved_name(folder) as name:
        assert name == "demo-3"
        assert folder.path(name).is_dir()


def test_leaves_no_empty_folder(folder: RecordingsFolder) -> None:
    """A name for which nothing was recorded is free again; what was recorded stays."""
    with pytest.raises(InvalidName), story._reserved_name(folder):
        raise InvalidName
    assert not folder.path("demo").exists()
    with story._reserved_name(folder) as name:
        (folder.path(name) / "exchanges.json").touch()
    assert folder.exists("demo")


def test_a_file_for_a_folder_is_an_error(tmp_path: Path) -> None:
    """Where no recording can be made, the error says where."""
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="file is no folder"):
        story.tell(RecordingsFolder(tmp_path / "file"), Told())
    with pytest.raises(StoreError, match="below is no folder"):
        story.tell(RecordingsFolder(tmp_path / "file" / "below"), Told())


def test_commands_are_spelled_as_the_user_would(folder: RecordingsFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Arguments are quoted; `--recordings` and `uv run` stand where the user needs them."""
    here = stage(folder)
    assert here.spelled("list") == f"aimyproxy list --recordings {folder.root}"
    monkeypatch.setenv("AIMYPROXY_RECORDINGS", str(folder.root))
    assert here.spelled("mock", "--answer", '{"a": 1}') == """aimyproxy mock --answer '{"a": 1}'"""
    monkeypatch.delenv("AIMYPROXY_RECORDINGS")
    monkeypatch.setenv("UV_RUN_RECURSION_DEPTH", "1")
    assert stage(RecordingsFolder(Path("recordings"))).spelled("list") == "uv run aimyproxy list"


def test_a_failing_command_is_named(folder: RecordingsFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error shows which command failed and what it printed; nothing stays behind."""
    broken = ["-c", "raise SystemExit('boom')"]
    monkeypatch.setattr(story._Stage, "_arguments", lambda *_: broken)
    with pytest.raises(StepFailed, match=r"(?s)`aimyproxy record demo --target http://127.0.0.1:\d+ --listen .*boom"):
        story.tell(folder, Told())
    assert list(folder.root.iterdir()) == []


def test_a_refused_request_fails_the_step() -> None:
    """A status other than 200 while recording is told with its event and body."""
    refused = builders.exchange(answered=builders.response({"error": "bad gateway"}, status=502))
    with pytest.raises(StepFailed, match=r"`record` gave the bot status 502 for start\. It printed:\n.*bad gateway"):
        story._check_statuses("record", [builders.exchange(), refused])


def test_rows_show_what_the_bot_says() -> None:
    """A row holds channel, name, event, what was said, the bot's words and where they came from."""
    row = ("telegram", "Иван", "start", "«Хочу пиццу 🍕»", "→ «Привет»", "unknown")
    assert story._row(builders.exchange()) == row
    silent = builders.exchange(answered=builders.response([1]))
    assert story._what_came_back(silent) == ("start", "(no object)", "")


def test_answers_are_counted_by_their_source() -> None:
    """The header's first word tells where an answer came from."""
    answered = builders.response({})
    one = replace(answered, headers=(("Aimyproxy-Answer", "exact; exchange=1"),))
    other = replace(answered, headers=(("aimyproxy-answer", "exact; exchange=2"),))
    exchanges = [builders.exchange(answered=response) for response in (one, answered, other)]
    assert story._sources(exchanges) == "2 exact, 1 unknown"
