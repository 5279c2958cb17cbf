"""The options about what is to happen where an exchange can't be recorded, and what the command's end makes of it."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from aimyproxy.cli.options import Number, check_not_given
from aimyproxy.errors import RecordingIncomplete

if TYPE_CHECKING:
    from collections.abc import Callable

    from aimyproxy.keeping.keeper import Keeper
    from aimyproxy.keeping.waiting import Room


@dataclass(frozen=True, slots=True)
class Keeping:
    """How much may wait while the recording can't be written; with `strict`, nothing, and that ends the run."""

    room: Room
    strict: bool

    def check(self, keeper: Keeper) -> None:
        """See at the end that all is recorded; raises RecordingIncomplete."""
        if self.strict and keeper.reason:
            raise RecordingIncomplete(f"Stopped, as --strict asks: {keeper.reason} The bot got a 503.")
        if keeper.incomplete:
            raise RecordingIncomplete(keeper.incomplete)


def keeping_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Pass what is to happen where an exchange can't be recorded as `keeping`."""

    @click.option(
        "--hold",
        type=Number(min=0),
        default=64.0,
        show_default=True,
        metavar="MB",
        help="How much may wait in memory while the recording can't be written; what comes beyond that is lost.",
    )
    @click.option("--strict", is_flag=True, help="Stop serving, with a 503, when an exchange can't be recorded.")
    @functools.wraps(command)
    def wrapped(*arguments: Any, **options: Any) -> Any:
        from aimyproxy.keeping.waiting import Room

        hold, strict = options.pop("hold"), options.pop("strict")
        if strict:
            check_not_given("lets exchanges wait, and with --strict none may: leave out one of them.", "hold")
        return command(*arguments, keeping=Keeping(Room(size=int(hold * 1_000_000)), strict), **options)

    return wrapped
