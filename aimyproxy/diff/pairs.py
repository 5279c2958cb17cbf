"""Which exchange of the candidate answers the same question as which exchange of the baseline."""

from __future__ import annotations

import hashlib
from collections import Counter, deque
from dataclasses import dataclass, replace
from itertools import chain, zip_longest
from typing import TYPE_CHECKING, Final, TypeAlias

from aimyproxy import aimylogic, jsonvalue
from aimyproxy.diff.answers import EFFECTS, Answer, Scope, answer_of
from aimyproxy.diff.masking import personal, rebased
from aimyproxy.diff.stored import Stored

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Mapping

    from aimyproxy.exchange import Body, Exchange, Request
    from aimyproxy.jsonvalue import JSON

Key: TypeAlias = "tuple[Hashable, int]"
"""What was asked, and the how manieth time: equal for the two exchanges of a pair."""


_ID: Final = "id"
_NO_INPUTS: Final = (aimylogic.SYSTEM_VARIABLES | aimylogic.VOLATILE_VARIABLES) - {"queryText", "channelType"}


Side: TypeAlias = "Iterable[tuple[int, Exchange | Stored]]"
"""The ids and the exchanges of one side, in recorded order."""
Keyed: TypeAlias = "tuple[Key, int, Exchange | Stored]"
_Waiting: TypeAlias = "tuple[Answer, bytes | None, bytes]"
"""An answer without a partner yet, what was asked, by whomever, and by whom: the request's system variables as JSON.

What was asked is None where ids say what is a pair.
"""


@dataclass(frozen=True, slots=True)
class Pair:
    """The answers of both sides to one question; one of them is None where only the other side was asked."""

    baseline: Answer | None
    candidate: Answer | None


@dataclass(frozen=True, slots=True)
class Alike:
    """A pair of answers to one event that are the same to the letter, and how many milliseconds each of them took."""

    event: str | None
    baseline_ms: float | None
    candidate_ms: float | None


class Occurrences:
    """Numbers the exchanges of one recording: the how manieth of its event in its conversation each one is, from 1.

    An exchange without a conversation is numbered among those with the same method, path and body.
    """

    def __init__(self) -> None:
        self._seen: Counter[Hashable] = Counter()

    def key(self, exchange: Exchange | Stored) -> Key:
        """What pairs this exchange with one of another recording; to be asked once each, in order."""
        conversation = exchange.conversation
        asked: Hashable = (conversation, exchange.event) if conversation else question(exchange.request)
        self._seen[asked] += 1
        return asked, self._seen[asked]


def question(request: Request) -> bytes:
    """A digest that is equal for requests with the same method, path and body, less what is volatile in the body."""
    line = f"{request.method} {request.path}\n".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(line + _spelled(request.body), digest_size=16).digest()


def inputs(exchange: Exchange | Stored, occurrence: int, status: int = 0) -> bytes:
    """A digest that is equal where the webhook was asked the same, by whomever: event, occurrence, and what was said.

    That is `queryText`, `channelType` and the bot author's own variables. A `status` may have to be equal, too.
    """
    variables = _variables(exchange)
    if exchange.event is None or variables is None:
        return question(exchange.request) + status.to_bytes(2, "big")
    said = {name: value for name, value in variables.items() if name not in _NO_INPUTS}
    # Without a conversation every exchange is the first of its own.
    number = occurrence if exchange.conversation else 1
    try:
        spelled = jsonvalue.canonical([exchange.event, number, status, said])
    except RecursionError:
        spelled = exchange.request.body.raw
    return hashlib.blake2b(spelled, digest_size=16).digest()


def _spelled(body: Body) -> bytes:
    variables = body.variables()
    try:
        if variables is not None:
            return jsonvalue.canonical(aimylogic.without_volatile(variables))
        return jsonvalue.canonical(body.value) if body.kind == "json" else body.raw
    except RecursionError:
        # Nested deeper than Python can walk.
        return body.raw


def pairs(baseline: Side, candidate: Side, scope: Scope = EFFECTS, name: str = "") -> Iterator[Pair | Alike]:
    """Every exchange of both recordings, in a pair or alone; `name` is the baseline's.

    Where the candidate was made from the baseline, or both from the same recording, that says what is a pair; else
    event and occurrence in the conversation do. What is left, since other users were recorded, is a pair where the
    inputs are the same; what the baseline's answer took from its own request is said of the other user there. Both are
    walked side by side; an answer is kept until its partner comes, so memory grows with the disorder between the
    recordings and not with their length. What is alone comes last, in its own order.
    """
    alone: tuple[dict[Key, _Waiting], dict[Key, _Waiting]] = ({}, {})
    for both in zip_longest(*_keyed(baseline, candidate, name)):
        before, after = both
        if before and after and before[0] == after[0]:
            alike = _alike(before[2], after[2], scope)
            yield alike or Pair(_answer(before[1], before[2], scope), _answer(after[1], after[2], scope))
            continue
        for side, keyed in enumerate(both):
            if keyed is None:
                continue
            key, identity, exchange = keyed
            answer = _answer(identity, exchange, scope)
            partner = alone[1 - side].pop(key, None)
            if partner is None:
                asked = inputs(exchange, key[1]) if key[0] != _ID else None
                alone[side][key] = answer, asked, asker(exchange)
            else:
                yield Pair(answer, partner[0]) if side == 0 else Pair(partner[0], answer)
    yield from _left(*alone)


def _left(baseline: Mapping[Key, _Waiting], candidate: Mapping[Key, _Waiting]) -> Iterator[Pair]:
    """Those who asked the same, in their order, and who is alone."""
    by_inputs: dict[bytes, deque[Key]] = {}
    for key, (_, asked, _) in candidate.items():
        if asked is not None:
            by_inputs.setdefault(asked, deque()).append(key)
    found: set[Key] = set()
    lonely = []
    for answer, asked, by in baseline.values():
        waiting = by_inputs.get(asked) if asked is not None else None
        if waiting:
            found.add(waiting[0])
            other, _, by_other = candidate[waiting.popleft()]
            yield pair_of_strangers(answer, by, other, by_other)
        else:
            lonely.append(answer)
    yield from (Pair(answer, None) for answer in lonely)
    yield from (Pair(None, answer) for key, (answer, *_) in candidate.items() if key not in found)


def asker(exchange: Exchange | Stored) -> bytes:
    """Who asked: the request's system variables as JSON, which takes less memory than the variables."""
    return jsonvalue.trimmed(jsonvalue.dumps(personal(_variables(exchange) or {})))


def pair_of_strangers(baseline: Answer, by: bytes, candidate: Answer, by_other: bytes) -> Pair:
    """The pair of two users' answers: what the baseline's took from its own request is said of the other user.

    `by` and `by_other` are who asked, as `asker` tells it.
    """
    value = rebased(baseline.effect.value, jsonvalue.loads(by), jsonvalue.loads(by_other))
    return Pair(replace(baseline, effect=replace(baseline.effect, value=value)), candidate)


def _variables(exchange: Exchange | Stored) -> JSON:
    return exchange.variables if isinstance(exchange, Stored) else exchange.request.body.variables()


def _alike(before: Exchange | Stored, after: Exchange | Stored, scope: Scope) -> Alike | None:
    if isinstance(before, Stored) and isinstance(after, Stored) and before.answers_alike(after, scope):
        return Alike(before.event, before.milliseconds, after.milliseconds)
    return None


def _answer(identity: int, exchange: Exchange | Stored, scope: Scope) -> Answer:
    return exchange.answer(scope) if isinstance(exchange, Stored) else answer_of(identity, exchange, scope)


def _keyed(baseline: Side, candidate: Side, name: str) -> tuple[Iterator[Keyed], Iterator[Keyed]]:
    """Both sides with what pairs them."""
    (first, before), (second, after) = _peeked(baseline), _peeked(candidate)
    origin = second.made_from[0] if second and second.made_from else None
    by_id = origin is not None and origin == name
    shared = origin if first and first.made_from and first.made_from[0] == origin else None
    return _numbered(before, shared, by_id=by_id), _numbered(after, origin if by_id else shared)


def _peeked(recording: Side) -> tuple[Exchange | Stored | None, Side]:
    """The first exchange, and all of them."""
    iterator = iter(recording)
    first = next(iterator, None)
    return (None, iterator) if first is None else (first[1], chain([first], iterator))


def _numbered(recording: Side, origin: str | None, *, by_id: bool = False) -> Iterator[Keyed]:
    """Exchanges with what pairs them: their own id, or the one in the recording `origin`, else event and occurrence."""
    occurrences = Occurrences()
    for identity, exchange in recording:
        if by_id:
            yield (_ID, identity), identity, exchange
            continue
        key = occurrences.key(exchange)
        if origin is not None and exchange.made_from and exchange.made_from[0] == origin:
            key = _ID, exchange.made_from[1]
        yield key, identity, exchange
