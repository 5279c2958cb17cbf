"""Which exchange of the candidate answers the same question as which exchange of the baseline."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import TYPE_CHECKING, Final, TypeAlias

from aimyproxy import aimylogic, jsonvalue
from aimyproxy.diff.answers import EFFECTS, Answer, Scope, answer_of

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator

    from aimyproxy.exchange import Body, Exchange, Request

Key: TypeAlias = "tuple[Hashable, int]"
"""What was asked, and the how manieth time: equal for the two exchanges of a pair."""


_ID: Final = "id"


@dataclass(frozen=True, slots=True)
class Pair:
    """The answers of both sides to one question; one of them is None where only the other side was asked."""

    baseline: Answer | None
    candidate: Answer | None


class Occurrences:
    """Numbers the exchanges of one recording: the how manieth of its event in its conversation each one is, from 1.

    An exchange without a conversation is numbered among those with the same method, path and body.
    """

    def __init__(self) -> None:
        self._seen: Counter[Hashable] = Counter()

    def key(self, exchange: Exchange) -> Key:
        """What pairs this exchange with one of another recording; to be asked once each, in order."""
        asked: Hashable = (
            (exchange.conversation, exchange.event) if exchange.conversation else question(exchange.request)
        )
        self._seen[asked] += 1
        return asked, self._seen[asked]


def question(request: Request) -> bytes:
    """A digest that is equal for requests with the same method, path and body, less what is volatile in the body."""
    line = f"{request.method} {request.path}\n".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(line + _spelled(request.body), digest_size=16).digest()


def _spelled(body: Body) -> bytes:
    variables = body.variables()
    try:
        if variables is not None:
            return jsonvalue.canonical(aimylogic.without_volatile(variables))
        return jsonvalue.canonical(body.value) if body.kind == "json" else body.raw
    except RecursionError:
        # Nested deeper than Python can walk.
        return body.raw


def pairs(
    baseline: Iterable[tuple[int, Exchange]],
    candidate: Iterable[tuple[int, Exchange]],
    scope: Scope = EFFECTS,
    name: str = "",
) -> Iterator[Pair]:
    """Every exchange of both recordings, in a pair or alone; `name` is the baseline's.

    Where the candidate was made from the baseline, or both from the same recording, that says what is a pair; else
    event and occurrence in the conversation do. Both are walked side by side; an answer is kept until its partner
    comes, so memory grows with the disorder between the recordings and not with their length. What is alone comes last,
    in its own order.
    """
    alone: tuple[dict[Key, Answer], dict[Key, Answer]] = ({}, {})
    (first, before), (second, after) = _peeked(baseline), _peeked(candidate)
    origin = second.made_from[0] if second and second.made_from else None
    by_id = origin is not None and origin == name
    shared = origin if first and first.made_from and first.made_from[0] == origin else None
    numbered = zip_longest(
        _numbered(before, scope, shared, by_id=by_id), _numbered(after, scope, origin if by_id else shared)
    )
    for both in numbered:
        for side, keyed in enumerate(both):
            if keyed is None:
                continue
            key, answer = keyed
            partner = alone[1 - side].pop(key, None)
            if partner is None:
                alone[side][key] = answer
            else:
                yield Pair(answer, partner) if side == 0 else Pair(partner, answer)
    yield from (Pair(answer, None) for answer in alone[0].values())
    yield from (Pair(None, answer) for answer in alone[1].values())


def _peeked(
    recording: Iterable[tuple[int, Exchange]],
) -> tuple[Exchange | None, Iterator[tuple[int, Exchange]]]:
    """The first exchange, and all of them."""
    iterator = iter(recording)
    first = next(iterator, None)
    return (None, iterator) if first is None else (first[1], chain([first], iterator))


def _numbered(
    recording: Iterable[tuple[int, Exchange]], scope: Scope, origin: str | None, *, by_id: bool = False
) -> Iterator[tuple[Key, Answer]]:
    """Answers with what pairs them: their own id, or the one in the recording `origin`, else event and occurrence."""
    occurrences = Occurrences()
    for identity, exchange in recording:
        key = occurrences.key(exchange)
        if by_id:
            key = _ID, identity
        elif origin is not None and exchange.made_from and exchange.made_from[0] == origin:
            key = _ID, exchange.made_from[1]
        yield key, answer_of(identity, exchange, scope)
