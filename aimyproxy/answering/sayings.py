"""What is said in requests and answers: the values in which somebody could be recognised."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aimyproxy import aimylogic
from aimyproxy.jsonvalue import is_number

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from aimyproxy.exchange import Exchange, Response
    from aimyproxy.jsonvalue import JSON

SHORTEST: Final = 3
SHORTEST_NUMBER: Final = 5
"""A shorter text, or a shorter number, tells of nobody."""
UNMISTAKABLE: Final = 6
"""From this length on, a value that one conversation alone has is recognised wherever it stands."""

# Whole numbers between these are shorter; a boolean is, too.
_LEAST: Final = -(10 ** (SHORTEST_NUMBER - 2))
_MOST: Final = 10 ** (SHORTEST_NUMBER - 1)
_MOST_SAID: Final = 2_000
"""How much is remembered of one conversation; requests without a user are all one."""
_FRAME: Final = aimylogic.SYSTEM_VARIABLES - {"queryText"}
_NOTHING: Final[frozenset[str]] = frozenset()
# Of the bot and of its channel, not of the user.
_NOBODYS: Final = frozenset({"action", "channelType", "channelId", "httpStatus"})
_ABSENT: Final = object()


class Sayings:
    """What one conversation said in its requests, and in which of them first."""

    def __init__(self) -> None:
        self._first: dict[str, int] = {}

    @property
    def full(self) -> bool:
        """Whether it remembers all that it can."""
        return len(self._first) >= _MOST_SAID

    def add(self, order: int, variables: Mapping[str, JSON]) -> None:
        """Remember what its next request says, unless it is full."""
        if not self.full:
            for word in _said_by(variables):
                self._first.setdefault(word, order)

    def remembered(self, order: int, exchange: Exchange) -> frozenset[str]:
        """Which of the values that it said before this exchange, and doesn't say in it, that answers with."""
        if not self._first:
            return _NOTHING
        variables = exchange.request.body.variables() or {}
        text = "\n".join(texts(_added(variables, exchange.response))).casefold()
        before = [word for word, first in self._first.items() if first < order and word in text]
        if not before:
            return _NOTHING
        now = _said_by(variables)
        return frozenset(word for word in before if word not in now and stands_in(text, word)) or _NOTHING


def _added(variables: Mapping[str, JSON], response: Response | None) -> JSON:
    """What an answer says that its request doesn't; None where there is nothing to read."""
    if response is None or response.body.kind not in ("json", "text"):
        return None
    answered = response.body.variables()
    if answered is None:
        return response.body.value
    return [value for name, value in answered.items() if name not in variables or variables[name] != value]


def stands_in(text: str, word: str) -> bool:
    """Whether it is in there as a word of its own, or as several."""
    start = text.find(word)
    while start >= 0:
        end = start + len(word)
        if not (text[start - 1 : start].isalnum() or text[end : end + 1].isalnum()):
            return True
        start = text.find(word, start + 1)
    return False


def _said_by(variables: Mapping[str, JSON]) -> set[str]:
    """The values of a request, short ones too, its frame left out."""
    said: set[str] = set()
    open_ends = [value for name, value in variables.items() if name not in _FRAME]
    # The list grows while it is walked.
    for value in open_ends:
        if isinstance(value, str):
            if value:
                said.add(value.casefold())
        elif isinstance(value, dict):
            open_ends.extend(value.values())
        elif isinstance(value, list):
            open_ends.extend(value)
        elif is_number(value):
            said.add(_written(value))
    return said


def told(variables: Mapping[str, JSON]) -> frozenset[str]:
    """The values of a request that say something about somebody, at any depth, in small letters."""
    said: set[str] = set()
    open_ends = [value for name, value in variables.items() if name not in _NOBODYS]
    # The list grows while it is walked.
    for value in open_ends:
        if isinstance(value, str):
            if len(value) >= SHORTEST:
                said.add(value.casefold())
        elif isinstance(value, dict):
            open_ends.extend(value.values())
        elif isinstance(value, list):
            open_ends.extend(value)
        elif isinstance(value, int) and _LEAST < value < _MOST:
            continue
        elif text := spelled(value):
            said.add(text)
    return frozenset(said)


def telling(variables: Mapping[str, JSON], before: Mapping[str, JSON]) -> Iterator[str]:
    """What `told` gives of a request, less short values, and less what stood in the same place of the one before."""
    open_ends: list[tuple[Mapping[JSON, JSON], Mapping[JSON, JSON]]] = [(variables, before)]
    # The list grows while it is walked.
    for members, known in open_ends:
        for key, value in members.items():
            # What is equal in Python and not in JSON, as 1 and true, is too short to tell of anybody.
            if (key in known and known[key] == value) or (members is variables and key in _NOBODYS):
                continue
            kind = type(value)
            if kind is str:
                if len(value) >= SHORTEST and len(text := value.casefold()) >= UNMISTAKABLE:
                    yield text
            elif kind is dict:
                other = known.get(key)
                open_ends.append((value, other if type(other) is dict else {}))
            elif kind is list:
                open_ends.append((dict(enumerate(value)), {}))
            elif (kind is int or kind is float) and len(text := _written(value)) >= UNMISTAKABLE:
                yield text


def texts(value: JSON) -> Iterator[str]:
    """All that is said in a value: its texts, its numbers and its keys."""
    if isinstance(value, dict):
        yield from value
    if isinstance(value, dict | list):
        for member in value.values() if isinstance(value, dict) else value:
            yield from texts(member)
    elif value is not None and not isinstance(value, bool):
        yield _written(value)


def spelled(value: JSON) -> str:
    """The value as it would stand in a text, or an empty string where that says nothing about anybody."""
    if not (isinstance(value, str) or is_number(value)):
        return ""
    text = _written(value)
    return text if len(text) >= (SHORTEST if isinstance(value, str) else SHORTEST_NUMBER) else ""


def _written(value: str | float) -> str:
    """The value as it would stand in a text, in small letters."""
    if isinstance(value, str):
        return value.casefold()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
