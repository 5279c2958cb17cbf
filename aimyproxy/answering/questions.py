"""What a request asks as far as its answer depends on it: equal for two users whom a webhook would answer the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aimyproxy import jsonvalue
from aimyproxy.answering.expressions import ABSENT, Echo
from aimyproxy.answering.features import Situation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aimyproxy.answering.expressions import Value
    from aimyproxy.answering.models import EventModel
    from aimyproxy.jsonvalue import JSON, Path


class Questions:
    """Knows by the models of a recording's events what their answers depend on."""

    def __init__(self, models: Mapping[str, EventModel]) -> None:
        self._origins = {event: model.origins() for event, model in models.items()}

    def __call__(
        self, event: str, variables: Mapping[str, JSON], occurrence: int, previous: str | None
    ) -> bytes | None:
        """Bytes that are equal where the answer depends on equal values; None where that isn't known.

        The request is its event's `occurrence`-th in its conversation, behind the event `previous`.
        """
        origins = self._origins.get(event)
        if origins is None:
            return None
        situation = Situation(variables, occurrence, previous)
        values = [_value(situation, path) for path in origins]
        return jsonvalue.canonical([event, [[] if value is ABSENT else [value] for value in values]])


def _value(situation: Situation, path: Path) -> Value:
    return situation.values[path] if path in situation.values else Echo(path).value(situation)
