"""`aimyproxy diff`: compare a recording with another one, or with what a live candidate answers."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aimyproxy.cli.options import Url, recordings_option
from aimyproxy.errors import InvalidDocument, InvalidOption, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from aimyproxy.diff.report import Report
    from aimyproxy.diff.rules import Told
    from aimyproxy.diff.run import LiveOptions
    from aimyproxy.jsonvalue import JSON
    from aimyproxy.store.folder import RecordingsFolder


@click.command("diff")
@click.argument("baseline")
@click.argument("candidate", required=False)
@click.option("--target", type=Url(), help="Send BASELINE's requests to this webhook and compare what it answers.")
@click.option(
    "--event",
    "events",
    multiple=True,
    metavar="EVENT",
    envvar="AIMYPROXY_DIFF_EVENT",
    help="Only this event; may be repeated.",
)
@click.option(
    "--format",
    "style",
    type=click.Choice(["text", "json", "markdown", "junit"]),
    default="text",
    show_default=True,
    envvar="AIMYPROXY_DIFF_FORMAT",
    help="For people, programs, pull requests, CI servers.",
)
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write the report to this file.")
@click.option("--save", metavar="NAME", help="With --target: keep what came back as a recording of this name.")
@click.option(
    "--concurrency",
    type=click.IntRange(1, 1000),
    default=8,
    show_default=True,
    help="With --target: conversations side by side.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(0, min_open=True),
    default=30.0,
    show_default=True,
    help="With --target: seconds to wait for each answer.",
)
@click.option("--ignore", metavar="PATH", multiple=True, help="Leave this out, as $.order.id or $..id; repeatable.")
@click.option("--only", metavar="PATH", multiple=True, help="Look at this alone; repeatable.")
@click.option(
    "--tolerance", metavar="PATH=AMOUNT", multiple=True, help="Let numbers differ by 0.01, or times by 1s; repeatable."
)
@click.option(
    "--key", metavar="PATH=MEMBER", multiple=True, help="Tell an array's elements apart by this member; repeatable."
)
@click.option(
    "--set",
    "sets",
    metavar="PATH",
    multiple=True,
    envvar="AIMYPROXY_DIFF_SET",
    help="Take an array for a set; repeatable.",
)
@recordings_option
def command(
    folder: RecordingsFolder,
    baseline: str,
    candidate: str | None,
    target: str | None,
    events: tuple[str, ...],
    style: str,
    output: Path | None,
    save: str | None,
    concurrency: int,
    timeout: float,
    ignore: tuple[str, ...],
    only: tuple[str, ...],
    tolerance: tuple[str, ...],
    key: tuple[str, ...],
    sets: tuple[str, ...],
) -> int:
    """What would another version of the webhook change for the bot's users?

    Compares the recordings BASELINE and CANDIDATE, or BASELINE with what the webhook at --target answers to the same
    requests. They are sent with the header `Aimyproxy-Replay: 1`, so that a webhook can skip mails and payments.

    \b
    Answers are compared by what they do to the bot's variables, by status and by failure. Where the baseline
    differs from itself, a change is noise: it is listed at the end and not counted. Paths are JSONPaths that begin
    at the variables; what is told of them for every diff is kept in the baseline's diff.json.

    \b
    Exit status: 0 the same (noise aside), 1 different, 2 trouble (some requests could not be sent, nothing to
    compare), 130 interrupted; what was compared until then is reported.
    """
    from aimyproxy.diff.run import LiveOptions

    if (candidate is None) == (target is None):
        raise click.UsageError("Name either a second recording to compare with, or a webhook by --target URL.")
    if save is not None and target is None:
        raise click.UsageError("--save keeps what a webhook answers: it needs --target URL.")
    if output is not None and not output.absolute().parent.is_dir():
        raise click.UsageError(f"--output {output}: there is no folder {output.absolute().parent}.")
    told = _told({"--ignore": ignore, "--only": only, "--set": sets}, {"--tolerance": tolerance, "--key": key})
    options = LiveOptions(concurrency, timeout, save)
    report = diff(folder, baseline, candidate, target, events, options, told)
    write(report, style, output)
    return report.exit_status


def _told(flags: dict[str, tuple[str, ...]], assignments: dict[str, tuple[str, ...]]) -> Told:
    """The rules of these options by path; raises InvalidOption."""
    from aimyproxy.diff.rules import Rules

    told: dict[str, dict[str, JSON]] = {}
    for option, given in (flags | assignments).items():
        for one in given:
            path, assigned, value = one.rpartition("=") if option in assignments else (one, "=", "")
            if not assigned:
                raise InvalidOption(f"{option} {one}: write the path, = and a value, as $.total=0.01.")
            rule: dict[str, JSON] = {option.removeprefix("--"): value if option in assignments else True}
            try:
                Rules.parse({path: rule})
            except InvalidDocument as error:
                raise InvalidOption(f"{option} {one}: {error}.") from None
            told.setdefault(path, {}).update(rule)
    return told


def diff(
    folder: RecordingsFolder,
    baseline: str,
    candidate: str | None,
    target: str | None,
    events: tuple[str, ...],
    options: LiveOptions,
    told: Told,
) -> Report:
    """The report on two recordings, or on one and the webhook at `target`; raises AimyproxyError."""
    from aimyproxy.diff.run import diff_live, diff_recordings, rules_of
    from aimyproxy.target import Target

    recording = folder.open(baseline)
    rules = rules_of(recording, told)
    if target is None:
        return diff_recordings(recording, folder.open(candidate or ""), events, rules)
    with _progress() as progress:
        return diff_live(folder, recording, Target.parse(target), events, options, progress, rules)


def write(report: Report, style: str, output: Path | None) -> None:
    """Put the report out in this format: to the file, or to standard output, coloured on a terminal only."""
    from aimyproxy.diff.report_text import render, verdict

    if output is None:
        text = render(report, click.style) if style == "text" else _rendered(report, style)
        click.echo(text, nl=False, color=False if os.environ.get("NO_COLOR") else None)
        return
    try:
        output.write_text(_rendered(report, style), encoding="utf-8")
    except OSError as error:
        raise StoreError(f"--output {output} can't be written: {error.strerror}.") from None
    click.echo(f"{verdict(report)} The report is in {output}.", err=True)


def _rendered(report: Report, style: str) -> str:
    from aimyproxy.diff import report_json, report_junit, report_markdown, report_text

    formats: dict[str, Callable[[Report], str]] = {
        "text": report_text.render,
        "json": report_json.render,
        "markdown": report_markdown.render,
        "junit": report_junit.render,
    }
    return formats[style](report)


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None] | None]:
    """A count of answers on a terminal, gone when the work is done."""
    if not sys.stderr.isatty():
        yield None
        return
    try:
        yield lambda done, planned: click.echo(f"\r{done} of {planned} requests answered", nl=False, err=True)
    finally:
        click.echo("\r\x1b[K", nl=False, err=True)
