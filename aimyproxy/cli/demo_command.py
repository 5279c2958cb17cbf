"""`aimyproxy demo`: the whole loop on this machine, told as a story on standard output."""

from __future__ import annotations

import textwrap
import unicodedata
from typing import TYPE_CHECKING, Final

import click

from aimyproxy.cli.options import recordings_option
from aimyproxy.errors import EXIT_OK

if TYPE_CHECKING:
    from aimyproxy.store.folder import RecordingsFolder

_WIDTH: Final = 88
_INDENT: Final = "   "


@click.command("demo")
@recordings_option
def command(folder: RecordingsFolder) -> int:
    """Show the whole loop: record, replay, diff.

    Starts a sample webhook and a simulated bot on this machine, records them, replays the recording to new users and
    compares two versions of the webhook. Needs nothing else and leaves a recording to explore.
    """
    from aimyproxy.demo.story import tell

    tell(folder, Page())
    return EXIT_OK


class Page:
    """The story on standard output; coloured only where that is a terminal."""

    def __init__(self) -> None:
        self._steps = 0
        # What was written last: blank lines stand before a step and after a command's output.
        self._last = ""

    def step(self, title: str) -> None:
        """A numbered heading."""
        self._steps += 1
        self._begin("step")
        click.secho(f"{self._steps}. {title}", bold=True)

    def text(self, sentences: str) -> None:
        """A paragraph, indented below its step."""
        self._begin("text")
        indent = _INDENT if self._steps else ""
        click.echo(textwrap.fill(sentences, _WIDTH, initial_indent=indent, subsequent_indent=indent))

    def command(self, spelled: str) -> None:
        """A command, in one line however long, so that it can be copied."""
        self._begin("command")
        click.secho(f"{_INDENT}$ {spelled}", fg="cyan")

    def output(self, text: str) -> None:
        """What the command above printed."""
        self._begin("output")
        for line in text.strip("\n").splitlines():
            click.echo(f"{_INDENT}  {line}".rstrip())

    def table(self, rows: list[tuple[str, ...]]) -> None:
        """Columns as wide as their widest cell."""
        self._begin("table")
        widths = [max(_width(cell) for cell in column) for column in zip(*rows, strict=True)]
        for row in rows:
            cells = (cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True))
            click.echo((f"{_INDENT}  " + "  ".join(cells)).rstrip())

    def _begin(self, kind: str) -> None:
        if (kind == "step" and self._last) or self._last == "output":
            click.echo()
        self._last = kind


def _width(text: str) -> int:
    """Columns of a terminal that the text takes."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)
