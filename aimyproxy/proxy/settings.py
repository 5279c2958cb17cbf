"""What a run of the proxy is told, and whom it tells what; light, as it comes before all that is imported for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from aimyproxy.trust import SYSTEM

if TYPE_CHECKING:
    from pathlib import Path

    from aimyproxy.guard import Guard, Refusal
    from aimyproxy.target import Target
    from aimyproxy.trust import Trust


@dataclass(frozen=True, slots=True)
class Settings:
    """How to listen, whom to let in and where to forward. `timeout` is in seconds; `cert` and `key` are PEM files.

    `max_body` is in bytes of a request's or a response's body.
    With `strict`, what can't be recorded ends the run, and the bot gets a 503. `workers` is how many processes
    forward, beside the one that records; with 1, one process does both.
    """

    target: Target
    listen: tuple[str, int]
    timeout: float = 30.0
    cert: Path | None = None
    key: Path | None = None
    trust: Trust = SYSTEM
    guard: Guard | None = None
    strict: bool = False
    max_body: int = 64_000_000
    workers: int = 1


class Observer(Protocol):
    """Who is told of what is no exchange."""

    def refused(self, refusal: Refusal) -> None:
        """A request was refused: neither forwarded nor recorded."""

    def trouble(self, message: str) -> None:
        """Something went wrong that is no exchange's own."""
