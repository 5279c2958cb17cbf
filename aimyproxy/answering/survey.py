"""What is known of a recording once every exchange was glanced at: which there are, and where each has its place."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Protocol

from aimyproxy.answering.latency import Waits
from aimyproxy.errors import BrokenFile
from aimyproxy.glance import Glance

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator

    from aimyproxy.exchange import Conversation, Exchange
    from aimyproxy.jsonvalue import JSON


class Held(Protocol):
    """A recording's exchanges, which stay as they are; a position counts them from 0, in recorded order."""

    def glances(self) -> Iterator[tuple[int, Glance]]:
        """The ids and what a glance shows, in order; to be walked once, before anything is read."""

    def exchange(self, position: int) -> Exchange:
        """The exchange at this position; raises BrokenFile where a glance didn't see what is wrong with it."""

    def variables(self, position: int) -> dict[str, JSON] | None:
        """The variables of the request at this position, None where it has none; raises as `exchange`."""


class HeldExchanges:
    """Exchanges that were read whole, held as they are."""

    def __init__(self, exchanges: Iterable[tuple[int, Exchange]]) -> None:
        self._given = exchanges
        self._exchanges: list[Exchange] = []

    def glances(self) -> Iterator[tuple[int, Glance]]:
        """As `Held` says."""
        for identity, exchange in self._given:
            self._exchanges.append(exchange)
            yield identity, Glance.of(exchange)
        self._given = ()

    def exchange(self, position: int) -> Exchange:
        """As `Held` says."""
        return self._exchanges[position]

    def variables(self, position: int) -> dict[str, JSON] | None:
        """As `Held` says."""
        return self._exchanges[position].request.body.variables()


class Reader:
    """Reads a recording's exchanges; `troubles` has sentences about those that are broken, by position."""

    def __init__(self, held: Held) -> None:
        self._held = held
        self.troubles: dict[int, str] = {}

    def exchange(self, position: int) -> Exchange | None:
        """The exchange at this position; None where it is broken."""
        try:
            return self._held.exchange(position)
        except BrokenFile as error:
            self.troubles[position] = f"{error} It answers nothing."
            return None

    def variables(self, position: int) -> dict[str, JSON]:
        """The variables of the request at this position, which has an event; none where it is broken."""
        try:
            return self._held.variables(position) or {}
        except BrokenFile as error:
            self.troubles[position] = f"{error} It answers nothing."
            return {}

    def too_deep(self, position: int, identity: int) -> None:
        """Take note that walking it exhausts the stack."""
        self.troubles[position] = deep_warning(identity)


def deep_warning(identity: int) -> str:
    """The sentence about an exchange that is nested too deep."""
    return f"Exchange {identity} is nested too deep to answer anything."


class Sequences:
    """How often at most an event was asked for in one conversation, and was answered then."""

    __slots__ = ("_named", "_unnamed")

    def __init__(self) -> None:
        self._named = 0
        self._unnamed = 0

    def add(self, conversation: Conversation | None, times: int) -> None:
        """Take note that a conversation asked for it so many times up to now."""
        if conversation is None:
            self._unnamed = times
        elif times > self._named:
            self._named = times

    def longest(self, conversation: Conversation | None) -> int:
        """How often at most it was asked for; a conversation without a user counts for its like."""
        return (self._unnamed if conversation is None else 0) or self._named or self._unnamed


class Survey:
    """Every exchange at a glance, by position.

    `identities`, `events` and `conversations` have one for each position, `answering` a 1 where something answers:
    a response, or an edit of a person's (`edited` has the ids of those), and `answered` where it is a response. `deep`
    are the ids of those nested too deep to answer anything, which are nowhere else. `by_event`, `by_conversation` and
    `groups` (by event and conversation) have the positions; `sequences` and `waits` are by event, as far as answered.
    """

    def __init__(self, glances: Iterable[tuple[int, Glance]], edited: Container[int] = ()) -> None:
        self.identities: list[int] = []
        self.events: list[str | None] = []
        self.conversations: list[Conversation | None] = []
        self.answered = bytearray()
        self.answering = bytearray()
        self.deep: list[int] = []
        self.by_event: dict[str | None, list[int]] = {}
        self.by_conversation: dict[Conversation | None, list[int]] = {}
        self.groups: dict[tuple[str | None, Conversation | None], list[int]] = {}
        self.sequences: dict[str, Sequences] = {}
        self.waits = Waits()
        self._names: dict[str | None, str | None] = {}
        for identity, glance in glances:
            self._add(identity, glance, edited=identity in edited)

    def _add(self, identity: int, glance: Glance, *, edited: bool) -> None:
        event, conversation, answered, upstream_ms, deep = glance
        position, answering = len(self.identities), (answered or edited) and not deep
        # The same objects for all: a recording has few events, and few users for its exchanges.
        event = self._named(event)
        own = self.by_conversation.setdefault(conversation, [])
        if own:
            conversation = self.conversations[own[0]]
        elif conversation is not None:
            channel_type, channel, user = conversation
            conversation = self._named(channel_type), self._named(channel), user
        self.identities.append(identity)
        self.events.append(event)
        self.conversations.append(conversation)
        self.answered.append(answered)
        self.answering.append(answering)
        if deep:
            self.deep.append(identity)
            return
        own.append(position)
        self.by_event.setdefault(event, []).append(position)
        group = self.groups.setdefault((event, conversation), [])
        group.append(position)
        if answering:
            self.waits.add(event, upstream_ms)
            if event is not None:
                self._sequence(event).add(conversation, len(group))

    def _named(self, name: str | None) -> str | None:
        return self._names.setdefault(name, name)

    def _sequence(self, event: str) -> Sequences:
        known = self.sequences.get(event)
        if known is None:
            known = self.sequences[event] = Sequences()
        return known

    def turn(self, position: int) -> int:
        """How often the conversation of this exchange had asked for its event before."""
        return bisect_left(self.groups[self.events[position], self.conversations[position]], position)

    def previous(self, position: int) -> str | None:
        """The event of its conversation before this exchange; None at first contact, or where there is no user."""
        conversation = self.conversations[position]
        if conversation is None:
            return None
        own = self.by_conversation[conversation]
        place = bisect_left(own, position)
        return self.events[own[place - 1]] if place else None

    def heard(self, position: int) -> bool:
        """Whether it teaches what users say: it has an event, and something answers."""
        return bool(self.answering[position]) and self.events[position] is not None
