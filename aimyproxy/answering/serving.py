"""How a replay wants its answers: how much may be generalised, what follows the last one, and whether noise is new."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from aimyproxy.answering.fresh import Dice

Match: TypeAlias = Literal["exact", "learned", "event"]
MATCHES: Final[tuple[Match, ...]] = ("exact", "learned", "event")
"""How much may be generalised: not at all, as far as the recording teaches, or to the event's usual answer."""

AfterLast: TypeAlias = Literal["last", "cycle", "miss"]
AFTER_LAST: Final[tuple[AfterLast, ...]] = ("last", "cycle", "miss")
"""Where a conversation asks more often than any recorded one: its last answer, the first again, or none."""


@dataclass(frozen=True, slots=True)
class Serving:
    """How a replay wants its answers. With `dice`, noise is made anew; else it is as recorded."""

    after_last: AfterLast = "last"
    dice: Dice | None = None


AS_RECORDED: Final = Serving()
