"""The story's page: numbered, aligned, plain where it is no terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import pytest

from aimyproxy.cli.demo_command import Page

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result


@pytest.fixture
def shown() -> Callable[..., str]:
    from click.testing import CliRunner

    def show(*calls: tuple[str, object], color: bool = False) -> str:
        @click.command()
        def tell() -> None:
            page = Page()
            for method, argument in calls:
                getattr(page, method)(argument)

        result: Result = CliRunner().invoke(tell, color=color, catch_exceptions=False)
        return result.stdout

    return show


def test_steps_are_numbered(shown: Callable[..., str]) -> None:
    """Steps count from 1, and a blank line stands between them."""
    assert shown(("step", "Record"), ("step", "Replay")) == "1. Record\n\n2. Replay\n"


def test_columns_are_aligned(shown: Callable[..., str]) -> None:
    """Every column is as wide as its widest cell, wide characters counting twice."""
    table = shown(("table", [("Мария", "start", "x"), ("🍕", "bye", "")]))
    assert table == "     Мария  start  x\n     🍕     bye\n"
    assert shown(("table", [])) == ""


def test_paragraphs_are_wrapped_and_commands_are_not(shown: Callable[..., str]) -> None:
    """A command stays in one line, so that it can be copied."""
    long = "word " * 40
    lines = shown(("step", "Record"), ("text", long)).splitlines()[1:]
    assert len(lines) > 1
    assert all(line.startswith("   word") and len(line) <= 88 for line in lines)
    assert shown(("command", long)).splitlines() == [f"   $ {long}"]


def test_output_is_indented(shown: Callable[..., str]) -> None:
    """What a command printed stands below it, blank lines within it stay; one stands after it."""
    assert shown(("output", "a"), ("text", "b")) == "     a\n\nb\n"
    assert shown(("output", "\na\n\n  b\n")) == "     a\n\n       b\n"


def test_colour_is_for_terminals(shown: Callable[..., str]) -> None:
    """No escape sequence where the output is no terminal."""
    assert "\x1b" not in shown(("step", "Record"), ("command", "x"))
    assert "\x1b" in shown(("step", "Record"), color=True)
