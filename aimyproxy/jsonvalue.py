"""JSON values: parsing that says what it lost, equality as JSON means it, canonical bytes, positions in errors."""

from __future__ import annotations

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any, Final, TypeAlias, TypeGuard

import orjson

from aimyproxy.errors import InvalidJSON

JSON: TypeAlias = Any
"""None, bool, int, float, str, list of JSON, or dict from str to JSON."""

Path: TypeAlias = tuple[str | int, ...]
"""Where a value stands inside another: object keys and array indices, from the root."""

# orjson writes 254 levels, jq reads 256; a body stands four levels deep in its file.
_DEEPEST_FILE: Final = 254
_SPARE_LEVELS: Final = 8
_DEEPEST: Final = _DEEPEST_FILE - _SPARE_LEVELS
_DEEPEST_DOCUMENT: Final = _DEEPEST_FILE - 2
# An integer of fewer digits has 64 bit.
_LONG_INTEGER: Final = b"0" * 19
_DIGITS_ALIKE: Final = bytes(ord("0") if chr(byte).isdecimal() and byte < 128 else 0 for byte in range(256))
_INT64_MIN: Final = -(2**63)
_UINT64_MAX: Final = 2**64 - 1
# The exponent of a number, or the like in a string; beginning with a letter, it is found quickly.
_EXPONENT: Final = re.compile(rb"e(?<=\de)")
_TOKEN: Final = re.compile(r'(?P<text>"(?:[^"\\]|\\.)*")(?P<key>\s*:)?|(?P<open>[{\[])|(?P<close>[}\]])')
_SURROGATE: Final = re.compile(r"[\ud800-\udfff]")
# As Python's own module spells values, by default and with every script's letters.
_ESCAPED: Final = json.JSONEncoder().encode
_SPACED: Final = json.JSONEncoder(ensure_ascii=False).encode
_PLAIN_KEY: Final = re.compile(r"[^\W\d]\w*")


class _Lost(Exception):
    """Something in the text has no exact place in a JSON value."""


def dumps(value: JSON) -> bytes:
    """The value as compact UTF-8 JSON; integers of any size and lone surrogates (as escapes) included."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value, separators=(",", ":")).encode()


def trimmed(text: bytes) -> bytes:
    """The same bytes for keeping: what `dumps` gives takes some kilobytes more than it needs."""
    return bytes(memoryview(text))


def pretty(value: JSON) -> str:
    """The value as JSON for people: two spaces of indent, letters of every script as they are."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    # Half an emoji can only be written as an escape.
    return _SURROGATE.sub(lambda half: f"\\u{ord(half[0]):04x}", text)


def loads(text: bytes | memoryview | str) -> JSON:
    """Parse JSON that nobody edited by hand.

    Raises:
        InvalidJSON: with the line and the column of the first error.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise _invalid(error) from None


def is_plain(text: bytes) -> bool:
    """Whether every parser reads this JSON alike: no integer can be beyond 64 bit, and nothing be nested deep."""
    return text.count(b"{") + text.count(b"[") <= _DEEPEST_DOCUMENT and _LONG_INTEGER not in text.translate(
        _DIGITS_ALIKE
    )


def loads_stored(text: bytes) -> JSON:
    """Parse a document of a file, which a person may have edited: as `loads`, with integers of any size.

    Raises:
        InvalidJSON: also where it is nested deeper than what a file can hold.
    """
    value = loads(text)
    if is_plain(text):
        return value
    if _too_deep_to_write(value):
        raise InvalidJSON("nested too deep", *_place_of_depth(text.decode(), _DEEPEST_DOCUMENT))
    return json.loads(text)


def _too_deep_to_write(document: JSON) -> bool:
    try:
        orjson.dumps([[document]])
    except TypeError:
        return too_deep(document, _DEEPEST_DOCUMENT)
    return False


def loads_edited(text: str) -> JSON:
    """Parse JSON that a person typed: as `loads`, but a key given twice in one object is an error.

    Raises:
        InvalidJSON: with the line and the column of the first error.
    """
    # How deep a parser can go differs between versions of Python; what a file can hold doesn't.
    if too_deep(loads(text), _DEEPEST_FILE):
        raise InvalidJSON("nested too deep", *_place_of_depth(text, _DEEPEST_FILE))
    try:
        # The slower parser keeps integers of any size.
        return json.loads(text, object_pairs_hook=_object_without_duplicates)
    except _Lost:
        key, position = _first_duplicate(text)
        raise InvalidJSON(f"the key {key} stands twice in one object", *_place(text, position)) from None


def parse_lossless(raw: bytes) -> tuple[JSON] | None:
    """The value that the bytes spell, in a tuple of one, or None where keeping the value would lose something.

    Lost would be: what is no JSON at all, a byte order mark, duplicate keys, integers beyond 64 bit, `-0`,
    floats that don't come back as the same decimal number, lone surrogates, and nesting too deep to be stored.
    White space, the spelling of escapes (`\\u0418` or `И`) and of floats (`1e2` or `100.0`) are not part of the
    meaning; `1` and `1.0` stay apart.
    """
    try:
        value = orjson.loads(raw)
        compact = orjson.dumps([[[[[[[[value]]]]]]]])[_SPARE_LEVELS:-_SPARE_LEVELS]
    except (orjson.JSONDecodeError, TypeError):
        return None
    # Most bodies are spelled as JavaScript or Python spells them: equality proves them in one comparison.
    if compact == raw or (_ESCAPED if b"\\u" in raw else _SPACED)(value).encode() == raw:
        return (value,)
    try:
        json.loads(raw, parse_float=_exact_float, parse_int=_exact_int, object_pairs_hook=_object_without_duplicates)
    except _Lost:
        return None
    return (value,)


def too_deep(value: JSON, levels: int = _DEEPEST) -> bool:
    """Whether the value is nested deeper than what is stored as JSON, so that walking it could exhaust the stack."""
    level = [value]
    for _ in range(levels):
        level = [
            member
            for container in level
            if isinstance(container, dict | list)
            for member in (container.values() if isinstance(container, dict) else container)
        ]
        if not level:
            return False
    return True


def same(one: JSON, other: JSON) -> bool:
    """Whether two values mean the same: `1` and `1.0` do, `1` and `true` don't."""
    if one != other:
        return False
    kind = type(one)
    if kind is str:
        return True
    if kind is dict:
        return _spelled_alike(one, other) or all(same(value, other[key]) for key, value in one.items())
    if kind is list:
        return _spelled_alike(one, other) or all(same(value, other[index]) for index, value in enumerate(one))
    return (kind is bool) == (type(other) is bool)


def _spelled_alike(one: JSON, other: JSON) -> bool:
    """Whether two equal values are the same byte for byte: far quicker than looking at each part, and mostly true."""
    try:
        return orjson.dumps(one, option=orjson.OPT_SORT_KEYS) == orjson.dumps(other, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        return False


def canonical(value: JSON) -> bytes:
    """Bytes that are equal for two values exactly where `same` holds: a key for dictionaries."""
    try:
        spelled = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
        if b".0" in spelled or _EXPONENT.search(spelled):
            # Perhaps an integer that is spelled as a float.
            spelled = orjson.dumps(_integral(value), option=orjson.OPT_SORT_KEYS)
    except TypeError:
        return json.dumps(_integral(value), separators=(",", ":"), sort_keys=True).encode()
    return spelled


def is_number(value: JSON) -> TypeGuard[int | float]:
    """Whether the value is a number, and no boolean."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def kind_of(value: JSON) -> str:
    """The JSON name of the value's type: null, boolean, number, string, array or object."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"


def path_text(path: Path) -> str:
    """The path as JSONPath (RFC 9535): `$.order.items[0]`, `$['a b']`; the empty path is `$`."""
    text = "$"
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif _PLAIN_KEY.fullmatch(step):
            text += f".{step}"
        else:
            text += "['" + step.replace("\\", "\\\\").replace("'", "\\'") + "']"
    return text


def place_of(text: str, keys: tuple[str, ...]) -> tuple[int, int]:
    """The line and column, from 1, of the innermost of these keys, each in the object that the one before names.

    The text is valid JSON; (0, 0) where there is no such key.
    """
    within: list[str] = []
    current = ""
    for found in _TOKEN.finditer(text):
        if found["key"]:
            current = json.loads(found["text"])
            if (*within[1:], current) == keys:
                return _place(text, found.start())
        elif found["open"]:
            within.append(current)
        elif found["close"]:
            current = within.pop()
    return 0, 0


def _place_of_depth(text: str, levels: int) -> tuple[int, int]:
    """The line and column of the first bracket that opens so many levels; the text is valid JSON."""
    depth = 0
    for found in _TOKEN.finditer(text):
        depth += bool(found["open"]) - bool(found["close"])
        if depth == levels:
            return _place(text, found.start())
    raise AssertionError("nothing is nested so deep")


def _place(text: str, position: int) -> tuple[int, int]:
    return text.count("\n", 0, position) + 1, position - text.rfind("\n", 0, position)


def _invalid(error: json.JSONDecodeError) -> InvalidJSON:
    return InvalidJSON(error.msg, error.lineno, error.colno)


def _object_without_duplicates(pairs: list[tuple[str, JSON]]) -> dict[str, JSON]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise _Lost
    return result


def _first_duplicate(text: str) -> tuple[str, int]:
    """The first key that its object has already, as it is spelled, and its offset; the text is valid JSON."""
    objects: list[set[str]] = []
    for found in _TOKEN.finditer(text):
        if found["key"]:
            key = json.loads(found["text"])
            if key in objects[-1]:
                return found["text"], found.start()
            objects[-1].add(key)
        elif found["open"]:
            objects.append(set())
        elif found["close"]:
            objects.pop()
    raise AssertionError("there is no duplicate key")


def _exact_float(spelled: str) -> float:
    value = float(spelled)
    try:
        kept = Decimal(spelled) == Decimal(repr(value))
    except InvalidOperation:
        kept = False
    if not kept:
        raise _Lost(spelled)
    return value


def _exact_int(spelled: str) -> int:
    # Nothing of more than 20 digits fits, and Python refuses to read thousands of them.
    if spelled == "-0" or len(spelled) > 20 or not _INT64_MIN <= int(spelled) <= _UINT64_MAX:
        raise _Lost(spelled)
    return int(spelled)


def _integral(value: JSON) -> JSON:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: _integral(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_integral(element) for element in value]
    return value
