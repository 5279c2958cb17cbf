"""The options of `replay` about what nothing answers: what the bot gets then, and what is kept of it."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from aimyproxy.cli.options import Url, check_elsewhere, check_not_given, trust_options

if TYPE_CHECKING:
    from collections.abc import Callable

    from aimyproxy.keeping.keeper import Keeper
    from aimyproxy.mockserver.onmiss import OnMiss
    from aimyproxy.target import Target
    from aimyproxy.trust import Trust


@dataclass(frozen=True, slots=True)
class Missing:
    """What the bot gets where nothing answers: `error`, `empty`, or, of `forward`, what the target says.

    `trust` says whose certificates are accepted of it; with `record`, what it says is added to the recording.
    """

    choice: str
    target: Target | None
    trust: Trust
    record: bool

    def on_miss(self, keeper: Keeper | None = None, unrecorded: Callable[[], None] | None = None) -> OnMiss:
        """What makes replies; what is forwarded is kept by `keeper`, and where it can't be, see Forward."""
        from aimyproxy.mockserver import onmiss

        if self.target is None:
            return onmiss.Explain() if self.choice == "error" else onmiss.Empty()

        from aimyproxy.mockserver.forward import Forward

        return Forward(self.target, keeper=keeper, trust=self.trust, unrecorded=unrecorded)


def miss_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Pass what the bot gets where nothing answers as `missing`."""

    @click.option(
        "--on-miss",
        type=click.Choice(["error", "forward", "empty"]),
        default="error",
        show_default=True,
        help="Where nothing answers: 404 with an explanation, ask the target, or {}.",
    )
    @click.option("--target", type=Url(), help="The real webhook's URL, for --on-miss forward.")
    @trust_options
    @click.option(
        "--record", is_flag=True, help="Add what was forwarded to the recording, so that it answers next time."
    )
    @functools.wraps(command)
    def wrapped(*arguments: Any, **options: Any) -> Any:
        choice, target = options.pop("on_miss"), _target(options.pop("target"))
        missing = Missing(choice, target, options.pop("trust"), options.pop("record"))
        if choice != "forward":
            why = "is for --on-miss forward: leave it out, or choose that."
            check_not_given(why, "target", "ca", "insecure", "record")
        elif target is None:
            raise click.UsageError("--on-miss forward needs --target, the real webhook's URL.")
        check_elsewhere(options["listen"], {"--target": target})
        if not missing.record:
            why = "is for what --record adds to the recording: give that, too, or leave it out."
            check_not_given(why, "hold", "strict", "redact", "no_redact")
        return command(*arguments, missing=missing, **options)

    return wrapped


def _target(url: str | None) -> Target | None:
    if url is None:
        return None
    from aimyproxy.target import Target

    return Target.parse(url)
