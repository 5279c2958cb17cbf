"""`aimyproxy record`: stand between the bot and its webhook, and write down what passes."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import click

from aimyproxy.cli.access_options import admin_options, guard_options
from aimyproxy.cli.options import (
    HeaderName,
    Number,
    Url,
    listen_option,
    log_option,
    recordings_option,
    tls_options,
    trust_options,
)
from aimyproxy.cli.output import counted, say, saying_aside
from aimyproxy.cli.redaction import Wanted, redaction_options
from aimyproxy.errors import EXIT_OK, RecordingIncomplete, StoreError
from aimyproxy.target import REPLAY_HEADER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from aimyproxy.cli.access_options import AdminOptions
    from aimyproxy.cli.record_screen import Screen
    from aimyproxy.diff.shadow import Shadow
    from aimyproxy.exchange import Exchange
    from aimyproxy.guard import Guard
    from aimyproxy.keeping.keeper import Keeper
    from aimyproxy.store.folder import RecordingsFolder
    from aimyproxy.store.recording import Recording
    from aimyproxy.target import Target
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
@click.option(
    "--shadow",
    type=Url(),
    help="Send a copy of each request to this webhook, too, after the bot was served; for `diff NAME NAME@shadow`.",
)
@click.option(
    "--shadow-header",
    type=HeaderName(),
    metavar="NAME",
    default=REPLAY_HEADER,
    show_default=True,
    help="The header that marks these copies; '' for none.",
)
@click.option(
    "--max-body",
    type=Number(min=0, min_open=True),
    default=64.0,
    show_default=True,
    metavar="MB",
    help="The largest body: a larger request gets a 413, for a larger answer the bot gets a 502.",
)
@click.option(
    "--hold",
    type=Number(min=0),
    default=64.0,
    show_default=True,
    metavar="MB",
    help="How much may wait in memory while the recording can't be written; what comes beyond that is lost.",
)
@click.option("--strict", is_flag=True, help="Stop serving, with a 503, when an exchange can't be recorded.")
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
    shadow: str | None,
    shadow_header: str,
    max_body: float,
    hold: float,
    strict: bool,
    redact: tuple[str, ...],
    no_redact: bool,
    workers: int,
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
    from aimyproxy.keeping.waiting import Room
    from aimyproxy.proxy.settings import Settings
    from aimyproxy.redaction.targets import secrets_of
    from aimyproxy.target import Target

    if workers == 1:
        from aimyproxy.proxy.server import run
    else:
        from aimyproxy.proxy.supervisor import run
    if key and not cert:
        raise click.UsageError("--key needs --cert, the certificate that belongs to it.")
    if workers > 1 and guard and guard.counts:
        raise click.UsageError("--rate-limit needs --workers 1: of several processes, each would count for itself.")
    where, wanted = Target.parse(target), Wanted(redact, nothing=no_redact)
    targets = [where, *([Target.parse(shadow)] if shadow else [])]
    secrets = [*(one for target in targets for one in secrets_of(target)), *(guard.secrets if guard else ())]
    settings = Settings(where, listen, timeout, cert, key, trust, guard, strict, int(max_body * 1_000_000), workers)
    surface = RecordAdmin(admin)
    # Before anything is written: a recording without a run behind it would only be in the way.
    sockets.check(*listen)
    with surface.listening():
        recording, created = folder.open_or_create(name, where.display)
        screen = Screen(recording, slow)
        observer = surface.watching(screen)
        screen.opened(created)
        redacting = _redacting(wanted, recording, secrets, screen)
        keeper = Keeper(recording, observer, redact=redacting, room=Room(size=int(hold * 1_000_000)), strict=strict)

        def started(host: str, port: int) -> None:
            screen.listening(host, port, where.display, tls=bool(cert))
            surface.started()
            if shadow:
                say(f"A copy of each request goes to {targets[-1].display}, its answers to {name}@shadow.")

        try:
            with (
                keeper.running(),
                _shadowing(folder, recording, targets, secrets, wanted, shadow_header, trust, screen) as copies,
                surface.serving(name, keeper, copies),
            ):
                run(settings, keeper, observer, started, copies.put if copies else None, surface.stopping)
        finally:
            _end(recording, keeper, screen)
            if created and not screen.listened and not len(recording):
                folder.remove(name)
    if strict and keeper.reason:
        raise RecordingIncomplete(f"Stopped, as --strict asks: {keeper.reason} The bot got a 503.")
    if keeper.incomplete:
        raise RecordingIncomplete(keeper.incomplete)
    return EXIT_OK


def _redacting(
    wanted: Wanted, recording: Recording, secrets: list[str], screen: Screen, like: Recording | None = None
) -> Callable[[Exchange], Exchange]:
    """What is done to an exchange before it is recorded and shown; raises InvalidOption.

    What was given us as a secret is known from the beginning.
    """
    redactor = wanted.redactor(recording, like)
    if redactor is None:
        return lambda exchange: exchange
    redactor.learn(secrets)
    screen.redactors.append(redactor)
    return redactor.exchange


def _end(recording: Recording, keeper: Keeper, screen: Screen) -> None:
    # What is wrong with the disk the keeper knows by now.
    with suppress(StoreError):
        recording.close()
    if screen.listened:
        screen.summary(keeper.recorded)


@contextmanager
def _shadowing(
    folder: RecordingsFolder,
    original: Recording,
    targets: list[Target],
    secrets: list[str],
    wanted: Wanted,
    mark: str,
    trust: Trust,
    screen: Screen,
) -> Iterator[Shadow | None]:
    """A context with what sends copies of what the bot asks; None where nobody wants any."""
    _, *shadows = targets
    if not shadows:
        yield None
        return
    from aimyproxy.cli.record_screen import Behind
    from aimyproxy.diff.shadow import Shadow
    from aimyproxy.keeping.keeper import Keeper

    [target], name = shadows, original.name
    recording, created = folder.open_or_create(f"{name}@shadow", target.display)
    keeper = Keeper(recording, Behind(screen), redact=_redacting(wanted, recording, secrets, screen, original))
    shadow = Shadow(target, keeper.keep, name, screen.trouble, mark=mark or None, trust=trust)
    try:
        with keeper.running(), shadow.running(), _hurried(shadow.give_up):
            yield shadow
    finally:
        with suppress(StoreError):
            recording.close()
        if created and not len(recording):
            folder.remove(recording.name)
        if screen.listened:
            say(shadowed(shadow, name), "yellow" if shadow.unsent or shadow.dropped else None)
    if keeper.incomplete:
        raise RecordingIncomplete(f"{recording.name}: {keeper.incomplete}")


@contextmanager
def _hurried(give_up: Callable[[], None]) -> Iterator[None]:
    """A context after which a further signal ends the waiting for copies, and nothing else."""
    import signal

    def once(_number: int, _frame: object) -> None:
        for one in numbers:
            signal.signal(one, signal.SIG_IGN)
        give_up()

    from aimyproxy.proxy.loops import ending

    numbers = ending()
    yield
    for number in numbers:
        signal.signal(number, once)


def shadowed(shadow: Shadow, name: str) -> str:
    """What became of the copies, in words."""
    left_out = [
        f"{counted(number, 'request')} {what}"
        for number, what in ((shadow.unsent, "did not get through"), (shadow.dropped, "dropped: it was too slow"))
        if number
    ]
    told = f"; {', '.join(left_out)}" if left_out else ""
    compare = f" Compare: aimyproxy diff {name} {name}@shadow" if shadow.sent else ""
    return f"The shadow answered {counted(shadow.sent, 'request')}{told}.{compare}"
