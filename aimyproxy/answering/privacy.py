"""Keeping one user's values out of another user's answers."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from aimyproxy import aimylogic
from aimyproxy.jsonvalue import is_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from aimyproxy.answering.features import Situation
    from aimyproxy.exchange import Conversation, Exchange, Response
    from aimyproxy.jsonvalue import JSON, Path

ENCODINGS: Final = ("utf-8", "cp1251", "utf-16-le")
"""Texts in bytes are in one of these, as far as anybody's bot is concerned."""

_SHORTEST: Final = 3
_SHORTEST_NUMBER: Final = 5
# Whole numbers between these are shorter; a boolean is, too.
_LEAST: Final = -(10 ** (_SHORTEST_NUMBER - 2))
_MOST: Final = 10 ** (_SHORTEST_NUMBER - 1)
_UNMISTAKABLE: Final = 6
"""From this length on, a value that one conversation alone has is recognised wherever it stands."""
_PROBES: Final = 20
_PUBLIC: Final = 2
_WORD: Final = re.compile(r"\w+")
_MOST_SAID: Final = 2_000
"""How much is remembered of one conversation; requests without a user are all one."""
_FRAME: Final = aimylogic.SYSTEM_VARIABLES - {"queryText"}
_NOTHING: Final[frozenset[str]] = frozenset()
# Of the bot and of its channel, not of the user.
_NOBODYS: Final = frozenset({"action", "channelType", "channelId", "httpStatus"})


class Owners:
    """Who said what first, over a whole recording: the values that a single conversation has, and since when."""

    def __init__(self) -> None:
        self._order = 0
        self._first: dict[str, tuple[Conversation | None, int] | None] = {}
        self._heads: dict[str, list[str]] | None = None

    def heard(self, situation: Situation) -> Situation:
        """Remember what the next recorded request says; returns its situation, which now knows that, too."""
        self._order += 1
        self._heads = None
        conversation = situation.conversation
        said = told(situation.variables)
        here = (conversation, self._order)
        for text in said:
            if len(text) >= _UNMISTAKABLE:
                first = self._first.setdefault(text, here)
                if first is not None and first is not here and first[0] != conversation:
                    self._first[text] = None
        return situation.heard(self._order, said)

    def private(self, text: str, order: int) -> Iterator[tuple[str, Conversation | None]]:
        """The values in the text that only one conversation has, and had when this request came; and which one.

        What was in an answer before anyone said it, the webhook knew by itself.
        """
        if self._heads is None:
            self._heads = defaultdict(list)
            for value in self._first:
                self._heads[value[:_UNMISTAKABLE]].append(value)
        for start in range(len(text) - _UNMISTAKABLE + 1):
            for value in self._heads.get(text[start : start + _UNMISTAKABLE], ()):
                first = self._first[value]
                if first is not None and first[1] <= order and text.startswith(value, start):
                    yield value, first[0]


@dataclass(frozen=True, slots=True)
class Privacy:
    """What of the answers to one event is somebody's own; `common` is what is nobody's, though requests say it."""

    owners: Owners = field(default_factory=Owners)
    common: frozenset[str] = frozenset()

    @classmethod
    def of(cls, answered: Iterable[tuple[Situation, JSON]], owners: Owners) -> Privacy:
        """What an event's recorded situations and the answers in them show; the owners heard them all.

        Common is what all conversations said, and what the webhook told several before they said it: they had it from
        there, as a bot has the buttons that it was sent.
        """
        said: dict[Conversation | None, set[str]] = defaultdict(set)
        unasked: dict[str, set[Conversation | None]] = defaultdict(set)
        for situation, value in answered:
            own = said[situation.conversation]
            own |= situation.told | situation.remembered
            for text in told({"": value}) - own:
                unasked[text].add(situation.conversation)
        if len(said) <= 1:
            return cls(owners)
        public = {text for text, conversations in unasked.items() if len(conversations) >= _PUBLIC}
        return cls(owners, frozenset(set.intersection(*said.values()) | public))

    def reveals(self, situations: Sequence[Situation], value: JSON, keys: Iterable[Path] = ()) -> bool:
        """Whether a value, answered in all these situations, holds what may be somebody's own.

        That is what all of their requests had or had had before, and what one conversation alone has. Whoever gets the
        value has the same values at `keys` anyway.
        """
        text = "\n".join(_texts(value)).casefold()
        known = {_spelled(situations[0].values.get(key)) for key in keys}
        suspects = {own for own in situations[0].told if own in text}
        suspects |= {own for own in situations[0].remembered if _stands_in(text, own)}
        suspects -= known | self.common
        for situation in situations[1:_PROBES]:
            suspects &= situation.told | situation.remembered
        if suspects:
            return True
        order = min(situation.order for situation in situations)
        found = [(own, owner) for own, owner in self.owners.private(text, order) if own not in known]
        return any(not (_is_word(own) and _is_public(situations, owner)) for own, owner in found)


def _is_word(text: str) -> bool:
    return not any(character.isdigit() or character == "@" for character in text)


def _is_public(situations: Sequence[Situation], owner: Conversation | None) -> bool:
    """Whether several others got it: a word that a webhook tells everybody, one of whom happened to say it."""
    return len({situation.conversation for situation in situations} - {owner}) >= _PUBLIC


def shared(answered: Iterable[tuple[Situation, JSON]]) -> frozenset[str] | None:
    """The words that several conversations were answered; None where all were answered to one."""
    heard: dict[str, Conversation | None] = {}
    several: set[str] = set()
    conversations = set()
    for situation, value in answered:
        conversation = situation.conversation
        conversations.add(conversation)
        several.update(word for word in _telling(value) if heard.setdefault(word, conversation) != conversation)
    return frozenset(several) if len(conversations) > 1 else None


def is_shared(value: JSON, words: frozenset[str]) -> bool:
    """Whether all that a value says of anybody is among these words."""
    return words.issuperset(_telling(value))


def _telling(value: JSON) -> Iterator[str]:
    """The words of a value that could tell of somebody."""
    for text in _texts(value):
        for word in _WORD.findall(text.casefold()):
            if len(word) >= (_SHORTEST_NUMBER if word.isdecimal() else _SHORTEST):
                yield word


class Sayings:
    """What each conversation said, in its requests, up to where a recording was read."""

    def __init__(self) -> None:
        self._said: defaultdict[Conversation | None, set[str]] = defaultdict(set)

    def remembered(self, conversation: Conversation | None, exchange: Exchange) -> frozenset[str]:
        """Which of the values that it said before, and doesn't say in its next exchange, that answers with."""
        variables = exchange.request.body.variables() or {}
        said, now = self._said[conversation], _said_by(variables)
        text = "\n".join(_texts(_added(variables, exchange.response))).casefold() if said else ""
        words = frozenset(word for word in said if word in text and word not in now and _stands_in(text, word))
        if len(said) < _MOST_SAID:
            said |= now
        return words or _NOTHING


def _added(variables: Mapping[str, JSON], response: Response | None) -> JSON:
    """What an answer says that its request doesn't; None where there is nothing to read."""
    if response is None or response.body.kind not in ("json", "text"):
        return None
    answered = response.body.variables()
    if answered is None:
        return response.body.value
    return [value for name, value in answered.items() if name not in variables or variables[name] != value]


def _stands_in(text: str, word: str) -> bool:
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
            if len(value) >= _SHORTEST:
                said.add(value.casefold())
        elif isinstance(value, dict):
            open_ends.extend(value.values())
        elif isinstance(value, list):
            open_ends.extend(value)
        elif isinstance(value, int) and _LEAST < value < _MOST:
            continue
        elif text := _spelled(value):
            said.add(text)
    return frozenset(said)


def _texts(value: JSON) -> Iterator[str]:
    """All that is said in a value: its texts, its numbers and its keys."""
    if isinstance(value, dict):
        yield from value
    if isinstance(value, dict | list):
        for member in value.values() if isinstance(value, dict) else value:
            yield from _texts(member)
    elif value is not None and not isinstance(value, bool):
        yield _written(value)


def _spelled(value: JSON) -> str:
    """The value as it would stand in a text, or an empty string where that says nothing about anybody."""
    if not (isinstance(value, str) or is_number(value)):
        return ""
    text = _written(value)
    return text if len(text) >= (_SHORTEST if isinstance(value, str) else _SHORTEST_NUMBER) else ""


def _written(value: str | float) -> str:
    """The value as it would stand in a text, in small letters."""
    if isinstance(value, str):
        return value.casefold()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
