from __future__ import annotations

import re

import pytest

from aimyproxy import cli
from tests import readme


def test_every_example_prints_what_the_readme_shows(tmp_path):
    """Times, durations and sizes aside; run in the order of the page, in a folder with the sample recording."""
    for shown, real in zip(readme.blocks(), readme.really(tmp_path), strict=True):
        assert [readme.alike(line) for line in shown] == [readme.alike(line) for line in real]


def test_the_example_test_is_the_one_that_runs():
    """Word for word."""
    assert f"```python\n{readme.EXAMPLE.read_text(encoding='utf-8')}```" in readme.README.read_text(encoding="utf-8")


def test_the_two_commands_are_there():
    """They are all the set-up that a new machine needs."""
    text = readme.README.read_text()
    assert "pip install uv && uv run aimyproxy demo" in text
    assert "\nuv run pytest\n" in text


@pytest.mark.parametrize("name", cli._COMMANDS)
def test_every_command_is_explained(name):
    """By its name and with its real options."""
    text = readme.README.read_text()
    assert f"`aimyproxy {name}" in text
    options = {option for param in cli.cli.get_command(None, name).params for option in param.opts if "--" in option}
    for named in re.findall(rf"^\| `aimyproxy {name}.*$", text, re.M):
        assert set(re.findall(r"(--[a-z-]+)", named)) <= options
