"""What a bot's later requests would say, had it been answered by the candidate from the beginning."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from aimyproxy import jsonvalue
from aimyproxy.aimylogic import SYSTEM_VARIABLES
from aimyproxy.exchange import Body

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aimyproxy.exchange import Exchange, Response
    from aimyproxy.jsonvalue import JSON


class _Absent:
    """Stands for a variable that there is not."""


_ABSENT: Final = _Absent()


@dataclass(slots=True)
class Drift:
    """How a conversation's variables differ from the recorded ones: by name, the recorded value and the candidate's."""

    _variables: dict[str, tuple[JSON | _Absent, JSON | _Absent]] = field(default_factory=dict)

    def followed(self, exchange: Exchange) -> tuple[Exchange, frozenset[str]]:
        """The exchange with the request that the bot would have sent, and which variables are others in it.

        A variable that the bot itself set in between, so that it is no longer as it was answered, stays as recorded.
        """
        variables = exchange.request.body.variables()
        if variables is None or not self._variables:
            return exchange, frozenset()
        sent = dict(variables)
        for name, (recorded, drifted) in list(self._variables.items()):
            if not _same(variables.get(name, _ABSENT), recorded):
                del self._variables[name]
            elif isinstance(drifted, _Absent):
                sent.pop(name, None)
            else:
                sent[name] = drifted
        if not self._variables:
            return exchange, frozenset()
        request = replace(exchange.request, body=Body("json", sent))
        return replace(exchange, request=request), frozenset(self._variables)

    def add(self, baseline: Exchange, candidate: Exchange) -> None:
        """Take into account what both sides answered to the requests that each of them was sent."""
        before, after = _held(baseline), _held(candidate)
        for name in (before.keys() | after.keys()) - SYSTEM_VARIABLES:
            recorded, drifted = before.get(name, _ABSENT), after.get(name, _ABSENT)
            if _same(recorded, drifted):
                self._variables.pop(name, None)
            else:
                self._variables[name] = recorded, drifted


def _held(exchange: Exchange) -> dict[str, JSON]:
    """The bot's variables after an exchange."""
    return {**(exchange.request.body.variables() or {}), **_answered(exchange.response)}


def _answered(response: Response | None) -> Mapping[str, JSON]:
    return (response.body.variables() if response else None) or {}


def _same(one: JSON | _Absent, other: JSON | _Absent) -> bool:
    if isinstance(one, _Absent) or isinstance(other, _Absent):
        return one is other
    return jsonvalue.same(one, other)
