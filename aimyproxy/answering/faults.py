"""Trouble on purpose: how a webhook fails, for whom, and how often; the same each time for the same seed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aimyproxy.answering.chances import Chances
from aimyproxy.errors import InvalidOption

if TYPE_CHECKING:
    from collections.abc import Sequence

EVERY: Final = "*"
"""Stands for all events."""

FORMS: Final = "timeout, reset, slow, garbage, empty or a status from 400 to 599"
_SPELLED: Final = re.compile(
    r"(timeout|reset|slow|garbage|empty|[45][0-9][0-9])"
    r"(?::(?:(0(?:\.[0-9]*)?|1(?:\.0*)?|\.[0-9]+)|([0-9]|[1-9][0-9]|(?:[0-9]|[1-9][0-9])\.[0-9]*|100(?:\.0*)?)%))?"
)


@dataclass(frozen=True, slots=True)
class Fault:
    """A way to fail, and the share of requests that meet it, from 0 to 1.

    kind "timeout": no answer, and the connection stays open. "reset": the connection is reset. "slow": the answer
    comes in drops. "garbage": status 200 and a body that is no JSON. "empty": status 200 and no body. A number: an
    answer with that status.
    """

    kind: str
    rate: float = 1.0

    @classmethod
    def parse(cls, spelled: str) -> Fault:
        """The fault that is spelled `timeout`, `500:0.3` or `reset:30%`; raises InvalidOption."""
        found = _SPELLED.fullmatch(spelled)
        if found is None:
            raise InvalidOption(f"{spelled!r} is no fault: write {FORMS}, and a rate if not always (timeout:0.3).")
        return cls(found[1], float(found[3]) / 100 if found[3] else float(found[2] or 1))

    @property
    def status(self) -> int | None:
        """The status that the bot gets; None where it gets none, or the answer's own."""
        if self.kind.isdecimal():
            return int(self.kind)
        return 200 if self.kind in ("garbage", "empty") else None

    @property
    def answers(self) -> bool:
        """Whether the bot gets an answer at all."""
        return self.kind not in ("timeout", "reset")

    @property
    def spoils(self) -> bool:
        """Whether something else is sent than the answer, so that nobody need find it."""
        return self.kind != "slow"


class Faults:
    """Which requests meet which fault: the first rule of an event that strikes."""

    def __init__(self, rules: Sequence[tuple[str, Fault]] = (), seed: int = 0) -> None:
        self._rules = rules
        self._chances = Chances(seed, "fault")

    @property
    def given(self) -> bool:
        """Whether there are any."""
        return bool(self._rules)

    @property
    def events(self) -> set[str]:
        """The events that some rule names."""
        return {event for event, _ in self._rules if event != EVERY}

    def strike(self, event: str | None, own: Fault | None = None) -> Fault | None:
        """The fault that this request of an event meets, `own` being its mock's; None for none."""
        if not (own or self._rules):
            return None
        rules = [fault for wanted, fault in self._rules if wanted in (EVERY, event)]
        for fault in [own, *rules] if own else rules:
            if fault.rate >= 1 or self._chances.of(event).random() < fault.rate:
                return fault
        return None
