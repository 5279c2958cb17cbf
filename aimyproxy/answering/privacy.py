"""Keeping one user's values out of another user's answers."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from aimyproxy.answering.expressions import is_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from aimyproxy.answering.features import Situation
    from aimyproxy.exchange import Conversation
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
            own |= situation.told
            for text in told({"": value}) - own:
                unasked[text].add(situation.conversation)
        if len(said) == 1:
            return cls(owners)
        public = {text for text, conversations in unasked.items() if len(conversations) >= _PUBLIC}
        return cls(owners, frozenset(set.intersection(*said.values()) | public))

    def reveals(self, situations: Sequence[Situation], value: JSON, keys: Iterable[Path] = ()) -> bool:
        """Whether a value, answered in all these situations, holds what may be somebody's own.

        That is what all of their requests had, and what one conversation alone has. Whoever gets the value has the
        same values at `keys` anyway.
        """
        text = "\n".join(_texts(value))
        known = {_spelled(situations[0].values.get(key)) for key in keys}
        suspects = {own for own in situations[0].told if own in text} - known - self.common
        for situation in situations[1:_PROBES]:
            suspects &= situation.told
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


def told(variables: Mapping[str, JSON]) -> frozenset[str]:
    """The values of a request that say something about somebody, at any depth."""
    said: set[str] = set()
    open_ends = [value for name, value in variables.items() if name not in _NOBODYS]
    # The list grows while it is walked.
    for value in open_ends:
        if isinstance(value, str):
            if len(value) >= _SHORTEST:
                said.add(value)
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
        yield _spelled(value) or str(value)


def _spelled(value: JSON) -> str:
    """The value as it would stand in a text, or an empty string where that says nothing about anybody."""
    if isinstance(value, str):
        return value if len(value) >= _SHORTEST else ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if is_number(value) and len(str(value)) >= _SHORTEST_NUMBER:
        return str(value)
    return ""
