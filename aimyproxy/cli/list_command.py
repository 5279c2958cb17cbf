"""`aimyproxy list`: what recordings there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from aimyproxy.cli.options import recordings_option
from aimyproxy.cli.output import local_time, say
from aimyproxy.errors import EXIT_OK, EXIT_TROUBLE, AimyproxyError
from aimyproxy.wording import printable, shortened

if TYPE_CHECKING:
    from aimyproxy.store.folder import Overview, RecordingsFolder

_HEADINGS = ("NAME", "EXCHANGES", "FAILED", "MOCKS", "CONVERSATIONS", "FIRST", "LAST", "SIZE", "EVENTS")
_NUMBERS = {"EXCHANGES", "FAILED", "MOCKS", "CONVERSATIONS", "SIZE"}


@click.command("list")
@recordings_option
def command(folder: RecordingsFolder) -> int:
    """List the recordings: exchanges, conversations, span of time, size, events."""
    names = folder.names()
    if not names:
        say(f"There are no recordings in {folder.root}. `aimyproxy demo` makes one, and so does `aimyproxy record`.")
        return EXIT_OK
    rows, status = [], EXIT_OK
    for name in names:
        try:
            rows.append(_row(folder.overview(name)))
        except AimyproxyError as error:
            say(f"{name}: {error}", "red")
            status = EXIT_TROUBLE
    if rows:
        _print_table(rows)
    return status


def _row(overview: Overview) -> tuple[str, ...]:
    events = sorted(overview.events.items(), key=lambda item: -item[1])
    named = [("(none)" if event is None else shortened(event), count) for event, count in events[:6]]
    shown = ", ".join(f"{event} {count}" for event, count in named)
    return (
        overview.name,
        f"{overview.exchanges:,}",
        f"{overview.failures:,}",
        f"{overview.mocks:,}",
        f"{overview.conversations:,}",
        local_time(overview.first, "%Y-%m-%d %H:%M:%S") if overview.first else "-",
        local_time(overview.last, "%Y-%m-%d %H:%M:%S") if overview.last else "-",
        _size(overview.size),
        printable(shown) + (f", and {len(events) - 6} more" if len(events) > 6 else ""),
    )


def _size(count: float) -> str:
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def _print_table(rows: list[tuple[str, ...]]) -> None:
    widths = [max(len(row[column]) for row in [_HEADINGS, *rows]) for column in range(len(_HEADINGS))]
    for row in [_HEADINGS, *rows]:
        cells = [
            cell.rjust(width) if heading in _NUMBERS else cell.ljust(width)
            for cell, width, heading in zip(row, widths, _HEADINGS, strict=True)
        ]
        click.echo("  ".join(cells).rstrip())
