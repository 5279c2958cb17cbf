"""Regular expressions of mocks: compiled once, and refused where a request could keep one busy for ever."""

from __future__ import annotations

import importlib
import re
import warnings
from math import log10
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from aimyproxy.errors import InvalidDocument

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LONGEST_SUBJECT: Final = 1000
"""Characters of a string that a regular expression looks at; the rest of a longer one doesn't count."""

LONGEST_REGEX: Final = 1000

_MOST_WAYS: Final = 9.1
"""Decimal logarithm of the ways to match, above which an expression is refused: some seconds at the worst."""

_KINDS: Final = "09٣azAZЯё_ \t\n\u00a0-.!🍕"
_IGNORES_CASE: Final = re.compile(r"\(\?[a-zA-Z]*i")
_REPEATS: Final = ("MAX_REPEAT", "MIN_REPEAT")
_ONE: Final = ("LITERAL", "NOT_LITERAL", "ANY", "IN")
_CATEGORIES: Final[dict[str, Callable[[str], bool]]] = {
    "CATEGORY_DIGIT": str.isdecimal,
    "CATEGORY_SPACE": str.isspace,
    "CATEGORY_WORD": lambda char: char.isalnum() or char == "_",
}

Items: TypeAlias = "Sequence[tuple[Any, Any]]"
"""A sequence of Python's own parse tree: operations and what belongs to them."""


def compiled(source: str) -> re.Pattern[str]:
    """The expression that the text spells.

    Raises:
        InvalidDocument: it is none, or some string of LONGEST_SUBJECT characters could take it for ever.
    """
    if len(source) > LONGEST_REGEX:
        raise InvalidDocument(f"the regular expression has to be at most {LONGEST_REGEX} characters long")
    try:
        with warnings.catch_warnings():
            # What Python may read in another way one day is for its authors to say, not for each reload of mocks.json.
            warnings.simplefilter("ignore")
            pattern = re.compile(source)
            ways = _Ways(source).of_search()
    except re.error as error:
        where = "" if error.pos is None else f" at character {error.pos + 1}"
        raise InvalidDocument(f"{source!r} is no regular expression: {error.msg}{where}") from None
    except (OverflowError, RecursionError):
        raise InvalidDocument(f"{source!r} is no regular expression that can be used: it is too complex") from None
    if ways > _MOST_WAYS:
        raise InvalidDocument(
            f"{source!r} could take for ever: the same text fits its repeats in too many ways, as in (a+)+ or .*.*.*; "
            "let what follows a repeat begin with something else, or bound it, as in {1,5}"
        )
    return pattern


class _Ways:
    """Estimates in how many ways an expression can match one text: what a backtracking search may have to try.

    A repeat has only one way where what follows it begins with other characters. Numbers are decimal logarithms.
    """

    def __init__(self, source: str) -> None:
        # Private, but the only parser of what `re` understands, and the same in all versions since 3.11.
        self._items: Items = list(importlib.import_module("re._parser").parse(source))
        self._folds = _IGNORES_CASE.search(source) is not None
        marks = {number + step for number in _numbers(self._items) for step in (-1, 0, 1)}
        self._alphabet = {*_KINDS, *(chr(mark) for mark in marks if 0 <= mark <= 0x10FFFF)}

    def of_search(self) -> float:
        """The ways of a search through LONGEST_SUBJECT characters, from every beginning."""
        anchored = bool(self._items) and str(self._items[0][0]) == "AT" and "BEGINNING" in str(self._items[0][1])
        return self._of(self._items, ()) + (0 if anchored else log10(LONGEST_SUBJECT))

    def _of(self, items: Items, after: Items) -> float:
        return sum(self._of_one(str(op), value, (*items[at + 1 :], *after)) for at, (op, value) in enumerate(items))

    def _of_one(self, op: str, value: Any, after: Items) -> float:
        if op in _REPEATS:
            return self._of_repeat(value, after)
        if op == "SUBPATTERN":
            return self._of(value[-1], after)
        if op == "BRANCH":
            return self._of_branch(value[1], after)
        if op == "GROUPREF_EXISTS":
            return self._of_branch([branch or [] for branch in value[1:]], after)
        if op == "ATOMIC_GROUP":
            return self._of(value, ())
        return self._of(value[-1], ()) if op in {"POSSESSIVE_REPEAT", "ASSERT", "ASSERT_NOT"} else 0.0

    def _of_repeat(self, value: tuple[int, int, Items], after: Items) -> float:
        least, most, body = value[0], min(int(value[1]), LONGEST_SUBJECT), value[2]
        ways = log10(most - least + 1) if most > least and self._first(body)[0] & self._first(after)[0] else 0.0
        return ways + most * self._of(list(body), (*body, *after) if most > 1 else after)

    def _of_branch(self, branches: Sequence[Items], after: Items) -> float:
        firsts = [self._first(branch) for branch in branches]
        apart = sum(len(chars) for chars, _ in firsts) == len(set().union(*(chars for chars, _ in firsts)))
        ways = 0.0 if apart and not any(empty for _, empty in firsts) else log10(len(branches))
        return ways + max(self._of(list(branch), after) for branch in branches)

    def _first(self, items: Items) -> tuple[set[str], bool]:
        """Which characters a match may begin with, and whether it may be empty."""
        chars: set[str] = set()
        for op, value in items:
            found, empty = self._first_of_one(str(op), value)
            chars |= found
            if not empty:
                return chars, False
        return chars, True

    def _first_of_one(self, op: str, value: Any) -> tuple[set[str], bool]:
        if op in _ONE:
            return {char for char in self._alphabet if self._accepted(op, value, char)}, False
        if op in {*_REPEATS, "POSSESSIVE_REPEAT"}:
            chars, empty = self._first(value[2])
            return chars, empty or value[0] == 0
        if op in {"SUBPATTERN", "ATOMIC_GROUP"}:
            return self._first(value if op == "ATOMIC_GROUP" else value[-1])
        if op == "BRANCH":
            firsts = [self._first(branch) for branch in value[1]]
            return set().union(*(chars for chars, _ in firsts)), any(empty for _, empty in firsts)
        return (set(), True) if op in {"AT", "ASSERT", "ASSERT_NOT"} else (self._alphabet, True)

    def _accepted(self, op: str, value: Any, char: str) -> bool:
        spellings = {char, char.lower()[:1], char.upper()[:1]} if self._folds else {char}
        return any(_accepts(op, value, spelling) for spelling in spellings)


def _accepts(op: str, value: Any, char: str) -> bool:
    if op in {"LITERAL", "NOT_LITERAL"}:
        return bool(ord(char) == value) == (op == "LITERAL")
    if op == "RANGE":
        return bool(value[0] <= ord(char) <= value[1])
    if op == "CATEGORY":
        name = str(value)
        return _CATEGORIES[name.replace("_NOT_", "_")](char) == ("_NOT_" not in name)
    if op == "IN":
        negated = str(value[0][0]) == "NEGATE"
        return any(_accepts(str(inner), wanted, char) for inner, wanted in value[negated:]) != negated
    return True


def _numbers(tree: Any) -> set[int]:
    """All numbers in a parse tree; among them the characters that it names."""
    if isinstance(tree, int):
        return {int(tree)}
    if tree is None or isinstance(tree, str):
        return set()
    return set().union(*(_numbers(part) for part in tree))
