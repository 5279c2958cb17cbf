"""What a diff keeps of an exchange: the webhook's answer, without the bodies."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from aimyproxy.aimylogic import Effect, effect_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from aimyproxy.exchange import Exchange, FailureKind, Response
    from aimyproxy.jsonvalue import JSON


_CHANNELS: Final = frozenset({"action", "channelId", "rawRequest"})


@dataclass(frozen=True, slots=True)
class Scope:
    """What of the answers is compared: what they do to the variables, or in `full` their whole bodies; these headers.

    With `context`, what was asked is kept, too.
    """

    full: bool = False
    headers: tuple[str, ...] = ()
    context: bool = False


EFFECTS: Final = Scope()
"""What answers do to the bot's variables."""


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
    headers: Mapping[str, str] = field(default_factory=dict)
    context: Mapping[str, JSON] | None = None

    @property
    def known(self) -> bool:
        """Whether we know how the webhook answers: not where the bot hung up before the answer came."""
        return self.failure != "client_gone"


def answer_of(identity: int, exchange: Exchange, scope: Scope = EFFECTS) -> Answer:
    """What a diff keeps of this exchange; that the bot hung up on an answer which came all the same is forgotten."""
    response = exchange.response
    context = _context(exchange) if scope.context else None
    if response is None:
        failure = exchange.failure.kind if exchange.failure else "protocol"
        nothing = effect_of(exchange.request, None)
        return Answer(identity, exchange.event, None, failure, nothing, exchange.at, context=context)
    return Answer(
        identity,
        exchange.event,
        response.status,
        None,
        _whole(response) if scope.full else _effect(exchange),
        exchange.at,
        exchange.timing.upstream_ms,
        _headers(response, scope.headers) if scope.headers else {},
        context,
    )


def _effect(exchange: Exchange) -> Effect:
    try:
        return effect_of(exchange.request, exchange.response)
    except RecursionError:
        # Nested deeper than Python can compare: only whether the text is the same can be told.
        return Effect("body", exchange.response.body.raw if exchange.response else None)


def _whole(response: Response) -> Effect:
    body = response.body
    if body.kind not in ("json", "text"):
        return Effect("body", body.raw)
    return Effect("body" if body.variables() is None else "variables", body.value)


def _headers(response: Response, wanted: Iterable[str]) -> dict[str, str]:
    """The values of these headers, several of one name with commas between them (RFC 9110, 5.3)."""
    found: dict[str, list[str]] = {}
    for name, value in response.headers:
        found.setdefault(name.lower(), []).append(value)
    return {name.lower(): ", ".join(found[name.lower()]) for name in wanted if name.lower() in found}


def _context(exchange: Exchange) -> dict[str, JSON]:
    """What was asked, less what the channel sent along."""
    variables = exchange.request.body.variables() or {}
    return {name: value for name, value in variables.items() if name not in _CHANNELS}


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
