"""`aimyproxy replay`: answer the bot from a recording, in the place of its webhook."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from aimyproxy import garbage
from aimyproxy.cli.access_options import admin_options, guard_options
from aimyproxy.cli.answer_options import answer_options
from aimyproxy.cli.exposure import warn_of_access, warn_of_rights
from aimyproxy.cli.keeping_options import keeping_options
from aimyproxy.cli.miss_options import miss_options
from aimyproxy.cli.options import check_alone, listen_option, log_option, recordings_option, tls_options
from aimyproxy.cli.output import lines_are_json, say, say_set_aside, saying_aside
from aimyproxy.cli.redaction import redaction_options, secrets_told
from aimyproxy.errors import EXIT_OK

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from aimyproxy.cli.access_options import AdminOptions
    from aimyproxy.cli.answer_options import Answering
    from aimyproxy.cli.keeping_options import Keeping
    from aimyproxy.cli.miss_options import Missing
    from aimyproxy.cli.redaction import Wanted
    from aimyproxy.cli.replay_screen import About, Screen
    from aimyproxy.guard import Guard
    from aimyproxy.keeping.keeper import Keeper
    from aimyproxy.redaction.redactor import Redactor
    from aimyproxy.store.folder import RecordingsFolder
    from aimyproxy.store.recording import Recording
    from aimyproxy.store.redacting import Redacting


@click.command("replay")
@click.argument("name")
@miss_options
@keeping_options
@answer_options
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
@garbage.not_looked_for()
def command(
    name: str,
    missing: Missing,
    keeping: Keeping,
    answering: Answering,
    guard: Guard | None,
    admin: AdminOptions | None,
    workers: int,
    quiet: bool,
    listen: tuple[str, int],
    cert: Path | None,
    key: Path | None,
    wanted: Wanted,
    folder: RecordingsFolder,
) -> int:
    """Answer the bot from the recording NAME, in the place of its webhook.

    Mocks answer first, then the same request as recorded, then what the recording teaches about the event; the header
    Aimyproxy-Answer says which. Edits of mocks.json and exchanges.json take effect within a second. Ctrl-C ends it in
    order.
    """
    whys = {
        "record": "one process has to write the recording",
        "admin": "it would know of one process's requests only",
        "seed": "each process throws dice of its own",
    }
    check_alone(workers, whys)
    recording = folder.open(name)

    from aimyproxy.cli.replay_screen import About, Screen
    from aimyproxy.mockserver.limits import Limits
    from aimyproxy.mockserver.server import Settings, mock_server
    from aimyproxy.sockets import most_connections

    if missing.record:
        _open(recording)
    secrets = secrets_told(guard, missing.target)
    redacting = wanted.redacting(recording, secrets) if missing.record else None
    redactor = redacting.redactor if redacting else redactor_for(recording, secrets)
    screen = Screen(name, quiet=quiet, redactor=redactor)
    settings = Settings(
        listen,
        answering.match,
        cert,
        key,
        folder.arguments(name),
        answering.serving,
        answering.latency,
        answering.faults,
        answering.seed,
        admin.address if admin else None,
        admin.token if admin else "",
        guard,
        limits=Limits(connections=most_connections()),
        redactor=redactor,
    )

    def listening(about: About) -> None:
        garbage.looked_for()
        screen.listening(about)
        warn_of_access(listen, guard, missing.trust)
        if admin:
            admin.tell(about.admin_url)
        _tell_faults(about, answering.seed)

    if workers > 1:
        from aimyproxy.cli import replay_workers

        log_format = "json" if lines_are_json() else "text"
        # Each has a redactor of its own: what one knows would have to travel to the others.
        alike = replace(settings, redactor=None)
        job = replay_workers.Job(folder.root, name, alike, missing, quiet, log_format)
        replay_workers.run(workers, job, screen, listening)
        screen.summary(0)
        return EXIT_OK
    keeper = _keeper(recording, screen, keeping, redacting) if redacting else None

    def stop() -> None:
        server.stop()

    missed = missing.on_miss(keeper, stop if keeping.strict else None)
    growing = _growing(keeper) if keeper else nullcontext()
    with mock_server(settings, recording, missed, screen, keeper) as server, growing:
        server.run(lambda: listening(About.of(server, settings.faults)))
    screen.summary(keeper.recorded if keeper else 0)
    if keeper:
        keeping.check(keeper)
    return EXIT_OK


def _open(recording: Recording) -> None:
    """Make sure that it can be appended to; raises StoreError where it can't be from the start."""
    if set_aside := recording.open_for_append():
        say_set_aside(recording.path, set_aside)
    warn_of_rights(recording)


def redactor_for(recording: Recording, secrets: Sequence[str]) -> Redactor | None:
    """What redacts requests as the recording is, knowing these secrets; None where nothing does."""
    from aimyproxy.store.redacted import redactor_of

    redactor = redactor_of(recording)
    if redactor:
        redactor.learn(secrets)
    return redactor


def _keeper(recording: Recording, screen: Screen, keeping: Keeping, redacting: Redacting) -> Keeper:
    from aimyproxy.keeping.keeper import Keeper

    return Keeper(recording, screen, redaction=redacting, room=keeping.room, strict=keeping.strict)


@contextmanager
def _growing(keeper: Keeper) -> Iterator[None]:
    """A context in which what is forwarded can be recorded."""
    with keeper.running():
        yield
    keeper.close()


def _tell_faults(about: About, seed: int) -> None:
    if about.failing:
        lines = [f"  The recording has no event {event!r}." for event in about.unknown]
        say(f"Faults are on, with --seed {seed}.", "yellow", "warning", details=lines)
