"""Telling what kind of noise a field has, by all of its recorded values."""

from __future__ import annotations

import re
import string
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Final

from aimyproxy.answering.fresh import Epoch, Kind, Moment, Number, Phrase, Token, Uuid
from aimyproxy.jsonvalue import is_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aimyproxy.answering.expressions import Value
    from aimyproxy.jsonvalue import JSON

_FEWEST: Final = 4
"""Fewer different values don't tell a kind."""
_SHORTEST_TOKEN: Final = 4
_STEADY_SECONDS: Final = 120.0
"""By how much clocks may differ from the moments of recording, and by how much what they show may be rounded."""
_PRESENT_SECONDS: Final = 300.0
"""What is no further from the moment of recording means the present; what is further, a term or a zone's time."""
_FURTHEST_SECONDS: Final = 366 * 86_400.0
_LONGEST_NUMBER: Final = 18
_LARGEST: Final = 10**_LONGEST_NUMBER
_ISO: Final = re.compile(r"\d{4}-\d\d-\d\d([T ])\d\d:\d\d(:\d\d(?:\.(\d{1,9}))?)?(Z|[+-]\d\d:?\d\d)?")
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-([0-9a-f])[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_HOLE: Final = re.compile(
    r"(?<!\w)(?:[0-9]{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?"
    r"|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9]+)(?!\w)"
)
_TOKEN: Final = re.compile(r"[A-Za-z0-9]+")
_COUNTED: Final = 6
"""So many numbers that only grow, whoever asks, don't do so by accident."""


def recognised(values: Sequence[JSON], moments: Sequence[float | None]) -> Kind | None:
    """The kind that all of these values are of, in recorded order; None where it is not plain.

    `moments` says for each when it was recorded, in seconds since 1970, None where nobody knows.
    """
    if len({str(value) for value in values}) < _FEWEST:
        return None
    if all(isinstance(value, str) for value in values):
        return _of_texts(values, moments)
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        return _of_numbers(values, moments)
    return None


def counts(values: Sequence[Value]) -> bool:
    """Whether these only count something, over all users: numbers that grow from each to the next, or so in texts."""
    if len(values) < _COUNTED:
        return False
    columns: Sequence[Sequence[JSON]] = [values]
    texts = [value for value in values if isinstance(value, str)]
    if len(texts) == len(values):
        found = holes(texts)
        varying = [column for column in found[1] if len(set(column)) > 1] if found else []
        columns = [[int(text) if _is_whole(text) else text for text in column] for column in varying]
    return bool(columns) and all(all(map(is_number, column)) and _strictly_growing(column) for column in columns)


def _of_texts(texts: Sequence[str], moments: Sequence[float | None]) -> Kind | None:
    if all(_ISO.fullmatch(text) for text in texts):
        return _moment(texts, moments)
    if all(_UUID.fullmatch(text) for text in texts):
        return Uuid(int(texts[-1][14], 16), texts[-1].isupper())
    return _of_words(texts, moments) or _of_phrases(texts, moments)


def _of_words(texts: Sequence[str], moments: Sequence[float | None]) -> Kind | None:
    prefix = "" if _digits(texts) else _prefix(texts)
    rests = [text[len(prefix) :] for text in texts]
    if len({len(rest) for rest in rests}) > 1 or not all(_TOKEN.fullmatch(rest) for rest in rests):
        return None
    if _digits(rests):
        return _of_digits(prefix, rests, moments)
    # Words have no digits; a token may have none by chance.
    if len(rests[0]) < _SHORTEST_TOKEN or 2 * sum(bool(re.search(r"\d", rest)) for rest in rests) < len(rests):
        return None
    return Token(prefix, _alphabet("".join(rests)), len(rests[0]))


def _of_phrases(texts: Sequence[str], moments: Sequence[float | None]) -> Kind | None:
    found = holes(texts)
    if found is None:
        return None
    literals, columns = found
    parts: list[str | Kind] = [literals[0]]
    for column, literal in zip(columns, literals[1:], strict=True):
        kind = column[0] if len(set(column)) == 1 else _of_column(column, moments)
        if kind is None:
            return None
        parts += [kind, literal]
    return Phrase(tuple(parts))


def _of_column(column: Sequence[str], moments: Sequence[float | None]) -> Kind | None:
    if all(_is_whole(text) and (text == "0" or text[0] != "0") for text in column):
        return recognised([int(text) for text in column], moments)
    return recognised(column, moments)


def holes(texts: Sequence[str]) -> tuple[tuple[str, ...], list[list[str]]] | None:
    """What these texts have in common around their numbers, times and UUIDs, and the columns of these; None if nothing.

    There is a literal, perhaps an empty one, before the first column, between any two, and behind the last.
    """
    literals = tuple(_HOLE.split(texts[0]))
    if len(literals) == 1 or not any(literals) or any(tuple(_HOLE.split(text)) != literals for text in texts):
        return None
    return literals, [list(column) for column in zip(*(_HOLE.findall(text) for text in texts), strict=True)]


def _of_digits(prefix: str, rests: Sequence[str], moments: Sequence[float | None]) -> Kind | None:
    width = len(rests[0])
    if (prefix and width < _SHORTEST_TOKEN) or width > _LONGEST_NUMBER:
        return None
    numbers = [int(rest) for rest in rests]
    if not prefix and (clock := _epoch(numbers, moments, text=True)):
        return clock
    return None if _growing(numbers) else Number(min(numbers), max(numbers), 0, width, prefix)


def _of_numbers(numbers: Sequence[float], moments: Sequence[float | None]) -> Kind | None:
    if not all(-_LARGEST < number < _LARGEST for number in numbers):
        return None
    if clock := _epoch(numbers, moments, text=False):
        return clock
    return None if _growing(numbers) else Number(min(numbers), max(numbers), _decimals(numbers))


def _moment(texts: Sequence[str], moments: Sequence[float | None]) -> Moment | None:
    found = [_ISO.fullmatch(text) for text in texts]
    styles = {(one[1], bool(one[2]), bool(one[4])) for one in found if one}
    try:
        shown = [datetime.fromisoformat(text) for text in texts]
        offset = _offset([(one if one.tzinfo else one.replace(tzinfo=UTC)).timestamp() for one in shown], moments)
    except (ValueError, OverflowError):
        return None
    if len(styles) > 1 or offset is None:
        return None
    ((separator, seconds, _),) = styles
    digits = max(len(one[3] or "") for one in found if one) if seconds else -1
    return Moment(separator, digits, (found[-1] and found[-1][4]) or "", offset)


def _epoch(numbers: Sequence[float], moments: Sequence[float | None], *, text: bool) -> Epoch | None:
    for scale in (1, 1000):
        offset = _offset([number / scale for number in numbers], moments)
        if offset is not None:
            return Epoch(scale, _decimals(numbers), text, offset)
    return None


def _offset(shown: Sequence[float], moments: Sequence[float | None]) -> float | None:
    """How many seconds after their recording these clocks all were; None where they were no clocks."""
    offsets = [clock - moment for clock, moment in zip(shown, moments, strict=True) if moment is not None]
    if len(offsets) < len(shown) or max(offsets) - min(offsets) > _STEADY_SECONDS:
        return None
    offset = median(offsets)
    if abs(offset) > _FURTHEST_SECONDS:
        return None
    return offset if abs(offset) > _PRESENT_SECONDS else 0.0


def _growing(numbers: Sequence[float]) -> bool:
    """Whether they only grow: that is a counter, whose next value nobody can make up."""
    return all(before <= after for before, after in pairwise(numbers))


def _strictly_growing(numbers: Sequence[JSON]) -> bool:
    return all(before < after for before, after in pairwise(numbers))


def _is_whole(text: str) -> bool:
    return _digits([text]) and len(text) <= _LONGEST_NUMBER


def _digits(texts: Sequence[str]) -> bool:
    return all(text.isascii() and text.isdecimal() for text in texts)


def _prefix(texts: Sequence[str]) -> str:
    """What all of them begin with."""
    first, last = min(texts), max(texts)
    return first[: next((at for at, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), None)]


def _decimals(numbers: Sequence[float]) -> int:
    if all(float(number).is_integer() for number in numbers):
        return 0
    return max(-int(Decimal(str(number)).as_tuple().exponent) for number in numbers)


def _alphabet(seen: str) -> str:
    if set(seen) <= set(string.hexdigits.lower()):
        return string.hexdigits[:16]
    if set(seen) <= set(string.hexdigits.upper()):
        return string.hexdigits[:16].upper()
    classes = (string.ascii_lowercase, string.ascii_uppercase, string.digits)
    return "".join(letters for letters in classes if not set(letters).isdisjoint(seen))
