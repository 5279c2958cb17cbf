"""Kinds of values that differ whenever a webhook is asked: timestamps, UUIDs, tokens, random numbers and counters."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from statistics import correlation
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from aimyproxy.jsonvalue import is_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aimyproxy.jsonvalue import JSON

KindName: TypeAlias = Literal["timestamp", "UUID", "token", "random number", "counter"]

_UUID: Final = re.compile(r"[0-9a-f]{8}(-?)[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{12}", re.IGNORECASE)
_TOKEN: Final = re.compile(r"[A-Za-z0-9_=+/.-]{8,}")
_MIXED: Final = re.compile(r"[0-9].*[A-Za-z]|[A-Za-z].*[0-9]")
_SECONDS: Final = 300.0
"""How far a clock may be from the moment at which the answer was recorded."""
_FEWEST_COUNTED: Final = 4
_FEWEST_RANDOM: Final = 5
_RELATED: Final = 0.85
"""From this rank correlation on, the candidate's numbers follow from the baseline's."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A value of the baseline and the candidate's in its place, and when each exchange was recorded (ISO 8601)."""

    before: JSON
    after: JSON
    before_at: str
    after_at: str


def kind_of(seen: Sequence[Seen]) -> KindName | None:
    """What all of these values look like, in the baseline's order; None where they are nothing known.

    Clocks show the time on both sides. Of UUIDs, tokens and random numbers no two are alike: what comes again is an id
    of something. Random numbers of one side have nothing to do with those of the other, where a price that went up has.
    """
    if not seen:
        return None
    if all(_is_present(one.before, one.before_at) and _is_present(one.after, one.after_at) for one in seen):
        return "timestamp"
    before, after = [one.before for one in seen], [one.after for one in seen]
    if len(seen) > 1 and len({str(value) for value in (*before, *after)}) == 2 * len(seen):
        if _all_match(_UUID, before) and _all_match(_UUID, after):
            return "UUID"
        if _are_tokens([*before, *after]) and len({len(str(one)) for one in before}) == 1:
            return "token"
        if _are_unrelated(before, after):
            return "random number"
    return "counter" if _counts(before) and _counts(after) else None


def _is_present(value: JSON, at: str) -> bool:
    moment, clock = _seconds(at), _clock(value)
    return moment is not None and clock is not None and abs(clock - moment) <= _SECONDS


def _clock(value: JSON) -> float | None:
    """The moment that a value shows, in seconds since 1970; None where it is no clock."""
    if isinstance(value, str):
        return _seconds(value)
    if not is_number(value):
        return None
    # Milliseconds have been beyond this since 1973, seconds will be in the year 5138.
    return value / 1000 if abs(value) > 1e11 else float(value)


def _seconds(text: str) -> float | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _all_match(pattern: re.Pattern[str], values: Sequence[JSON]) -> bool:
    return all(isinstance(value, str) and pattern.fullmatch(value) for value in values)


def _are_tokens(values: Sequence[JSON]) -> bool:
    # Words have no digits; a token may have none by chance.
    return _all_match(_TOKEN, values) and 2 * sum(bool(_MIXED.search(str(one))) for one in values) > len(values)


def _counts(values: Sequence[JSON]) -> bool:
    numbers = [value for value in values if isinstance(value, int) and is_number(value)]
    return len(numbers) == len(values) >= _FEWEST_COUNTED and all(one < other for one, other in pairwise(numbers))


def _are_unrelated(before: Sequence[JSON], after: Sequence[JSON]) -> bool:
    """Whether these are numbers on both sides, enough of them, whose order is not the same."""
    if len(before) < _FEWEST_RANDOM or not all(is_number(value) for value in (*before, *after)):
        return False
    return correlation(_ranks(before), _ranks(after)) < _RELATED


def _ranks(values: Sequence[JSON]) -> list[int]:
    order = sorted(values)
    return [order.index(value) for value in values]
