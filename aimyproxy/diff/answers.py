"""What a diff keeps of an exchange: the webhook's answer, without the bodies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aimyproxy.aimylogic import Effect, effect_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aimyproxy.exchange import Exchange, FailureKind
    from aimyproxy.jsonvalue import JSON


@dataclass(frozen=True, slots=True)
class Answer:
    """How the webhook answered one request.

    `id` is the exchange's id in its recording, 0 where it was not recorded; `at` says when it was. Either there is a
    `status` and an effect, or `failure` says why there is none. `milliseconds` are those that the webhook took.
    """

    id: int
    event: str | None
    status: int | None
    failure: FailureKind | None
    effect: Effect
    at: str
    milliseconds: float | None = None

    @property
    def known(self) -> bool:
        """Whether we know how the webhook answers: not where the bot hung up before the answer came."""
        return self.failure != "client_gone"


def answer_of(identity: int, exchange: Exchange) -> Answer:
    """What a diff keeps of this exchange; that the bot hung up on an answer which came all the same is forgotten."""
    response = exchange.response
    try:
        effect = effect_of(exchange.request, response)
    except RecursionError:
        # Nested deeper than Python can compare: only whether the text is the same can be told.
        effect = Effect("body", response.body.raw if response else None)
    if response is not None:
        return Answer(identity, exchange.event, response.status, None, effect, exchange.at, exchange.timing.upstream_ms)
    failure = exchange.failure.kind if exchange.failure else "protocol"
    return Answer(identity, exchange.event, None, failure, effect, exchange.at)


def leaves(value: JSON) -> Iterator[tuple[tuple[str | int, ...], JSON]]:
    """The scalars of a JSON value, each with its path."""
    open_ends: list[tuple[tuple[str | int, ...], JSON]] = [((), value)]
    while open_ends:
        path, end = open_ends.pop()
        if isinstance(end, dict):
            open_ends.extend(((*path, key), member) for key, member in end.items())
        elif isinstance(end, list):
            open_ends.extend(((*path, index), element) for index, element in enumerate(end))
        else:
            yield path, end
