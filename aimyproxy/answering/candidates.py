"""Expressions that may explain how the values of an answer came about, proposed from recorded ones."""

from __future__ import annotations

from collections import Counter
from itertools import combinations_with_replacement, islice
from typing import TYPE_CHECKING, Final, TypeAlias
from zlib import crc32

from aimyproxy import jsonvalue
from aimyproxy.answering.expressions import (
    ABSENT,
    Copy,
    Echo,
    Expression,
    Linear,
    Pair,
    Text,
    Unknown,
    Value,
)
from aimyproxy.answering.expressions import spelled as spelled_value
from aimyproxy.jsonvalue import is_number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aimyproxy.answering.features import Situation
    from aimyproxy.jsonvalue import JSON, Path

Row: TypeAlias = "tuple[Situation, Value]"
"""A recorded situation and the value that the answer had in it."""

_Skeleton: TypeAlias = "tuple[str | None, ...]"
"""The literal parts of a text, and None for each hole between them."""

_PROPOSERS: Final = 24
# Two for each text that tables choose from.
_TEXT_PROPOSERS: Final = 72
_MOST: Final = 48
_MOST_NUMBERS: Final = 14
_SHORTEST_HOLE: Final = 2
_LONG_NUMBER: Final = 5
"""From this length on, a value whose end is a digit is recognised where it is glued to a letter, as in `id12345`."""


def candidates(rows: Sequence[Row], path: Path | None) -> list[Expression]:
    """Expressions worth trying, the preferred ones first; `path` is where the value stands in the answer."""
    proposers = _spread(rows, _PROPOSERS)
    found: dict[Expression, None] = {}
    if path is not None:
        found[Echo(path)] = None
    for expression in _copies(proposers):
        found[expression] = None
    for expression in _texts(_spread(rows, _TEXT_PROPOSERS)):
        found[expression] = None
    for expression in _numbers(proposers):
        found[expression] = None
    return list(islice(found, _MOST))


def holds(expression: Expression, row: Row) -> bool:
    """Whether the expression gives the row's value."""
    if isinstance(expression, Text) and not expression.may_be(row[1]):
        return False
    try:
        made = expression.value(row[0])
    except Unknown:
        return False
    if made is ABSENT or row[1] is ABSENT:
        return made is row[1]
    return jsonvalue.same(made, row[1])


def _spread(rows: Sequence[Row], most: int) -> list[Row]:
    """Some rows from everywhere, with different values."""
    distinct: dict[bytes, Row] = {}
    for row in rows:
        if row[1] is not ABSENT:
            distinct.setdefault(jsonvalue.canonical(row[1]), row)
    # By lot and not by every n-th: values often take turns, and then every n-th is of the same kind.
    drawn = sorted(sorted(distinct, key=crc32)[:most], key=list(distinct).index)
    return [distinct[value] for value in drawn]


def _copies(proposers: Sequence[Row]) -> Iterator[Expression]:
    votes: Counter[Path] = Counter()
    for situation, value in proposers:
        if isinstance(value, dict | list):
            votes.update(where for where, held in situation.containers() if jsonvalue.same(held, value))
        else:
            votes.update(where for where, held in situation.values.items() if jsonvalue.same(held, value))
    # Counter keeps the order of first sight, which is the order of preference.
    yield from (Copy(where) for where, count in votes.items() if count >= 2)


def _numbers(proposers: Sequence[Row]) -> Iterator[Expression]:
    rows = [row for row in proposers if is_number(row[1])]
    if len(rows) < 2:
        return
    paths = list(dict.fromkeys(path for row in rows for path, value in row[0].values.items() if is_number(value)))
    linear: Counter[Expression] = Counter()
    pairs: Counter[Expression] = Counter()
    for row in rows:
        linear.update(_linear(row, paths[:_MOST_NUMBERS]))
        pairs.update(_pairs(row, paths[:_MOST_NUMBERS]))
    # A fixed price is likelier than a number that happens to stand somewhere in the request.
    yield from (expression for expression, count in linear.items() if count >= 2)
    yield from (expression for expression, count in pairs.items() if count >= 3)


def _linear(row: Row, paths: Sequence[Path]) -> Iterator[Expression]:
    situation = row[0]
    value: JSON = row[1]
    for path in paths:
        held = situation.values.get(path)
        if not is_number(held) or held == value:
            continue
        yield Linear(path, 1, value - held)
        if held and value:
            yield Linear(path, value / held, 0)


def _pairs(row: Row, paths: Sequence[Path]) -> Iterator[Expression]:
    value: JSON = row[1]
    held = [(path, row[0].values.get(path, 0)) for path in paths]
    for (left, one), (right, other) in combinations_with_replacement([one for one in held if is_number(one[1])], 2):
        for product, made in ((True, one * other), (False, one + other)):
            # Few come near: only they are looked at closely.
            if abs(made - value) < 1 and holds(expression := Pair(left, right, product), row):
                yield expression


def _texts(proposers: Sequence[Row]) -> Iterator[Expression]:
    skeletons: dict[_Skeleton, list[tuple[Situation, list[str]]]] = {}
    for situation, value in proposers:
        if isinstance(value, str) and (found := _skeleton(situation, value)):
            skeletons.setdefault(found[0], []).append((situation, found[1]))
    for skeleton, seen in sorted(skeletons.items(), key=lambda item: -len(item[1])):
        if len(seen) >= 2 and (filled := _filled(skeleton, seen)):
            yield filled


def _skeleton(situation: Situation, text: str) -> tuple[_Skeleton, list[str]] | None:
    """The text with None in the place of each value of the request that stands in it, and those values."""
    inside = {_spelled(value) for value in situation.values.values()}
    # The longest first: a full name is found before the first name that it begins with.
    known = sorted((value for value in inside if len(value) >= _SHORTEST_HOLE or value.isdecimal()), key=len)
    parts: list[str | int] = [text]
    holes: list[str] = []
    for value in reversed(known):
        parts = list(_cut(parts, value, holes))
    if not holes:
        return None
    skeleton = tuple(None if isinstance(part, int) else part for part in parts)
    return skeleton, [holes[part] for part in parts if isinstance(part, int)]


def _cut(parts: list[str | int], value: str, holes: list[str]) -> Iterator[str | int]:
    for part in parts:
        if isinstance(part, int):
            yield part
            continue
        start = 0
        while (at := _find(part, value, start)) >= 0:
            if at > start:
                yield part[start:at]
            holes.append(value)
            yield len(holes) - 1
            start = at + len(value)
        if start < len(part):
            yield part[start:]


def _find(text: str, value: str, start: int) -> int:
    """Where the value stands as a word of its own, from `start` on, or -1; a long number may follow letters."""
    at = text.find(value, start)
    while at >= 0:
        before, after = text[max(at - 1, 0) : at], text[at + len(value) : at + len(value) + 1]
        if not (_joined(before, value[0], value) or _joined(after, value[-1], value)):
            return at
        at = text.find(value, at + 1)
    return -1


def _joined(outside: str, inside: str, value: str) -> bool:
    """Whether two neighbours, one of them in the value, belong to one word."""
    if not (outside.isalnum() and inside.isalnum()):
        return False
    return len(value) < _LONG_NUMBER or outside.isdecimal() == inside.isdecimal()


def _filled(skeleton: _Skeleton, seen: list[tuple[Situation, list[str]]]) -> Expression | None:
    """The text whose holes are filled with the first paths that had these values each time."""
    parts: list[str | Path] = []
    hole = 0
    for literal in skeleton:
        if literal is not None:
            parts.append(literal)
            continue
        common = [
            path
            for path in seen[0][0].values
            if all(_spelled(situation.values.get(path)) == holes[hole] for situation, holes in seen)
        ]
        if not common:
            return None
        parts.append(common[0])
        hole += 1
    return Text(tuple(parts))


def _spelled(value: JSON) -> str:
    try:
        return spelled_value(value)
    except Unknown:
        return ""
