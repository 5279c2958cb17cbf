"""`aimyproxy replay`: answer the bot from a recording, in the place of its webhook."""

from __future__ import annotations

import shlex
from collections import Counter
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

import click

from aimyproxy.cli.options import Url, listen_option, recordings_option, tls_options
from aimyproxy.cli.output import counted, printable, say, shortened
from aimyproxy.errors import EXIT_OK

if TYPE_CHECKING:
    from pathlib import Path

    from aimyproxy.answering.index import Index, Match
    from aimyproxy.answering.journal import Entry
    from aimyproxy.mockserver.onmiss import OnMiss
    from aimyproxy.store.folder import RecordingsFolder


@click.command("replay")
@click.argument("name")
@click.option(
    "--on-miss",
    type=click.Choice(["error", "forward", "empty"]),
    default="error",
    show_default=True,
    help="Where nothing answers: 404 with an explanation, ask the target, or {}.",
)
@click.option("--target", type=Url(), help="The real webhook's URL, for --on-miss forward.")
@click.option(
    "--match",
    type=click.Choice(["exact", "learned", "event"]),
    default="learned",
    show_default=True,
    help="How much to generalise: answer recorded requests only, as the recording teaches, or each event's usual way.",
)
@click.option("--quiet", is_flag=True, help="No line for each answer; misses and trouble still show.")
@listen_option
@tls_options
@recordings_option
def command(
    name: str,
    on_miss: str,
    target: str | None,
    match: Match,
    quiet: bool,
    listen: tuple[str, int],
    cert: Path | None,
    key: Path | None,
    folder: RecordingsFolder,
) -> int:
    """Answer the bot from the recording NAME, in the place of its webhook.

    Mocks answer first, then the same request as recorded, then what the recording teaches about the event; the header
    Aimyproxy-Answer says which. Edits of mocks.json and exchanges.json take effect within a second. Ctrl-C ends it in
    order.
    """
    if key and not cert:
        raise click.UsageError("--key needs --cert, the certificate that belongs to it.")
    missing = _on_miss(on_miss, target)
    recording = folder.open(name)

    from aimyproxy.mockserver.server import Settings, run

    screen = Screen(name, quiet=quiet)
    settings = Settings(listen, match, cert, key, _arguments(name, folder))
    run(settings, recording, missing, screen, screen.listening)
    screen.summary()
    return EXIT_OK


def _on_miss(choice: str, target: str | None) -> OnMiss:
    from aimyproxy.mockserver import onmiss

    if choice != "forward":
        if target:
            raise click.UsageError("--target is for --on-miss forward; leave it out, or choose that.")
        return onmiss.Explain() if choice == "error" else onmiss.Empty()
    if not target:
        raise click.UsageError("--on-miss forward needs --target, the real webhook's URL.")

    from aimyproxy.mockserver.forward import Forward
    from aimyproxy.target import Target

    return Forward(Target.parse(target))


def _arguments(name: str, folder: RecordingsFolder) -> str:
    """How another command names this recording: without `--recordings` where that is the default."""
    usual = folder.root.as_posix() == "recordings"
    return name if usual else shlex.join([name, "--recordings", str(folder.root)])


class Screen:
    """What the user sees of a replay, on standard error."""

    def __init__(self, name: str, *, quiet: bool = False) -> None:
        self._name = name
        self._quiet = quiet
        self._sources: Counter[str] = Counter()

    def listening(self, url: str, index: Index) -> None:
        """Say where the bot has to connect to, and what will answer it."""
        say(f"Listening on {url}, replaying {self._name}: {index.summary()}. Ctrl-C stops.")
        for warning in index.warnings:
            self.trouble(warning)

    def served(self, entry: Entry) -> None:
        """One line a request: time, event, user, status, source, milliseconds; some more where it stays unanswered."""
        self._sources[entry.source.partition(" ")[0]] += 1
        colour = _colour(entry)
        if colour or not self._quiet:
            _say(served_line(entry), colour)
        for line in entry.miss.lines() if entry.miss and entry.source == "miss" else ():
            _say(f"  {line}", colour)

    def news(self, message: str) -> None:
        """Something that the user waits for happened."""
        _say(message, "green")

    def trouble(self, message: str) -> None:
        """Something went wrong, and replay goes on."""
        _say(message, "red")

    def summary(self) -> None:
        """How the requests of this run were answered."""
        total = sum(self._sources.values())
        sources = ", ".join(f"{count} {source}" for source, count in self._sources.most_common())
        say(f"Stopped after {counted(total, 'request')}" + (f": {sources}." if sources else "."))


def _say(text: str, colour: str | None) -> None:
    # A terminal that went away is no reason to leave the bot without its answer.
    with suppress(OSError):
        say(printable(text), colour)


def _colour(entry: Entry) -> str | None:
    if (
        entry.source == "error"
        or " failed: " in entry.source
        or (entry.source == "forward" and (entry.status or 0) >= 500)
    ):
        return "red"
    return "yellow" if entry.source == "miss" else None


def served_line(entry: Entry) -> str:
    """What was served, in one line."""
    event = entry.event if entry.event is not None else f"{entry.request.method} {entry.request.path}"
    user = entry.conversation[2] if entry.conversation else "-"
    parts = [
        datetime.now().astimezone().strftime("%H:%M:%S"),
        f"{shortened(event, 20):<20}",
        f"{shortened(user, 28):<28}",
        str(entry.status or "---"),
        f"{entry.source:<17}",
        f"{entry.milliseconds:>6.1f} ms",
    ]
    return "  ".join(parts)
