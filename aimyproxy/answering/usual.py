"""The usual answer of an event: the effect that it has most often, of those that tell of nobody."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from aimyproxy import aimylogic, jsonvalue
from aimyproxy.answering.privacy import ENCODINGS, Privacy

if TYPE_CHECKING:
    from aimyproxy.answering.answers import Answerer
    from aimyproxy.answering.features import Situation
    from aimyproxy.answering.situations import Situations
    from aimyproxy.exchange import Exchange, Headers
    from aimyproxy.jsonvalue import JSON

_MOST: Final = 50
"""How many situations of one effect are looked at."""


@dataclass(slots=True)
class _Effect:
    """One effect: who has it first, how often it was seen, where (the first of them), and the headers of all."""

    value: JSON
    answerer: Answerer
    headers: set[tuple[str, str]]
    count: int = 0
    positions: list[int] = field(default_factory=list)
    situations: list[Situation] = field(default_factory=list)


class Usual:
    """The effects of one event."""

    def __init__(self) -> None:
        self._effects: dict[bytes, _Effect] = {}

    def add(self, position: int, exchange: Exchange, answerer: Answerer) -> None:
        """Add the next exchange, at this position of the recording, and what answers in its place."""
        key, value = _effect(exchange)
        effect = self._effects.get(key)
        if effect is None:
            effect = self._effects[key] = _Effect(value, answerer, set(answerer.headers))
        effect.count += 1
        effect.headers &= set(answerer.headers)
        if len(effect.positions) < _MOST:
            effect.positions.append(position)

    def settled(self, situations: Situations) -> Answerer | None:
        """Who answers as usual; None where every effect may hold what is somebody's own. Forgets what was added."""
        wanted = sorted(position for effect in self._effects.values() for position in effect.positions)
        known = {position: situation for position, situation, _ in situations.read(wanted)}
        for effect in self._effects.values():
            effect.situations = [known[position] for position in effect.positions if position in known]
        readable = [effect for effect in self._effects.values() if effect.situations]
        # sorted() keeps the order of equals, and the effects stand in the order of their first exchange.
        ranked = sorted(readable, key=lambda effect: -effect.count)
        answered = [(situation, effect.value) for effect in ranked for situation in effect.situations]
        privacy = Privacy.of(sorted(answered, key=lambda row: row[0].order), situations.owners)
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
