"""Pairs of different users' exchanges whose answers depend on the same values, whatever else their requests say."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Protocol

from aimyproxy.diff.pairs import Occurrences, Pair, asker, pair_of_strangers
from aimyproxy.diff.stored import stored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from aimyproxy.diff.answers import Answer
    from aimyproxy.exchange import Conversation
    from aimyproxy.jsonvalue import JSON
    from aimyproxy.store.recording import Recording


class Question(Protocol):
    """Who knows what an event's answers depend on."""

    def __call__(
        self, event: str, variables: Mapping[str, JSON], occurrence: int, previous: str | None
    ) -> bytes | None:
        """Bytes that are equal where a webhook has the same reasons to answer; None where nobody knows."""


def introduced(
    alone: list[Pair], baseline: Recording, candidate: Recording, learn: Callable[[Recording], Question]
) -> Iterator[Pair]:
    """Those without a partner, in pairs as far as their answers depend on the same values, else alone as they were.

    `learn` is asked only where both sides have somebody of one event.
    """
    before = {pair.baseline.id: pair.baseline for pair in alone if pair.baseline}
    after = {pair.candidate.id: pair.candidate for pair in alone if pair.candidate}
    events = _events(before.values()) & _events(after.values())
    if not events:
        yield from alone
        return
    question = learn(baseline)
    waiting: dict[bytes, deque[tuple[int, bytes]]] = {}
    for identity, key, by in _asked(candidate, after, events, question):
        waiting.setdefault(key, deque()).append((identity, by))
    for identity, key, by in _asked(baseline, before, events, question):
        if others := waiting.get(key):
            other, by_other = others.popleft()
            yield pair_of_strangers(before.pop(identity), by, after.pop(other), by_other)
    yield from (Pair(answer, None) for answer in before.values())
    yield from (Pair(None, answer) for answer in after.values())


def _events(answers: Iterable[Answer]) -> set[str]:
    return {answer.event for answer in answers if answer.event is not None}


def _asked(
    recording: Recording, wanted: Mapping[int, Answer], events: set[str], question: Question
) -> Iterator[tuple[int, bytes, bytes]]:
    """The ids of those wanted, in recorded order, what they asked, and by whom.

    Who was made from another exchange has no other partner.
    """
    occurrences = Occurrences()
    previous: dict[Conversation, str | None] = {}
    for identity, exchange in stored(recording):
        _, occurrence = occurrences.key(exchange)
        conversation, event = exchange.conversation, exchange.event
        before = previous.get(conversation) if conversation else None
        if conversation and event is not None:
            previous[conversation] = event
        if identity not in wanted or event not in events or exchange.made_from:
            continue
        variables = exchange.variables
        key = question(event, variables, occurrence, before) if variables is not None and event is not None else None
        if key is not None:
            yield identity, key, asker(exchange)
