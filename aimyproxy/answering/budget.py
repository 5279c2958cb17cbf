"""What a template may do and make: counted and measured, and refused with SecurityError where it is too much."""

from __future__ import annotations

import re
import time
from collections.abc import ItemsView, Iterator, KeysView, Set, ValuesView
from datetime import datetime
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

from jinja2 import Undefined
from jinja2.exceptions import SecurityError

from aimyproxy import jsonvalue

if TYPE_CHECKING:
    from aimyproxy.jsonvalue import JSON

LARGEST: Final = 1_000_000
"""Characters and elements that a template may have in one value, and that all templates of one answer may put out."""

MOST_STEPS: Final = 100_000
MOST_SECONDS: Final = 1.0
"""What all templates of one answer may take."""

_LARGEST_BITS: Final = 10_000
# A width of four digits, one that comes from elsewhere, or a format in a format.
_WIDE: Final = re.compile(r"\d{4}|%[^a-zA-Z%]*\*|\{[^{}]*\{")


class Budget:
    """What the templates of one answer may still do."""

    def __init__(self) -> None:
        self._steps = MOST_STEPS
        self._characters = LARGEST
        self._deadline = time.monotonic() + MOST_SECONDS

    def step(self, characters: int = 0) -> None:
        """Count a step, and the characters that it puts out; raises SecurityError where it is too much."""
        self._steps -= 1
        self._characters -= characters
        if self._characters < 0:
            raise SecurityError(f"it makes more than {LARGEST:,} characters")
        if self._steps < 0:
            raise SecurityError(f"it takes more than {MOST_STEPS:,} steps")
        if time.monotonic() > self._deadline:
            raise SecurityError(f"it takes more than {MOST_SECONDS:g} s")


def weigh(*values: Any) -> int:
    """How many characters and elements these values have, at any depth; raises SecurityError at more than LARGEST."""
    weight, pending = 0, list(values)
    while pending:
        value = pending.pop()
        weight += _own_weight(value)
        if weight > LARGEST:
            raise SecurityError(f"it makes a value of more than {LARGEST:,} characters")
        if isinstance(value, dict):
            pending += [*value.keys(), *value.values()]
        elif isinstance(value, list | tuple):
            pending += value
    return weight


def _own_weight(value: Any) -> int:
    if isinstance(value, int) and value.bit_length() > _LARGEST_BITS:
        raise SecurityError("it makes a number of more than 3,000 digits")
    return 1 + (len(value) if isinstance(value, str | bytes | list | tuple | dict) else 0)


def as_json(value: Any) -> JSON:
    """What a template made as a JSON value: moments become ISO 8601, sequences arrays.

    Raises:
        SecurityError: it is too large.
        TypeError: it is no JSON value.
    """
    weigh(value)
    if jsonvalue.too_deep(value):
        raise TypeError("it makes a value that is nested too deep")
    return _plain(value)


def _plain(value: Any) -> JSON:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float) and isfinite(value):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Undefined):
        # Raises UndefinedError, which names it.
        return str(value)
    return _plain_elements(value)


def _plain_elements(value: Any) -> JSON:
    if isinstance(value, dict):
        return {spelled(key): _plain(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(element) for element in value]
    if isinstance(value, Iterator | range | Set | KeysView | ValuesView | ItemsView):
        return as_json(list(value))
    raise TypeError(f"{value if isinstance(value, float) else 'a ' + type(value).__name__} is no JSON value")


def spelled(value: Any) -> str:
    """A value within a text: strings as they are, all others as JSON."""
    plain = as_json(value)
    return plain if isinstance(plain, str) else jsonvalue.dumps(plain).decode()


def refuse_wide(*formats: Any) -> None:
    """Refuse formats that could make something huge of something small."""
    if any(isinstance(one, str) and _WIDE.search(one) for one in formats):
        raise SecurityError("a format may not have a width of four digits, one from elsewhere, or a format in it")


def refuse_large(size: int) -> None:
    """Refuse to make a value of this size."""
    if size > LARGEST:
        raise SecurityError(f"it makes a value of more than {LARGEST:,} characters")


def check_times(left: Any, right: Any) -> None:
    """Refuse `left * right` where it repeats something more often than may be."""
    for repeated, times in ((left, right), (right, left)):
        if isinstance(times, int) and not isinstance(repeated, int | float):
            refuse_large((weigh(repeated) - 1) * times)


def check_power(left: Any, right: Any) -> None:
    """Refuse `left ** right` where it is a giant."""
    if isinstance(left, int) and isinstance(right, int) and left.bit_length() * abs(right) > _LARGEST_BITS:
        raise SecurityError("it makes a number of more than 3,000 digits")
