"""What answers took from their own requests: left out, or said with another user's values."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final, TypeAlias
from zlib import crc32

from aimyproxy.aimylogic import SYSTEM_VARIABLES, without_volatile
from aimyproxy.diff.answers import leaves
from aimyproxy.jsonvalue import path_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aimyproxy.jsonvalue import JSON, Path

Marks: TypeAlias = list[tuple[str, str]]
"""A value as text, and the character that stands for its path in the request; the longest value first."""

# Shorter ones are in too many texts by chance.
_SHORTEST: Final = 3
# The private-use characters of one plane: no text has them, and no later mark is found inside one.
_FIRST_STAND_IN: Final = 0xF0000
_STAND_INS: Final = 0xFFFD


def masked(value: JSON, variables: Mapping[str, JSON]) -> JSON:
    """A value out of an answer; what it took from its request's system variables replaced by where it came from.

    In `"Привет, Иван"` one character stands for all names that come from `$.rawRequest.message.from.first_name`. What
    is volatile in the request is left alone: what a webhook makes of it is noise.
    """
    marks = _marks(variables)
    try:
        return _masked(value, marks) if marks else value
    except RecursionError:
        return value


def personal(variables: Mapping[str, JSON]) -> dict[str, JSON]:
    """The system variables of a request: what is not the bot author's own, and tells of the user."""
    return {name: value for name, value in variables.items() if name in SYSTEM_VARIABLES and name != "action"}


def rebased(value: JSON, own: Mapping[str, JSON], others: Mapping[str, JSON]) -> JSON:
    """A value out of an answer to somebody with the `own` system variables, as somebody with the `others` had got it.

    In `"Привет, Иван"`, the name that came from `$.rawRequest.message.from.first_name` is the other's there. What is
    volatile in the request is left alone.
    """
    told: dict[str, JSON] = {}
    theirs = dict(leaves(others))
    for path, leaf in leaves(without_volatile(own)):
        other = theirs.get(path)
        if _telling(leaf) and _telling(other):
            told.setdefault(str(leaf), other)
    if all(text == str(other) for text, other in told.items()):
        return value
    known = re.compile("|".join(re.escape(text) for text in sorted(told, key=len, reverse=True)))
    try:
        return _said(value, known, told)
    except RecursionError:
        return value


def _said(value: JSON, known: re.Pattern[str], told: Mapping[str, JSON]) -> JSON:
    if isinstance(value, dict):
        return {key: _said(member, known, told) for key, member in value.items()}
    if isinstance(value, list):
        return [_said(element, known, told) for element in value]
    if isinstance(value, str):
        return known.sub(lambda found: str(told[found[0]]), value)
    other = told.get(str(value)) if _telling(value) else None
    return value if other is None or isinstance(other, str) else other


def _marks(variables: Mapping[str, JSON]) -> Marks:
    telling = leaves(without_volatile(personal(variables)))
    found = {(str(leaf), _stand_in(path)) for path, leaf in telling if _telling(leaf)}
    return sorted(found, key=lambda mark: (-len(mark[0]), mark[1]))


@lru_cache(maxsize=4096)
def _stand_in(path: Path) -> str:
    return chr(_FIRST_STAND_IN + crc32(path_text(path).encode("utf-8", "surrogatepass")) % _STAND_INS)


def _telling(leaf: JSON) -> bool:
    return isinstance(leaf, str | int) and not isinstance(leaf, bool) and len(str(leaf)) >= _SHORTEST


def _masked(value: JSON, marks: Marks) -> JSON:
    if isinstance(value, dict):
        return {key: _masked(member, marks) for key, member in value.items()}
    if isinstance(value, list):
        return [_masked(element, marks) for element in value]
    if isinstance(value, str):
        for text, stand_in in marks:
            value = value.replace(text, stand_in)
        return value
    if _telling(value):
        return next((stand_in for text, stand_in in marks if text == str(value)), value)
    return value
