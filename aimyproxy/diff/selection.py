"""Which exchanges of a recording take part in a diff."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from zlib import crc32

from aimyproxy import jsonvalue
from aimyproxy.errors import InvalidOption
from aimyproxy.wording import shortened

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from aimyproxy.diff.stored import Stored
    from aimyproxy.exchange import Exchange
    from aimyproxy.store.recording import Recording

_PARTS: Final = 2**32


@dataclass(frozen=True, slots=True)
class Selection:
    """These events and users, all where none are given; `share` of all conversations, from 0 to 1.

    Whether a conversation is in the share depends on nothing but itself: two recordings have the same ones chosen, and
    what happened in a conversation is chosen as a whole, in its order.
    """

    events: Collection[str] = ()
    users: Collection[str] = ()
    share: float = 1.0

    def takes(self, exchange: Exchange | Stored) -> bool:
        """Whether this exchange takes part."""
        if self.events and exchange.event not in self.events:
            return False
        if not self.users and self.share >= 1:
            return True
        conversation = exchange.conversation
        if self.users and (conversation is None or conversation[2] not in self.users):
            return False
        if self.share >= 1:
            return True
        named = jsonvalue.canonical(list(conversation)) if conversation else exchange.request.body.raw
        return crc32(named) < self.share * _PARTS

    def of(self, recording: Recording) -> Iterator[tuple[int, Exchange]]:
        """The exchanges of a recording that take part, with their ids, in recorded order."""
        return ((identity, exchange) for identity, exchange in recording if self.takes(exchange))

    def check(self, known: Collection[str | None], taken: int, owner: str) -> None:
        """Raise InvalidOption where an event is not among the known ones, or nothing at all takes part."""
        names = sorted(event for event in known if event is not None)
        for event in self.events:
            if event not in names:
                listed = ", ".join(shortened(name) for name in names) or "none"
                raise InvalidOption(f"--event {event}: there is no such event; {owner} {listed}.")
        if self.users and not taken:
            raise InvalidOption(f"--user {', '.join(self.users)}: no exchange that was chosen is of such a userId.")


ALL: Final = Selection()
"""All exchanges."""
