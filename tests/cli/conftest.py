from __future__ import annotations

import shlex
import sys

import pytest

from aimyproxy import cli
from aimyproxy.exchange import Body, Failure, Response
from aimyproxy.store.recording import Recording
from tests import builders


@pytest.fixture
def root(tmp_path, monkeypatch):
    """The folder of recordings that commands use."""
    monkeypatch.setenv("AIMYPROXY_RECORDINGS", str(tmp_path / "recordings"))
    monkeypatch.setenv("TZ", "UTC")
    return tmp_path / "recordings"


@pytest.fixture
def shop(root):
    """A recording of four exchanges: two of one user, one of another, one that is no bot's and failed."""
    recording = Recording.create(root / "shop", "https://hook.example.com/bot")
    recording.append(builders.exchange())
    asked = builders.request(action="choose", order={"total": 1})
    recording.append(
        builders.exchange(asked, builders.response({"order": {"total": 2}}), at="2026-11-22T10:16:00.000000Z")
    )
    other = builders.request(userId="vk-40112-pizza-6", channelType="vk", channelId="40112-pizza-vk1")
    page = Response(500, (("Content-Type", "text/html"),), Body.of(b"<h1>Oops\x1b[2J</h1>"))
    recording.append(builders.exchange(other, page, at="2026-11-23T10:00:00.000000Z"))
    get = builders.Request("GET", "/health", (), Body.of(b""))
    recording.append(builders.exchange(get, failure=Failure("timeout", "no answer"), at="2026-11-23T11:00:00.000000Z"))
    recording.close()
    return recording


@pytest.fixture
def aimyproxy(root, capsys):
    """Run a command in this process: `status, out, err = aimyproxy("list")`."""

    def run(*arguments):
        capsys.readouterr()
        status = cli.run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


@pytest.fixture
def editor(monkeypatch, tmp_path):
    """Make $EDITOR a program that replaces text in the file: `editor(old, new)`."""

    def use(old, new):
        script = tmp_path / "editor.py"
        script.write_text(
            "import pathlib, sys\n"
            "path = pathlib.Path(sys.argv[1])\n"
            f"path.write_text(path.read_text(encoding='utf-8').replace({old!r}, {new!r}), encoding='utf-8')\n"
        )
        monkeypatch.delenv("VISUAL", raising=False)
        monkeypatch.setenv("EDITOR", shlex.join([sys.executable, str(script)]))

    return use
