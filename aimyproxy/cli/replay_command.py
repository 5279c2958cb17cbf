"""`aimyproxy replay`: answer the bot from a recording, in the place of its webhook."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from aimyproxy.cli.access_options import admin_options, guard_options
from aimyproxy.cli.exposure import warn_of_rights
from aimyproxy.cli.options import Url, listen_option, log_option, recordings_option, tls_options, trust_options
from aimyproxy.cli.output import lines_are_json, say, say_set_aside, saying_aside
from aimyproxy.cli.redaction import Wanted, redaction_options
from aimyproxy.errors import EXIT_OK, InvalidOption, RecordingIncomplete, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from aimyproxy.answering.faults import Faults
    from aimyproxy.answering.fresh import Dice
    from aimyproxy.answering.latency import Latency
    from aimyproxy.answering.serving import AfterLast, Match
    from aimyproxy.cli.access_options import AdminOptions
    from aimyproxy.cli.replay_screen import About, Screen
    from aimyproxy.guard import Guard
    from aimyproxy.keeping.keeper import Keeper
    from aimyproxy.mockserver.onmiss import OnMiss
    from aimyproxy.redaction.redactor import Redactor
    from aimyproxy.store.folder import RecordingsFolder
    from aimyproxy.store.recording import Recording
    from aimyproxy.trust import Trust


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
@trust_options
@click.option("--record", is_flag=True, help="Add what was forwarded to the recording, so that it answers next time.")
@click.option(
    "--match",
    type=click.Choice(["exact", "learned", "event"]),
    default="learned",
    show_default=True,
    help="How much to generalise: answer recorded requests only, as the recording teaches, or each event's usual way.",
)
@click.option(
    "--after-last",
    type=click.Choice(["last", "cycle", "miss"]),
    default="last",
    show_default=True,
    help="Where a user asks more often than any did in the recording: the last answer again, from the first on, none.",
)
@click.option("--fresh", is_flag=True, help="Make timestamps, UUIDs and random values anew instead of as recorded.")
@click.option(
    "--latency",
    default="none",
    show_default=True,
    help="How long answers take: none, recorded, x2 (twice the recorded), 200ms, 100..400ms.",
)
@click.option(
    "--fault",
    "faults",
    envvar="AIMYPROXY_REPLAY_FAULT",
    metavar="EVENT=FAULT",
    multiple=True,
    help="Let an event (* for all) fail: timeout, reset, slow, garbage, empty or a status, and how often if not "
    "always, as in pay=500:30%; repeatable.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed, the same faults and waits.")
@guard_options
@admin_options
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Processes that answer, for machines with several processors; conversations stand where they are in all.",
)
@click.option("--quiet", is_flag=True, help="No line for each answer; misses and trouble still show.")
@listen_option
@tls_options
@redaction_options
@log_option
@recordings_option
@saying_aside()
def command(
    name: str,
    on_miss: str,
    target: str | None,
    trust: Trust,
    record: bool,
    match: Match,
    after_last: AfterLast,
    fresh: bool,
    latency: str,
    faults: tuple[str, ...],
    seed: int,
    guard: Guard | None,
    admin: AdminOptions | None,
    workers: int,
    quiet: bool,
    listen: tuple[str, int],
    cert: Path | None,
    key: Path | None,
    redact: tuple[str, ...],
    no_redact: bool,
    folder: RecordingsFolder,
) -> int:
    """Answer the bot from the recording NAME, in the place of its webhook.

    Mocks answer first, then the same request as recorded, then what the recording teaches about the event; the header
    Aimyproxy-Answer says which. Edits of mocks.json and exchanges.json take effect within a second. Ctrl-C ends it in
    order.
    """
    if key and not cert:
        raise click.UsageError("--key needs --cert, the certificate that belongs to it.")
    if record and on_miss != "forward":
        raise click.UsageError("--record keeps what was forwarded: it needs --on-miss forward and --target.")
    if fresh and match != "learned":
        raise click.UsageError("--fresh needs --match learned: what is noise is learned from the recording.")
    if (redact or no_redact) and not record:
        raise click.UsageError("--redact and --no-redact are for what --record adds to the recording.")
    if workers > 1:
        _check_alone(record=record, admin=admin, guard=guard)
    recording = folder.open(name)

    from aimyproxy.answering.serving import Serving
    from aimyproxy.cli.replay_screen import About, Screen
    from aimyproxy.keeping.keeper import Keeper
    from aimyproxy.mockserver.limits import Limits
    from aimyproxy.mockserver.server import Settings, mock_server
    from aimyproxy.sockets import most_connections

    if record:
        _open(recording)
    redactor = redactor_for(recording, target, guard, Wanted(redact, nothing=no_redact) if record else None)
    screen = Screen(name, quiet=quiet, redactor=redactor)
    keeper = Keeper(recording, screen, redact=redactor.exchange) if redactor else Keeper(recording, screen)
    settings = Settings(
        listen,
        match,
        cert,
        key,
        folder.arguments(name),
        Serving(after_last, _dice() if fresh else None),
        _latency(latency),
        _faults(faults, seed),
        seed,
        admin.address if admin else None,
        admin.token if admin else "",
        guard,
        limits=Limits(connections=most_connections()),
        redactor=redactor,
    )
    missed = on_miss_of(on_miss, target, keeper if record else None, trust)
    if workers > 1:
        from aimyproxy.cli import replay_workers

        log_format = "json" if lines_are_json() else "text"
        # Each has a redactor of its own: what one knows would have to travel to the others.
        alike = replace(settings, redactor=None)
        job = replay_workers.Job(folder.root, name, alike, on_miss, target, trust, quiet, log_format)
        replay_workers.run(workers, job, screen, lambda about: _started(about, screen, seed, admin))
    else:
        growing = _growing(recording, keeper) if record else nullcontext()
        watched = keeper if record else None
        with mock_server(settings, recording, missed, screen, watched) as server, growing:
            server.run(lambda: _started(About.of(server, settings.faults), screen, seed, admin))
    screen.summary(keeper.recorded)
    if keeper.incomplete:
        raise RecordingIncomplete(keeper.incomplete)
    return EXIT_OK


def _check_alone(*, record: bool, admin: AdminOptions | None, guard: Guard | None) -> None:
    """See that nothing is asked for that one process has to do alone; raises UsageError."""
    for asked, option, why in (
        (record, "--record", "one process has to write the recording"),
        (admin, "--admin", "it would know of one process's requests only"),
        (guard and guard.counts, "--rate-limit", "each process would count for itself"),
    ):
        if asked:
            raise click.UsageError(f"{option} needs a single worker, since {why}: leave out --workers.")


def _open(recording: Recording) -> None:
    """Make sure that it can be appended to; raises StoreError where it can't be from the start."""
    if set_aside := recording.open_for_append():
        say_set_aside(recording.path, set_aside)
    warn_of_rights(recording)


def redactor_for(
    recording: Recording, target: str | None, guard: Guard | None, wanted: Wanted | None
) -> Redactor | None:
    """What redacts requests as the recording is, or as the options want where it grows; None where nothing does."""
    from aimyproxy.redaction.targets import secrets_of
    from aimyproxy.store.redacted import redactor_of
    from aimyproxy.target import Target

    redactor = wanted.redactor(recording) if wanted else redactor_of(recording)
    if redactor and target:
        redactor.learn(secrets_of(Target.parse(target)))
    if redactor and guard:
        redactor.learn(guard.secrets)
    return redactor


@contextmanager
def _growing(recording: Recording, keeper: Keeper) -> Iterator[None]:
    """A context in which what is forwarded can be recorded."""
    with keeper.running():
        yield
    # What is wrong with the disk the keeper knows by now.
    with suppress(StoreError):
        recording.close()


def _started(about: About, screen: Screen, seed: int, admin: AdminOptions | None) -> None:
    screen.listening(about)
    if admin:
        admin.tell(about.admin_url)
    if about.failing:
        lines = [f"  The recording has no event {event!r}." for event in about.unknown]
        say(f"Faults are on, with --seed {seed}.", "yellow", "warning", details=lines)


def _dice() -> Dice:
    from aimyproxy.answering.fresh import Dice

    return Dice()


def _latency(given: str) -> Latency:
    """The latency of `--latency`; raises InvalidOption."""
    from aimyproxy.answering.latency import Latency

    try:
        return Latency.parse(given)
    except InvalidOption as error:
        raise InvalidOption(f"--latency: {error}") from None


def _faults(given: tuple[str, ...], seed: int) -> Faults:
    """The faults of `--fault`; raises InvalidOption."""
    from aimyproxy.answering.faults import Fault, Faults

    rules = []
    for one in given:
        event, equals, fault = one.rpartition("=")
        if not (event and equals):
            raise InvalidOption(f"--fault {one!r} has to be EVENT=FAULT, for example pay=timeout or *=500:10%.")
        try:
            rules.append((event, Fault.parse(fault)))
        except InvalidOption as error:
            raise InvalidOption(f"--fault {one!r}: {error}") from None
    return Faults(rules, seed)


def on_miss_of(choice: str, target: str | None, keeper: Keeper | None, trust: Trust) -> OnMiss:
    from aimyproxy.mockserver import onmiss

    if choice != "forward":
        if target:
            raise click.UsageError("--target is for --on-miss forward; leave it out, or choose that.")
        if trust.ca or trust.insecure:
            raise click.UsageError("--ca and --insecure are for --on-miss forward; leave them out, or choose that.")
        return onmiss.Explain() if choice == "error" else onmiss.Empty()
    if not target:
        raise click.UsageError("--on-miss forward needs --target, the real webhook's URL.")

    from aimyproxy.mockserver.forward import Forward
    from aimyproxy.target import Target

    return Forward(Target.parse(target), keeper=keeper, trust=trust)
