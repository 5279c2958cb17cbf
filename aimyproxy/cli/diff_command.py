"""`aimyproxy diff`: compare a recording with another one, or with what a live candidate answers."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from aimyproxy.cli.diff_options import Share, gate_options, live_options, rule_options, scope_options
from aimyproxy.cli.diff_output import FORMATS, style_of, write
from aimyproxy.cli.exposure import warn_of_trust
from aimyproxy.cli.options import Url, recordings_option
from aimyproxy.cli.redaction import redaction_options
from aimyproxy.errors import EXIT_OK, InvalidDocument, InvalidOption

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from aimyproxy.answering.questions import Questions
    from aimyproxy.cli.redaction import Wanted
    from aimyproxy.diff.answers import Scope
    from aimyproxy.diff.gate import Gate
    from aimyproxy.diff.live import LiveOptions, Redaction
    from aimyproxy.diff.rules import Told
    from aimyproxy.diff.selection import Selection
    from aimyproxy.exchange import Exchange
    from aimyproxy.jsonvalue import JSON
    from aimyproxy.store.folder import RecordingsFolder
    from aimyproxy.store.recording import Recording
    from aimyproxy.target import Target

_SECONDS: Final = 0.1
_WIDTH: Final = 20


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
    help="Only this event; repeatable.",
)
@click.option(
    "--user",
    "users",
    multiple=True,
    metavar="ID",
    envvar="AIMYPROXY_DIFF_USER",
    help="Only the user of this userId; repeatable.",
)
@click.option(
    "--sample", type=Share(), metavar="SHARE", default="100%", help="Only this share of conversations, as 10%."
)
@click.option(
    "--format",
    "style",
    type=click.Choice(FORMATS),
    envvar="AIMYPROXY_DIFF_FORMAT",
    help="For people, programs, pull requests, CI servers. By default what a file's name says, else text.",
)
@click.option(
    "--output",
    "outputs",
    type=click.Path(dir_okay=False, path_type=Path),
    multiple=True,
    envvar="AIMYPROXY_DIFF_OUTPUT",
    help="Write the report to this file; repeatable, in as many formats.",
)
@live_options
@scope_options
@rule_options
@gate_options
@redaction_options
@recordings_option
def command(
    folder: RecordingsFolder,
    baseline: str,
    candidate: str | None,
    target: str | None,
    events: tuple[str, ...],
    users: tuple[str, ...],
    sample: float,
    style: str | None,
    outputs: tuple[Path, ...],
    live: LiveOptions,
    dry_run: bool,
    scope: Scope,
    rules: dict[str, tuple[str, ...]],
    gate: Gate,
    wanted: Wanted,
) -> int:
    """What would another version of the webhook change for the bot's users?

    Compares the recordings BASELINE and CANDIDATE, or BASELINE with what the webhook at --target answers to the same
    requests. They are sent with the header `Aimyproxy-Replay: 1`, so that a webhook can skip mails and payments.

    \b
    Answers are compared by what they do to the bot's variables, by status and by failure. What the baseline also
    shows against itself is noise: it is listed at the end and not counted. Paths are JSONPaths that begin
    at the variables; what is told of them for every diff is kept in the baseline's diff.json.

    \b
    Exit status: 0 the same (noise aside), 1 different, 2 trouble (some requests could not be sent, nothing to
    compare), 130 interrupted; what was compared until then is reported.
    """
    from aimyproxy.diff.live import diff_live
    from aimyproxy.diff.run import Terms, diff_recordings, rules_of
    from aimyproxy.diff.selection import Selection
    from aimyproxy.target import Target

    if (candidate is None) == (target is None):
        raise click.UsageError("Name either a second recording to compare with, or a webhook by --target URL.")
    for output in outputs:
        if not output.absolute().parent.is_dir():
            raise click.UsageError(f"--output {output}: there is no folder {output.absolute().parent}.")
    selection = Selection(events, users, sample)
    if dry_run and target is not None:
        click.echo(planned(folder, baseline, target, selection, live))
        return EXIT_OK
    recording = folder.open(baseline)
    warn_of_trust(live.trust)
    terms = Terms(selection, rules_of(recording, _told(rules)), gate, scope, verbose=scope.context, learn=_learned)
    with _progress() as progress:
        if target is None:
            report = diff_recordings(recording, folder.open(candidate or ""), terms, progress)
        else:
            redaction = _redaction(recording, wanted, live, Target.parse(target))
            report = diff_live(folder, recording, Target.parse(target), live, progress, terms, redaction)
    write(report, {output: style or style_of(output) for output in outputs}, style or "text")
    return report.exit_status


def _learned(recording: Recording) -> Questions:
    """What the answers of a recording depend on."""
    from aimyproxy.answering.questions import Questions
    from aimyproxy.mockserver.source import load

    return Questions(load(recording, "learned").models())


def _redaction(recording: Recording, wanted: Wanted, live: LiveOptions, target: Target) -> Redaction:
    """Fresh answers are redacted as the baseline is; what is saved, as the options want besides."""
    from functools import partial

    from aimyproxy.diff.live import Redaction
    from aimyproxy.redaction.targets import secrets_of
    from aimyproxy.store.redacted import redactor_of, standing_of

    targets = [target, *([live.against] if live.against else [])]
    rules, redactor = standing_of(recording).rules, redactor_of(recording)
    known = [secret for one in targets for secret in secrets_of(one)]
    if redactor:
        redactor.learn(known)

    def saving(saved: Recording) -> Callable[[Exchange], Exchange]:
        saver = wanted.redactor(saved, like=recording)
        if saver is None:
            return lambda exchange: exchange
        saver.learn(known)
        return saver.exchange if rules is None else partial(saver.further, rules=rules)

    return Redaction(redactor.answer, saving) if redactor else Redaction(saving=saving)


def _told(given: dict[str, tuple[str, ...]]) -> Told:
    """The rules of these options by path; raises InvalidOption."""
    from aimyproxy.diff.rules import Rules

    told: dict[str, dict[str, JSON]] = {}
    for name, values in given.items():
        for one in values:
            assigns = name in ("tolerance", "key")
            path, assigned, value = one.rpartition("=") if assigns else (one, "=", "")
            if not assigned:
                raise InvalidOption(f"--{name} {one}: write the path, = and a value, as $.total=0.01.")
            rule: dict[str, JSON] = {name: value if assigns else True}
            try:
                Rules.parse({path: rule})
            except InvalidDocument as error:
                raise InvalidOption(f"--{name} {one}: {error}.") from None
            told.setdefault(path, {}).update(rule)
    try:
        Rules.parse(told)
    except InvalidDocument as error:
        raise InvalidOption(f"{error}.") from None
    return told


def planned(folder: RecordingsFolder, baseline: str, target: str, selection: Selection, live: LiveOptions) -> str:
    """What a diff against this target would send, in words."""
    from aimyproxy.diff.live import survey
    from aimyproxy.diff.run import Terms
    from aimyproxy.diff.wording import event_shown, plural
    from aimyproxy.target import Target

    recording = folder.open(baseline)
    found = survey(recording, Terms(selection))
    selection.check(found.events, found.chosen.total(), f"{recording.name} has")
    total = found.chosen.total()
    repeats = f", each {live.repeat} times" if live.repeat > 1 else ""
    pace = f", at most {live.rate:g} a second" if live.rate else ""
    mark = f"with the header {live.mark}: 1" if live.mark else "with no header that marks them"
    sending = (
        f"Would send {plural(total, 'request')} of {plural(found.conversations, 'conversation')} to "
        f"{Target.parse(target).display}{repeats}, {live.concurrency} side by side{pace}, {mark}. Nothing was sent."
    )
    by_name = sorted(found.chosen.items(), key=lambda counted: (-counted[1], counted[0] or ""))
    return "\n".join([sending, *(f"  {event_shown(event)}: {number}" for event, number in by_name)])


class _Bar:
    """How far a diff has come, how fast it is, and how long it will take."""

    def __init__(self) -> None:
        self._begun = self._shown = time.monotonic()

    def show(self, done: int, planned: int) -> None:
        now = time.monotonic()
        if now - self._shown < _SECONDS and done not in (1, planned):
            return
        self._shown = now
        rate = done / max(now - self._begun, 1e-3)
        left = f"{rate:,.0f} a second, {(planned - done) / rate:,.0f} s left"
        filled = _WIDTH * done // max(planned, 1)
        bar = "█" * filled + "░" * (_WIDTH - filled)
        click.echo(f"\r\x1b[K{bar} {done} of {planned} compared, {left}", nl=False, err=True)


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None] | None]:
    """A count of answers on a terminal, gone when the work is done."""
    if not sys.stderr.isatty():
        yield None
        return
    try:
        yield _Bar().show
    finally:
        click.echo("\r\x1b[K", nl=False, err=True)
