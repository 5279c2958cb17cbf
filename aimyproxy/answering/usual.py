"""The usual answer of an event: the effect that it has most often, of those that tell of nobody."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from aimyproxy import aimylogic, jsonvalue
from aimyproxy.answering.privacy import ENCODINGS, Privacy

if TYPE_CHECKING:
    from aimyproxy.answering.answers import Answerer
    from aimyproxy.answering.features import Situation
    from aimyproxy.answering.privacy import Owners
    from aimyproxy.exchange import Exchange, Headers
    from aimyproxy.jsonvalue import JSON

_MOST: Final = 50
"""How many situations of one effect are looked at."""


@dataclass(slots=True)
class _Effect:
    """One effect: who has it first, how often it was seen, for whom (the first of them), and the headers of all."""

    value: JSON
    answerer: Answerer
    headers: set[tuple[str, str]]
    count: int = 0
    situations: list[Situation] = field(default_factory=list)


class Usual:
    """The effects of one event; `owners` heard all requests of the recording."""

    def __init__(self, owners: Owners) -> None:
        self._owners = owners
        self._effects: dict[bytes, _Effect] = {}

    def add(self, situation: Situation, exchange: Exchange, answerer: Answerer) -> None:
        """Add the next exchange, which had its response in this situation, and what answers in its place."""
        key, value = _effect(exchange)
        effect = self._effects.get(key)
        if effect is None:
            effect = self._effects[key] = _Effect(value, answerer, set(answerer.headers))
        effect.count += 1
        effect.headers &= set(answerer.headers)
        if len(effect.situations) < _MOST:
            effect.situations.append(situation)

    def settled(self) -> Answerer | None:
        """Who answers as usual; None where every effect may hold what is somebody's own. Forgets what was added."""
        # sorted() keeps the order of equals, and the effects stand in the order of their first exchange.
        ranked = sorted(self._effects.values(), key=lambda effect: -effect.count)
        answered = [(situation, effect.value) for effect in ranked for situation in effect.situations]
        privacy = Privacy.of(sorted(answered, key=lambda row: row[0].order), self._owners)
        self._effects = {}
        for effect in ranked:
            # What a person wrote in the place of a response is meant to be served.
            if effect.answerer.mock is not None:
                return effect.answerer
            if not any(privacy.reveals(effect.situations, text) for text in _read(effect.value)):
                return replace(effect.answerer, headers=_headers(effect, privacy))
        return None


def _effect(exchange: Exchange) -> tuple[bytes, JSON]:
    """What two exchanges with the same effect have in common, as a key and as it is."""
    effect = aimylogic.effect_of(exchange.request, exchange.response)
    spelled = effect.value.hex() if isinstance(effect.value, bytes) else effect.value
    status = exchange.response.status if exchange.response else 0
    return jsonvalue.canonical([status, effect.kind, spelled]), effect.value


def _headers(effect: _Effect, privacy: Privacy) -> Headers:
    """Those that all of its responses had and that tell of nobody; a session's cookie is its user's."""
    return tuple(
        (name, value)
        for name, value in effect.answerer.headers
        if name.lower() == "content-type"
        or (
            name.lower() != "set-cookie"
            and (name, value) in effect.headers
            and not privacy.reveals(effect.situations, value)
        )
    )


def _read(value: JSON) -> list[JSON]:
    """The value, or what its bytes may say."""
    return [value.decode(encoding, "ignore") for encoding in ENCODINGS] if isinstance(value, bytes) else [value]
