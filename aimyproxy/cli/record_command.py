"""`aimyproxy record`: stand between the bot and its webhook, and write down what passes."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from aimyproxy.cli.exposure import warn_of_listening, warn_of_rights
from aimyproxy.cli.options import HeaderName, Url, listen_option, recordings_option, tls_options
from aimyproxy.cli.output import counted, exchange_line, printable, say, say_set_aside
from aimyproxy.errors import EXIT_OK, RecordingIncomplete
from aimyproxy.target import REPLAY_HEADER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from aimyproxy.diff.shadow import Shadow
    from aimyproxy.exchange import Exchange
    from aimyproxy.store.folder import RecordingsFolder
    from aimyproxy.store.recording import Recording

_MOST_COUNTED = 100_000
"""Events and conversations that the summary tells apart: bounds memory, whoever calls."""


@click.command("record")
@click.argument("name")
@click.option("--target", type=Url(), required=True, help="The real webhook's URL; the bot's / is sent to it.")
@listen_option
@tls_options
@click.option(
    "--ca", type=click.Path(exists=True, dir_okay=False), help="Trust these certificates (PEM) of the target."
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=30.0,
    show_default=True,
    help="Seconds to wait for the webhook before the bot gets a 504.",
)
@click.option(
    "--slow",
    type=click.FloatRange(min=0),
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
@recordings_option
def command(
    name: str,
    target: str,
    listen: tuple[str, int],
    cert: Path | None,
    key: Path | None,
    ca: str | None,
    timeout: float,
    slow: float,
    shadow: str | None,
    shadow_header: str,
    folder: RecordingsFolder,
) -> int:
    """Record the bot's traffic as NAME.

    Listens for the bot, forwards each request to the target unchanged, and appends the exchange to the recording
    before the bot gets its response. Ctrl-C ends it in order.
    """
    from pathlib import Path

    from aimyproxy import sockets
    from aimyproxy.proxy.server import Settings, run
    from aimyproxy.target import Target

    if key and not cert:
        raise click.UsageError("--key needs --cert, the certificate that belongs to it.")
    where = Target.parse(target)
    settings = Settings(where, listen, timeout, cert, key, Path(ca) if ca else None)
    # Before anything is written: a recording without a run behind it would only be in the way.
    sockets.check(*listen)
    recording, created = folder.open_or_create(name, where.display)
    screen = Screen(recording, slow)
    screen.opened(created)

    def started(host: str, port: int) -> None:
        screen.listening(host, port, where.display, tls=bool(cert))
        if shadow:
            say(f"A copy of each request goes to {Target.parse(shadow).display}, its answers to {name}@shadow.")

    try:
        with _shadowing(folder, name, shadow, shadow_header, screen) as served:
            run(settings, recording, screen, started, served)
    finally:
        recording.close()
        if screen.listened:
            screen.summary()
        elif created:
            folder.remove(name)
    if screen.unrecorded:
        raise RecordingIncomplete(
            f"{counted(screen.unrecorded, 'exchange')} could not be recorded; the bot was served."
        )
    return EXIT_OK


@contextmanager
def _shadowing(
    folder: RecordingsFolder, name: str, url: str | None, mark: str, screen: Screen
) -> Iterator[Callable[[int, Exchange], None] | None]:
    """A context with what is to be told of each exchange that the bot was served; None without a shadow."""
    if url is None:
        yield None
        return
    from aimyproxy.diff.shadow import Shadow
    from aimyproxy.target import Target

    target = Target.parse(url)
    recording, created = folder.open_or_create(f"{name}@shadow", target.display)
    shadow = Shadow(target, recording, name, screen.trouble, mark=mark or None)
    try:
        with shadow.running():
            yield shadow.put
    finally:
        recording.close()
        if created and not len(recording):
            folder.remove(recording.name)
        if screen.listened:
            say(shadowed(shadow, name))


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


class Screen:
    """What the user sees of a recording in progress, on standard error."""

    def __init__(self, recording: Recording, slow: float) -> None:
        self._recording = recording
        self._slow_ms = slow * 1000
        self._events: Counter[str] = Counter()
        self._conversations: set[tuple[str | None, ...]] = set()
        self._failures = 0
        self._troubles: Counter[str] = Counter()
        self.unrecorded = 0
        self.listened = False

    def opened(self, created: bool) -> None:
        """Say what the exchanges will be added to, and repair the file where a crash left it torn."""
        set_aside = self._recording.open_for_append()
        name, path = self._recording.name, self._recording.path
        if set_aside:
            say_set_aside(path, set_aside)
        if created:
            say(f"New recording {name} in {path.parent}.")
        else:
            say(f"Recording {name} exists: appending to its {counted(len(self._recording), 'exchange')}.")
        warn_of_rights(self._recording)

    def listening(self, host: str, port: int, target: str, *, tls: bool) -> None:
        """Say where the bot has to connect to."""
        self.listened = True
        shown = f"[{host}]" if ":" in host else host
        url = f"{'https' if tls else 'http'}://{shown}:{port}"
        say(f"Listening on {url}, forwarding to {target}. Ctrl-C stops.")
        warn_of_listening(url)

    def recorded(self, identity: int, exchange: Exchange) -> None:
        """One line an exchange: number, time, channel, user, event, status, milliseconds, effect."""
        self._events[exchange.event or "-" if len(self._events) < _MOST_COUNTED else "others"] += 1
        self._failures += exchange.failure is not None
        if exchange.conversation and len(self._conversations) < _MOST_COUNTED:
            self._conversations.add(exchange.conversation)
        slow = exchange.timing.total_ms > self._slow_ms
        colour = "red" if exchange.failure else "yellow" if slow else None
        say(
            f"{identity:>5} {exchange_line(exchange)}" + (f"  SLOW, above {self._slow_ms / 1000:g} s" if slow else ""),
            colour,
        )

    def lost(self, exchange: Exchange, reason: str) -> None:
        """Tell once why exchanges can't be written, and count them."""
        self.unrecorded += 1
        self.trouble(f"NOT RECORDED ({exchange.event}): {reason}")

    def trouble(self, message: str) -> None:
        """Tell each trouble once, and how often it came at the end."""
        self._troubles[message] += 1
        if self._troubles[message] == 1:
            say(message, "red")

    def summary(self) -> None:
        """What this run has added."""
        total = sum(self._events.values())
        events = ", ".join(f"{event} {count}" for event, count in self._events.most_common(8))
        say(
            f"Recorded {counted(total, 'exchange')} ({self._failures} failed) of "
            f"{counted(len(self._conversations), 'conversation')} into {self._recording.path}"
            + (f": {printable(events)}." if events else ".")
        )
        for message, count in self._troubles.items():
            if count > 1:
                say(f"{count} times: {message}", "red")
