"""What an edit of mocks or hints changes in an index, the exchanges being the same: little, so it is not built anew.

A person's edit of an exchange has to take its place among the answers, but changes nothing of what was learned: the
learner learns from recorded responses.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from aimyproxy import aimylogic
from aimyproxy.answering.answers import Answerer
from aimyproxy.answering.asked import Asked
from aimyproxy.answering.contents import Contents, Mocks, edits_of
from aimyproxy.answering.conversations import Conversations
from aimyproxy.answering.features import Situation

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from aimyproxy.answering.background import Hints
    from aimyproxy.answering.eventanswers import EventAnswers
    from aimyproxy.answering.mocks import Mock
    from aimyproxy.answering.turns import Turns
    from aimyproxy.exchange import Exchange


@dataclass(frozen=True, slots=True)
class _Place:
    """An exchange and where it stands: its event's `turn` in the conversation, from 0, the event before, its order."""

    exchange: Exchange
    turn: int
    previous: str | None
    order: int


def edited(
    contents: Contents,
    mocks: Iterable[Mock],
    hints: Mapping[str, Hints],
    exchanges: Callable[[], Iterable[tuple[int, Exchange]]],
) -> Contents | None:
    """These contents with other mocks and hints in the place of their own; None for "build it anew".

    That is where an edit changes which exchanges answer at all, and with the match `event`, whose usual answers depend
    on all of them. `exchanges` gives those of the recording, and is called once at most.
    """
    enabled = [mock for mock in mocks if mock.enabled]
    edits, before = edits_of(enabled), contents.mocks.edits
    changed = {identity for identity in edits.keys() | before.keys() if edits.get(identity) != before.get(identity)}
    rehinted = {event for event in contents.events if hints.get(event) != contents.hints.get(event)}
    if changed and contents.match == "event":
        return None
    wanted = changed | {mock.from_exchange for mock in enabled if not mock.edits_exchange}
    for event in rehinted:
        wanted |= contents.events[event].lessons.identities()
    places = _places(exchanges(), wanted, contents) if wanted - {None} else {}
    origins = {identity: place.exchange for identity, place in places.items()}
    try:
        events = {**contents.events, **{event: _rehinted(contents, event, hints, origins) for event in rehinted}}
        exact = dict(contents.exact)
        for identity in sorted(changed & places.keys()):
            _put(exact, events, identity, places[identity], edits.get(identity))
    except (_Unclear, RecursionError):
        return None
    missing = {mock.from_exchange for mock in contents.mocks.lost} | (changed - places.keys() - {*contents.deep})
    return replace(contents, hints=hints, exact=exact, events=events, mocks=Mocks.of(enabled, origins, missing))


class _Unclear(Exception):
    """The edit reaches further than the answers of its exchange."""


def _rehinted(
    contents: Contents, event: str, hints: Mapping[str, Hints], origins: Mapping[int, Exchange]
) -> EventAnswers:
    known = contents.events[event]
    try:
        return replace(known, lessons=known.lessons.hinted(hints.get(event), origins))
    except KeyError:
        raise _Unclear from None


def _put(
    exact: dict[bytes, Turns], events: dict[str, EventAnswers], identity: int, place: _Place, edit: Mock | None
) -> None:
    """Let an exchange answer with its edit, or with its response again."""
    exchange = place.exchange
    answerer = Answerer.of_exchange(identity, exchange, edit)
    asked = Asked.of(exchange.request)
    if exchange.response is None or answerer is None or asked.key not in exact:
        raise _Unclear
    exact[asked.key] = exact[asked.key].replaced(asked.conversation, answerer)
    known = events.get(asked.event or "")
    if known is None or asked.variables is None:
        return
    situation = Situation(asked.variables, place.turn + 1, place.previous, order=place.order)
    events[asked.event or ""] = replace(
        known,
        turns=known.turns.replaced(exchange.conversation, answerer),
        lessons=known.lessons.edited(identity, situation, answerer),
    )


def _places(
    exchanges: Iterable[tuple[int, Exchange]], wanted: Collection[int | None], contents: Contents
) -> dict[int, _Place]:
    """Where the wanted exchanges stand, counted as when the contents were built."""
    conversations, order = Conversations(sys.maxsize), 0
    places: dict[int, _Place] = {}
    for identity, exchange in exchanges:
        if identity in contents.deep:
            if identity in wanted:
                places[identity] = _Place(exchange, 0, None, 0)
            continue
        event, conversation = aimylogic.identify(exchange.request.body.variables())
        (turn,) = conversations.count(conversation, [event or ""])
        previous = conversations.follow(conversation, event)
        order += event is not None and (exchange.response is not None or identity in contents.mocks.edits)
        if identity in wanted:
            places[identity] = _Place(exchange, turn, previous, order)
    return places
