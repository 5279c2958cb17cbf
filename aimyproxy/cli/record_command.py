"""`aimyproxy record`: stand between the bot and its webhook, and write down what passes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from aimyproxy import garbage
from aimyproxy.cli.access_options import admin_options, guard_options
from aimyproxy.cli.exposure import warn_of_access
from aimyproxy.cli.keeping_options import keeping_options
from aimyproxy.cli.options import (
    Number,
    Url,
    check_elsewhere,
    listen_option,
    log_option,
    recordings_option,
    tls_options,
    trust_options,
)
from aimyproxy.cli.output import saying_aside
from aimyproxy.cli.redaction import redaction_options, secrets_told
from aimyproxy.cli.shadow import copying, shadow_options
from aimyproxy.errors import EXIT_OK

if TYPE_CHECKING:
    from pathlib import Path

    from aimyproxy.cli.access_options import AdminOptions
    from aimyproxy.cli.keeping_options import Keeping
    from aimyproxy.cli.record_screen import Screen
    from aimyproxy.cli.redaction import Wanted
    from aimyproxy.cli.shadow import Shadowing
    from aimyproxy.guard import Guard
    from aimyproxy.keeping.keeper import Keeper
    from aimyproxy.store.folder import RecordingsFolder
    from aimyproxy.store.recording import Recording
    from aimyproxy.store.redacting import Redacting
    from aimyproxy.trust import Trust


@click.command("record")
@click.argument("name")
@click.option("--target", type=Url(), required=True, help="The real webhook's URL; the bot's / is sent to it.")
@listen_option
@tls_options
@trust_options
@guard_options
@admin_options
@click.option(
    "--timeout",
    type=Number(min=0, min_open=True),
    default=30.0,
    show_default=True,
    help="Seconds to wait for the webhook before the bot gets a 504.",
)
@click.option(
    "--slow",
    type=Number(min=0),
    default=3.0,
    show_default=True,
    help="Warn of answers that took more seconds than this.",
)
@shadow_options
@click.option(
    "--max-body",
    type=Number(min=0, min_open=True),
    default=64.0,
    show_default=True,
    metavar="MB",
    help="The largest body: a larger request gets a 413, for a larger answer the bot gets a 502.",
)
@keeping_options
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Processes that forward, beside the one that records; with 1, one process does both.",
)
@redaction_options
@log_option
@recordings_option
@saying_aside()
@garbage.not_looked_for()
def command(
    name: str,
    target: str,
    listen: tuple[str, int],
    cert: Path | None,
    key: Path | None,
    trust: Trust,
    guard: Guard | None,
    admin: AdminOptions | None,
    timeout: float,
    slow: float,
    shadowing: Shadowing | None,
    max_body: float,
    keeping: Keeping,
    workers: int,
    wanted: Wanted,
    folder: RecordingsFolder,
) -> int:
    """Record the bot's traffic as NAME.

    Listens for the bot, forwards each request to the target unchanged, and appends the exchange to the recording
    before the bot gets its response. Ctrl-C ends it in order.

    What is secret (tokens, passwords, cookies) is replaced in what is recorded and shown, never in the traffic.
    """
    from aimyproxy import sockets
    from aimyproxy.cli.record_admin import RecordAdmin
    from aimyproxy.cli.record_screen import Screen
    from aimyproxy.keeping.keeper import Keeper
    from aimyproxy.proxy.settings import Settings
    from aimyproxy.target import Target

    if workers == 1:
        from aimyproxy.proxy.server import run
    else:
        from aimyproxy.proxy.supervisor import run
    where, size = Target.parse(target), int(max_body * 1_000_000)
    copied = shadowing.target if shadowing else None
    check_elsewhere(listen, {"--target": where, "--shadow": copied})
    settings = Settings(where, listen, timeout, cert, key, trust, guard, keeping.strict, size, workers)
    surface = RecordAdmin(admin)
    # Before anything is written: a recording without a run behind it would only be in the way.
    sockets.check(*listen)
    with surface.listening():
        recording, created = folder.open_or_create(name, where.display)
        screen = Screen(recording, slow)
        observer = surface.watching(screen)
        screen.opened(created)
        redacting = partial(_redacting, wanted, secrets_told(guard, where, copied), screen)
        redaction = redacting(recording)
        keeper = Keeper(recording, observer, redaction=redaction, room=keeping.room, strict=keeping.strict)

        def started(host: str, port: int) -> None:
            garbage.looked_for()
            screen.listening(host, port, where.display, tls=bool(cert))
            warn_of_access(listen, guard, trust)
            surface.started()
            if shadowing:
                shadowing.tell(name)

        try:
            with (
                keeper.running(),
                copying(shadowing, folder, recording, trust, screen, partial(redacting, like=recording)) as copies,
                surface.serving(name, keeper, copies),
            ):
                run(settings, keeper, observer, started, copies.put if copies else None, surface.stopping)
        finally:
            _end(keeper, screen)
            if created and not screen.listened and not len(recording):
                folder.remove(name)
    keeping.check(keeper)
    return EXIT_OK


def _redacting(
    wanted: Wanted, secrets: list[str], screen: Screen, recording: Recording, like: Recording | None = None
) -> Redacting:
    """What is done to exchanges before they are recorded and shown; raises InvalidOption."""
    redacting = wanted.redacting(recording, secrets, like)
    screen.redacting.append(redacting)
    return redacting


def _end(keeper: Keeper, screen: Screen) -> None:
    keeper.close()
    if screen.listened:
        screen.summary(keeper.recorded)
