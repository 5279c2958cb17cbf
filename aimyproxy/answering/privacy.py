"""Keeping one user's values out of another user's answers."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from aimyproxy.answering.sayings import (
    SHORTEST,
    SHORTEST_NUMBER,
    UNMISTAKABLE,
    spelled,
    stands_in,
    telling,
    texts,
    told,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from aimyproxy.answering.features import Situation
    from aimyproxy.exchange import Conversation
    from aimyproxy.jsonvalue import JSON, Path

ENCODINGS: Final = ("utf-8", "cp1251", "utf-16-le")
"""Texts in bytes are in one of these, as far as anybody's bot is concerned."""

_PROBES: Final = 20
_PUBLIC: Final = 2
_WORD: Final = re.compile(r"\w+")


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
            if len(text) >= UNMISTAKABLE:
                first = self._first.setdefault(text, here)
                if first is not None and first is not here and first[0] != conversation:
                    self._first[text] = None
        return situation.heard(self._order, said)

    def listen(self, conversation: Conversation | None, requests: Iterable[tuple[int, Mapping[str, JSON]]]) -> None:
        """Remember what all recorded requests of one conversation say; each comes with its order.

        The same as hearing them one by one, in a fraction of the time: what was said before is said again.
        """
        own: dict[str, tuple[Conversation | None, int]] = {}
        before: Mapping[str, JSON] = {}
        for order, variables in requests:
            here = (conversation, order)
            for text in telling(variables, before):
                own.setdefault(text, here)
            before = variables
        for text, here in own.items():
            first = self._first.setdefault(text, here)
            if first is not None and first[0] != conversation:
                self._first[text] = None
        self._heads = None

    def private(self, text: str, order: int) -> Iterator[tuple[str, Conversation | None]]:
        """The values in the text that only one conversation has, and had when this request came; and which one.

        What was in an answer before anyone said it, the webhook knew by itself.
        """
        if self._heads is None:
            self._heads = defaultdict(list)
            for value, first in self._first.items():
                if first is not None:
                    self._heads[value[:UNMISTAKABLE]].append(value)
        for start in range(len(text) - UNMISTAKABLE + 1):
            for value in self._heads.get(text[start : start + UNMISTAKABLE], ()):
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
        text = "\n".join(texts(value)).casefold()
        known = {spelled(situations[0].values.get(key)) for key in keys}
        suspects = {own for own in situations[0].told if own in text}
        suspects |= {own for own in situations[0].remembered if stands_in(text, own)}
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
    for text in texts(value):
        for word in _WORD.findall(text.casefold()):
            if len(word) >= (SHORTEST_NUMBER if word.isdecimal() else SHORTEST):
                yield word
