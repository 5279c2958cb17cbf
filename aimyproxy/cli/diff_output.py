"""Where a diff's report goes, and in which formats."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

import click

from aimyproxy.errors import StoreError
from aimyproxy.store import atomic

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from aimyproxy.diff.report import Report

FORMATS: Final = ("text", "json", "markdown", "junit", "html")
_SUFFIXES: Final = {".json": "json", ".md": "markdown", ".xml": "junit", ".html": "html", ".htm": "html"}


def style_of(file: Path) -> str:
    """The format that a file's name asks for."""
    return _SUFFIXES.get(file.suffix.lower(), "text")


def write(report: Report, outputs: Mapping[Path, str], style: str) -> None:
    """Put the report out to these files in their formats, or in this one to standard output, where there are none."""
    from aimyproxy.diff.report_text import render, verdict

    if not outputs:
        # Coloured on a terminal only.
        text = render(report, click.style) if style == "text" else rendered(report, style)
        click.echo(text, nl=False, color=False if os.environ.get("NO_COLOR") else None)
        return
    for output, wanted in outputs.items():
        text = rendered(report, wanted)
        try:
            # It quotes what users said, as the recordings do.
            with open(output, "w", encoding="utf-8", opener=atomic.owner_only) as file:
                file.write(text)
        except OSError as error:
            raise StoreError(f"--output {output} can't be written: {error.strerror}.") from None
    names = [str(output) for output in outputs]
    where = names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]
    click.echo(f"{verdict(report)} The report is in {where}.", err=True)


def rendered(report: Report, style: str) -> str:
    """The report in this format."""
    from aimyproxy.diff import report_html, report_json, report_junit, report_markdown, report_text

    formats: dict[str, Callable[[Report], str]] = {
        "text": report_text.render,
        "json": report_json.render,
        "markdown": report_markdown.render,
        "junit": report_junit.render,
        "html": report_html.render,
    }
    return formats[style](report)
