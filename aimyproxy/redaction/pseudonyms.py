"""What stands for a value: of the same shape, the same for the same value, another for another, by a secret key."""

from __future__ import annotations

import hashlib
import hmac
import math
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from aimyproxy.redaction.permutation import Permutation
from aimyproxy.redaction.shapes import alphabets, phone_digits, with_digits

if TYPE_CHECKING:
    from aimyproxy.jsonvalue import JSON

_FEW: Final = 1 << 48
"""Of a shape with fewer values than this, each value gets another's place, and the key leads back (as trying
them all would). Of larger ones, two values can only get the same by a chance of 1 in 2^48, and nothing leads back."""
_MANY: Final = 1 << 72
_MARKS: Final = 1 << 24
"""Of a shape with at least `_MANY` values, replacements bear a mark that only the key makes: one of this many. So a
replacement can be told from a value; that a value happens to bear its mark has a chance of 1 in 2^24."""
_MOST: Final = 1_024
"""So many places of a value are one number; those behind them are drawn each by itself, as numbers that are longer
take too long."""
_IN_PAIRS: Final = re.compile(r"[\x00-\x7fА-Яа-яЁё]*")
_WITH_8: Final = re.compile("8[0-9]{10}")
_EXPONENT: Final = re.compile(r"-?[0-9.]{1,40}[eE][+-]?[0-9]{1,4}")
_SMALLEST: Final = -(2**63)
_LARGEST: Final = 2**64 - 1
_CACHED: Final = 10_000


def name_of(key: bytes) -> str:
    """What a key is called: it tells keys apart, and nothing of them."""
    return hmac.digest(key, b"name", "sha256")[:4].hex()


class Pseudonyms:
    """Replacements by a key of 32 bytes. Deterministic, without a state: processes with the same key agree."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._remembered = lru_cache(maxsize=_CACHED)(self._of)
        self._remembered_made = lru_cache(maxsize=_CACHED)(self._made)

    def of(self, text: str) -> str:
        """What stands for a text: as long, of the same shape, and different where the shape has room for that.

        What stands for it in capital letters is the same in capital letters.
        """
        return self._remembered(text) if len(text) <= _MOST else self._of(text)

    def made(self, text: str) -> bool | None:
        """Whether the text stands for another one by this key; None where its shape has no room for a mark."""
        return self._remembered_made(text) if len(text) <= _MOST else self._made(text)

    def for_value(self, value: JSON) -> JSON:
        """What stands for a JSON scalar, of the same type; null, true and false stay."""
        if isinstance(value, str):
            return self.of(value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return value
        return type(value)(self.of(repr(value)))

    def _made(self, text: str) -> bool | None:
        text = _lower(text)
        if phone_digits(text):
            return None
        places = _Places(alphabets(text))
        if places.size < _MANY:
            return None
        number, mark = divmod(places.number(text), _MARKS)
        return mark == self._mark(number)

    def _of(self, text: str) -> str:
        if (low := _lower(text)) != text:
            pairs = zip(text, self.of(low), strict=True)
            return "".join(letter.upper() if before.isupper() else letter for before, letter in pairs)
        if digits := phone_digits(text):
            return with_digits(text, self.of(digits))
        if _WITH_8.fullmatch(text):
            # The same number as with 7, to Russians.
            return "8" + self.of("7" + text[1:])[1:]
        places = _Places(alphabets(text))
        if places.size < 2:
            return text
        return self._permuted(text, places) if places.size < _FEW else self._hashed(text, places)

    def _permuted(self, text: str, places: _Places) -> str:
        shape = places.shape
        permutation = Permutation(self._key, "\0".join(shape).encode("utf-8", "surrogatepass"), places.size)
        number, first = places.number(text), text
        while True:
            number = permutation.of(number)
            made = places.spelled(number)
            # What looks like something else belongs to other values, and is only a step on the way.
            if made == first or (alphabets(made) == shape and _fits(made) == _fits(text)):
                return made

    def _hashed(self, text: str, places: _Places) -> str:
        attempt, size = 0, places.size
        marked = size >= _MANY
        numbers = size // _MARKS if marked else size
        while True:
            seed = hmac.digest(self._key, b"%d\0%b" % (attempt, text.encode("utf-8", "surrogatepass")), "sha256")
            length = size.bit_length() // 8 + 9
            drawn = hashlib.shake_256(seed).digest(length + 2 * len(places.behind))
            number = int.from_bytes(drawn[:length], "big") % numbers
            made = places.spelled(number * _MARKS + self._mark(number) if marked else number, drawn[length:])
            if made != text and alphabets(made) == places.shape and _fits(made) == _fits(text):
                return made
            attempt += 1

    def _mark(self, number: int) -> int:
        return int.from_bytes(hmac.digest(self._key, b"mark\0%d" % number, "sha256")[:3], "big")


def _lower(text: str) -> str:
    """The text in small letters, if each of them has one capital letter; else itself."""
    return text.lower() if _IN_PAIRS.fullmatch(text) else text


class _Places:
    """The places of a text where another character may stand: `size` is in how many ways those in front may be filled,

    and `behind` are those that are too many to be part of one number.
    """

    def __init__(self, shape: list[str]) -> None:
        self.shape = shape
        free = [place for place, letters in enumerate(shape) if len(letters) > 1]
        self._front, self.behind = free[:_MOST], free[_MOST:]
        self.size = math.prod(len(shape[place]) for place in self._front)

    def number(self, text: str) -> int:
        """Which of the ways in front a text of this shape is."""
        number = 0
        for place in self._front:
            letters = self.shape[place]
            number = number * len(letters) + letters.index(text[place])
        return number

    def spelled(self, number: int, drawn: bytes = b"") -> str:
        """The text of this shape that the number means; the places behind are filled by two bytes each."""
        filled = self.shape.copy()
        for place in reversed(self._front):
            number, index = divmod(number, len(self.shape[place]))
            filled[place] = self.shape[place][index]
        for place, high, low in zip(self.behind, drawn[::2], drawn[1::2], strict=True):
            filled[place] = self.shape[place][(high << 8 | low) % len(self.shape[place])]
        return "".join(filled)


def _fits(text: str) -> bool:
    """Whether the text is no number beyond those that every JSON parser reads again."""
    if _EXPONENT.fullmatch(text):
        return math.isfinite(float(text))
    if not 19 <= len(text) <= 20 or not text.lstrip("-").isdecimal():
        return True
    return _SMALLEST <= int(text) <= _LARGEST
