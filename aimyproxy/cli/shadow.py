"""`record --shadow`: what is said and done about copies of the bot's requests."""

from __future__ import annotations

import functools
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from aimyproxy.cli.options import HeaderName, Url, check_not_given
from aimyproxy.cli.output import counted, say
from aimyproxy.errors import RecordingIncomplete
from aimyproxy.target import REPLAY_HEADER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from aimyproxy.cli.record_screen import Screen
    from aimyproxy.diff.shadow import Shadow
    from aimyproxy.store.folder import RecordingsFolder
    from aimyproxy.store.recording import Recording
    from aimyproxy.store.redacting import Redacting
    from aimyproxy.target import Target
    from aimyproxy.trust import Trust


@dataclass(frozen=True, slots=True)
class Shadowing:
    """Where copies of requests go, and which header marks them, None for none."""

    target: Target
    mark: str | None

    def tell(self, name: str) -> None:
        """Say where copies of what is recorded as `name` go."""
        say(f"A copy of each request goes to {self.target.display}, its answers to {name}@shadow.")


def shadow_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Pass where copies of requests go as `shadowing`, None where there shall be none."""

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
    @functools.wraps(command)
    def wrapped(*arguments: Any, **options: Any) -> Any:
        from aimyproxy.target import Target

        url, mark = options.pop("shadow"), options.pop("shadow_header")
        if url is None:
            check_not_given("marks the copies of --shadow: give that, too, or leave it out.", "shadow_header")
        shadowing = None if url is None else Shadowing(Target.parse(url), mark or None)
        return command(*arguments, shadowing=shadowing, **options)

    return wrapped


@contextmanager
def copying(
    shadowing: Shadowing | None,
    folder: RecordingsFolder,
    original: Recording,
    trust: Trust,
    screen: Screen,
    redacting: Callable[[Recording], Redacting],
) -> Iterator[Shadow | None]:
    """A context with what sends copies of what the bot asks; None where nobody wants any.

    `redacting` makes what redacts the exchanges of a recording that is like the original.
    """
    if shadowing is None:
        yield None
        return
    from aimyproxy.cli.record_screen import Behind
    from aimyproxy.diff.shadow import Shadow
    from aimyproxy.keeping.keeper import Keeper

    name, target = original.name, shadowing.target
    recording, created = folder.open_or_create(f"{name}@shadow", target.display)
    keeper = Keeper(recording, Behind(screen), redaction=redacting(recording))
    shadow = Shadow(target, keeper.keep, name, screen.trouble, mark=shadowing.mark, trust=trust)
    try:
        with keeper.running(), shadow.running(), _hurried(shadow.give_up):
            yield shadow
    finally:
        keeper.close()
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
