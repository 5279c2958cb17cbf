"""Answers with their noise made anew."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeAlias

from aimyproxy import jsonvalue
from aimyproxy.answering.expressions import Copy, Text, Unknown, spelled
from aimyproxy.answering.features import ANSWER
from aimyproxy.exchange import Body
from aimyproxy.jsonvalue import is_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aimyproxy.answering.answers import Answer
    from aimyproxy.answering.fitting import Decision
    from aimyproxy.answering.fresh import Dice
    from aimyproxy.answering.models import EventModel
    from aimyproxy.jsonvalue import JSON, Path

_UNMISTAKABLE: Final = 6
"""From this length on, a text that repeats a value of noise doesn't do so by chance."""

Swaps: TypeAlias = "dict[str, tuple[JSON, Path]]"
"""What noise looks like in texts as recorded, its new value, and where it stands."""


def refreshed(answer: Answer, model: EventModel, variables: Mapping[str, JSON], dice: Dice) -> Answer:
    """The answer to these variables with new values where the model knows the kind of noise.

    Texts that repeat such a value repeat the new one. What the request itself said stays.
    """
    made = Body.of(answer.body).variables()
    if made is None:
        return answer
    decisions = dict(model.decisions())
    swaps: Swaps = {}
    noise = [(path, decision.kind) for path, decision in decisions.items() if path and decision.kind]
    # The shortest first: a longer one may be a text that repeats it.
    for path, kind in sorted(noise, key=lambda one: len(str(_at(made, one[0])))):
        _renew(made, path, variables, kind.made(dice), swaps)
    if not swaps:
        return answer
    repeating = {path: _repeated(decision) for path, decision in decisions.items()}
    members = {name: _reworded(value, variables.get(name), (name,), swaps, repeating) for name, value in made.items()}
    return answer._replace(body=jsonvalue.dumps(members))


def _renew(made: JSON, path: Path, variables: Mapping[str, JSON], value: JSON, swaps: Swaps) -> None:
    """Put the value at this path of the answer, where there is one of its type that the request hasn't got, too."""
    within = _at(made, path[:-1])
    known = _at(within, path[-1:])
    if known is None or isinstance(known, str) != isinstance(value, str) or known == _at(variables, path):
        return
    try:
        old = spelled(known)
    except Unknown:
        return
    if not any(len(other) >= _UNMISTAKABLE and _word(other).search(old) for other in swaps):
        swaps[old] = (value, path)
        within[path[-1]] = value


def _word(text: str) -> re.Pattern[str]:
    """The text where it stands as a word of its own."""
    return re.compile(rf"(?<!\w){re.escape(text)}(?!\w)")


def _at(value: JSON, path: Path) -> JSON:
    for step in path:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def _repeated(decision: Decision) -> set[Path]:
    """The paths in the answer whose values a decision repeats, alone or in a text."""
    made_by = [*decision.table.values(), decision.fallback]
    parts = [part for expression in made_by if isinstance(expression, Text) for part in expression.parts]
    paths = [expression.path for expression in made_by if isinstance(expression, Copy)]
    paths += [part for part in parts if not isinstance(part, str)]
    return {path[1:] for path in paths if path[0] == ANSWER}


def _reworded(value: JSON, asked: JSON, path: Path, swaps: Swaps, repeating: Mapping[Path, Iterable[Path]]) -> JSON:
    if isinstance(value, dict):
        known = asked if isinstance(asked, dict) else {}
        return {
            name: _reworded(member, known.get(name), (*path, name), swaps, repeating) for name, member in value.items()
        }
    if isinstance(value, list):
        return [_reworded(one, _at(asked, (at,)), (*path, at), swaps, repeating) for at, one in enumerate(value)]
    if path in {where for _, where in swaps.values()} or jsonvalue.same(value, asked):
        return value
    repeated = repeating.get(path, ())
    if is_number(value):
        new, where = swaps.get(spelled(value), (value, ()))
        return new if where in repeated else value
    if not isinstance(value, str):
        return value
    for old, (new, where) in swaps.items():
        if len(old) >= _UNMISTAKABLE or where in repeated:
            value = _word(old).sub(spelled(new).replace("\\", r"\\"), value)
    return value
