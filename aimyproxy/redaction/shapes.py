"""The shape of a value: which characters may stand at each of its places, so that it stays what it looks like."""

from __future__ import annotations

import re
import string
import unicodedata
from functools import lru_cache
from typing import Final

_DIGITS: Final = string.digits
_NOT_ZERO: Final = "123456789"
_VOWELS: Final = ("aeiouy", "аеёиоуыэюя")
_CONSONANTS: Final = ("bcdfghjklmnpqrstvwxz", "бвгджзйклмнпрстфхцчшщ")
_SIGNS: Final = "ьъ"
_NUMBER: Final = re.compile(r"-?(?P<whole>\d+)(?:\.(?P<fraction>\d+))?(?P<exponent>[eE][+-]?\d+)?", re.ASCII)
_HEX: Final = re.compile(r"(?=.*[0-9])[0-9a-f-]{8,}|(?=.*[0-9])[0-9A-F-]{8,}", re.ASCII)
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-8][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}")
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+(?P<domain>\.[A-Za-z]{2,})")
_PHONE: Final = re.compile(r"(?=.*[ ()+-])\+?\(?\d[\d ()-]*\d", re.ASCII)
_BLOCK: Final = 128


def alphabets(text: str) -> list[str]:
    """For each character those that may stand in its place; one alone where it stays.

    A number keeps its sign, its digits' count and its exponent, with 10 to 15 digits (a phone number) the first two of
    them; an e-mail address its top-level domain; hexadecimal digits stay such, a UUID keeps its version. In words,
    vowels stand for vowels and consonants for consonants. All else stays of its kind: digits, small and capital
    letters of a script; punctuation and blanks stay.
    """
    if number := _NUMBER.fullmatch(text):
        return _of_number(text, number)
    if _HEX.fullmatch(text):
        return _of_hex(text)
    wordy = not any(character in _DIGITS for character in text)
    found = [_alike(character, wordy) for character in text]
    if email := _EMAIL.fullmatch(text):
        found[email.start("domain") :] = email["domain"]
    return found


def phone_digits(text: str) -> str | None:
    """The digits of a phone number that is written with blanks, dashes, brackets or a plus; None where it is none."""
    if not _PHONE.fullmatch(text):
        return None
    digits = "".join(character for character in text if character in _DIGITS)
    return digits if 10 <= len(digits) <= 15 else None


def with_digits(text: str, digits: str) -> str:
    """The text with these digits in the place of its own."""
    remaining = iter(digits)
    return "".join(next(remaining) if character in _DIGITS else character for character in text)


def _of_number(text: str, found: re.Match[str]) -> list[str]:
    result = [_DIGITS if character in _DIGITS else character for character in text]
    start, end = found.span("whole")
    if text[start] == "0":
        # It means something: no number begins with it but 0.5, while codes and phone numbers do.
        result[start] = "0"
    else:
        result[start] = _NOT_ZERO
    if 10 <= end - start <= 15:
        result[start : start + 2] = text[start : start + 2]
    if found["fraction"]:
        last = found.end("fraction") - 1
        result[last] = "0" if text[last] == "0" else _NOT_ZERO
    if found["exponent"]:
        result[found.start("exponent") :] = found["exponent"]
    return result


def _of_hex(text: str) -> list[str]:
    result = [_hex_digit(character) for character in text]
    if _UUID.fullmatch(text):
        result[14], result[19] = text[14], text[19]
    return result


def _hex_digit(character: str) -> str:
    if character in _DIGITS:
        return _DIGITS
    if character == "-":
        return character
    return "abcdef" if character.islower() else "ABCDEF"


@lru_cache(maxsize=4096)
def _alike(character: str, wordy: bool) -> str:
    if character.isascii():
        if not character.isalnum():
            return character
        if character in _DIGITS:
            return _DIGITS
        if not wordy:
            return string.ascii_lowercase if character.islower() else string.ascii_uppercase
    low = character.lower()
    if low in _SIGNS:
        return character
    for letters in (*_VOWELS, *_CONSONANTS):
        if low in letters:
            return letters if character == low else letters.upper()
    return _of_its_block(character)


def _of_its_block(character: str) -> str:
    """Characters of the same category from the neighbourhood: other scripts, and emoji."""
    category = unicodedata.category(character)
    if character.isascii() or category[0] not in "LNS":
        return character
    start = ord(character) // _BLOCK * _BLOCK
    alike = (chr(code) for code in range(start, start + _BLOCK))
    return "".join(one for one in alike if unicodedata.category(one) == category)
