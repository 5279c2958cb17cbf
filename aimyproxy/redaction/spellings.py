"""The spellings of a value inside texts (JSON, URLs, HTML, base64), what to look for them by, and replacing them."""

from __future__ import annotations

import base64
import html
import re
from functools import cached_property
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from aimyproxy import jsonvalue
from aimyproxy.redaction.shapes import with_digits

if TYPE_CHECKING:
    from collections.abc import Iterator

SHORTEST_NEEDLE: Final = 7
"""Bytes of the shortest needle that may stand inside a word."""

_LONGEST_NEEDLE: Final = 64
_PIECE: Final = re.compile(r"[A-Za-z0-9]+|[^\x00-\x7f]+|.", re.DOTALL)
# What no usual encoding spells otherwise.
_PLAIN_RUN: Final = re.compile(r"[A-Za-z0-9._~-]+")
# What is left as it is in URLs: by those who trust nothing, by most, by browsers.
_SAFE: Final = ("", "/", "!$&'()*+,;=:@/?")
_PERCENT: Final = re.compile(r"%[0-9A-F]{2}")
_WORD: Final = re.compile(r"[A-Za-z0-9]+")
_CONTROLS: Final = {"\n": "n", "\r": "r", "\t": "t", "\b": "b", "\f": "f"}
_ENTITIES: Final = {"&": "amp|#38", "<": "lt|#60", ">": "gt|#62", '"': "quot|#34|#x22", "'": "apos|#39|#x27"}
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?")
_PHONE: Final = re.compile("[1-9][0-9]{9,14}")
_BETWEEN: Final = "[ ()\u00a0-]{0,3}"
_HEX: Final = "[0-9A-Fa-f]"
# A pattern of so many pieces takes seconds to make, and hundreds of megabytes.
_MOST_PIECES: Final = 1_000
_AFTER_ESCAPE: Final = rf"(?<=%{_HEX}{{2}})|(?<=\\[nrtbf])|(?<=\\u{_HEX}{{4}})"
_DIGIT_BEFORE: Final = rf"(?:(?<![0-9])|{_AFTER_ESCAPE})"
_LETTER_BEFORE: Final = rf"(?:(?<![^\W\d_])|{_AFTER_ESCAPE})"


class Spelled:
    """A value and what stands for it: as many characters, the same but for letters and digits.

    `apart` values are found only where no letter continues their own first or last letter, and no digit their digit;
    `encoded` ones in base64 and hexadecimal digits, too. `cases` are the same value in capital and small letters, which
    are known besides.
    """

    def __init__(
        self, text: str, replacement: str, *, apart: bool, encoded: bool = True, cases: tuple[str, ...] = ()
    ) -> None:
        self.text = text
        self.replacement = replacement
        self.apart = apart
        self.encoded = encoded
        self.cases = cases
        self.is_number = _NUMBER.fullmatch(text) is not None

    @cached_property
    def word(self) -> bytes | None:
        """The longest word of ASCII in a value that is too short for a needle; None where it has one."""
        if len(self.text.encode("utf-8", "surrogatepass")) >= SHORTEST_NEEDLE:
            return None
        return max(_WORD.findall(self.text), key=len, default="").encode() or None

    @cached_property
    def needles(self) -> tuple[bytes, ...]:
        """Bytes of which one stands in every UTF-8 or JSON text that spells the value; none where it is too short."""
        run = max(_PLAIN_RUN.findall(self.text), key=len, default="").encode()
        if "@" in self.text:
            # The longest run of many an address is that of a provider with millions of users.
            spelled = set(_encodings(self.text[: max(15, self.text.index("@") + 1)]))
        else:
            spelled = {run} if len(run) >= SHORTEST_NEEDLE else set(_encodings(self.text))
        spelled |= {old.encode() for old, _ in self.fragments}
        spelled |= {tail.encode() for tail in self._tails}
        # Of a long one its end is enough: who looks for all of it looks for ever where text and needle repeat a letter.
        return tuple({needle[-_LONGEST_NEEDLE:] for needle in spelled if len(needle) >= SHORTEST_NEEDLE})

    def may_be_in(self, raw: bytes) -> bool:
        """Whether the bytes (UTF-8 or JSON) spell the value, as far as that is quickly told."""
        if not self.encoded and not self._tails and not all(run in raw for run in self._runs):
            return False
        return any(needle in raw for needle in self.needles)

    @cached_property
    def _runs(self) -> list[bytes]:
        """What every spelling has in it, but for base64."""
        return [run.encode() for run in _PLAIN_RUN.findall(self.text)]

    @cached_property
    def fragments(self) -> tuple[tuple[str, str], ...]:
        """What stands in base64 or hexadecimal digits that encode the value, and what to replace it by."""
        old, new = (text.encode("utf-8", "surrogatepass") for text in (self.text, self.replacement))
        if not self.encoded or len(old) < SHORTEST_NEEDLE - 1 or len(old) != len(new):
            return ()
        found = [
            (_fragment(old, offset, altchars), _fragment(new, offset, altchars))
            for offset in range(3)
            for altchars in (b"+/", b"-_")
        ]
        digits = old.hex(), new.hex()
        found += [digits, (digits[0].upper(), digits[1].upper())]
        return tuple(dict.fromkeys(found))

    def substituted(self, text: str) -> str:
        """The text with the replacement wherever the value is spelled, spelled alike."""
        if self._plain:
            text = text.replace(self.text, self.replacement)
        elif self._intricate:
            text = self._encoded_alike(text)
        else:
            text = self._pattern.sub(self._spelled_alike, text)
        for old, new in self.fragments:
            text = text.replace(old, new)
        # A pattern takes as long to make as a hundred exchanges take to look through.
        return self._written.sub(self._written_alike, text) if any(tail in text for tail in self._tails) else text

    @cached_property
    def _tails(self) -> tuple[str, ...]:
        """The last seven digits as people write them, if the value may be a phone number."""
        if not _PHONE.fullmatch(self.text):
            return ()
        return tuple({separator.join(tail) for separator in " -" for tail in _groups(self.text[-7:])})

    @cached_property
    def _written(self) -> re.Pattern[str]:
        """How people write the digits of a phone number; +7 and 8 are the same to them."""
        first = "[78]" if len(self.text) == 11 and self.text[0] in "78" else self.text[0]
        return re.compile(f"(?<![0-9]){first}" + "".join(_BETWEEN + digit for digit in self.text[1:]) + "(?![0-9])")

    def _written_alike(self, found: re.Match[str]) -> str:
        prefix = found[0][0] if found[0][0] != self.text[0] else self.replacement[0]
        return with_digits(found[0], prefix + self.replacement[1:])

    @cached_property
    def _plain(self) -> bool:
        return not self.apart and _PLAIN_RUN.fullmatch(self.text) is not None

    def _encoded_alike(self, text: str) -> str:
        # No spelling is shorter than the value.
        if len(text) < len(self.text):
            return text
        for one, other in zip(_encodings(self.text), _encodings(self.replacement), strict=False):
            text = text.replace(one.decode("utf-8", "surrogatepass"), other.decode("utf-8", "surrogatepass"))
        return text

    @cached_property
    def _intricate(self) -> bool:
        return sum(1 for _ in _PIECE.finditer(self.text)) > _MOST_PIECES

    @cached_property
    def _pieces(self) -> list[tuple[str, str]]:
        found = _PIECE.finditer(self.text)
        return [(piece.group(), self.replacement[piece.start() : piece.end()]) for piece in found]

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        pattern = "".join(old if _WORD.fullmatch(old) else f"({_spellings(old)})" for old, _ in self._pieces)
        if self.apart:
            pattern = f"{_before(self.text[0])}{pattern}{_behind(self.text[-1])}"
        return re.compile(pattern)

    def _spelled_alike(self, found: re.Match[str]) -> str:
        groups = iter(found.groups())
        return "".join(
            new if _WORD.fullmatch(old) else _spelled_as(next(groups), old, new) for old, new in self._pieces
        )


def _groups(seven: str) -> Iterator[tuple[str, ...]]:
    """The last seven digits of a phone number in the groups that they are written in."""
    yield seven[:3], seven[3:5], seven[5:]
    yield seven[:3], seven[3:]
    yield (seven,)


def _encodings(text: str) -> Iterator[bytes]:
    """How the text is usually spelled, in the same order for all texts."""
    raw = text.encode("utf-8", "surrogatepass")
    inside = jsonvalue.dumps(text)[1:-1]
    yield from (raw, inside)
    yield jsonvalue.dumps(inside.decode())[1:-1]
    yield html.escape(text).encode("utf-8", "surrogatepass")
    for percent in (*(quote(raw, safe=safe) for safe in _SAFE), quote(raw, safe="").replace("%20", "+")):
        low = _PERCENT.sub(lambda found: found[0].lower(), percent)
        yield from (percent.encode(), low.encode(), quote(percent).encode())
    if not text.isascii():
        # Inside a JSON string each backslash is two.
        for slashes in ("\\", "\\\\", "\\\\\\\\"):
            for form in ("04x", "04X"):
                units = (f"{slashes}u{unit:{form}}" if unit > 127 else chr(unit) for unit in _units(text))
                yield "".join(units).encode()


def _fragment(raw: bytes, offset: int, altchars: bytes) -> str:
    """The characters of base64 that depend on nothing but these bytes, where they begin at this offset modulo 3."""
    encoded = base64.b64encode(bytes(offset) + raw + bytes(2), altchars)
    return encoded[-(-8 * offset // 6) : 8 * (offset + len(raw)) // 6].decode()


def _spellings(piece: str) -> str:
    """A pattern of all that may stand for characters that are no ASCII letters or digits."""
    percent = "".join(f"%(?:25)*(?i:{byte:02x})" for byte in piece.encode("utf-8", "surrogatepass"))
    unicode = "".join(rf"\\+(?i:u{unit:04x})" for unit in _units(piece))
    found = [re.escape(piece), percent, unicode]
    if piece in _CONTROLS:
        found.append(rf"\\+{_CONTROLS[piece]}")
    if piece in ('"', "\\", "/"):
        found.append(rf"\\+{re.escape(piece)}" if piece != "\\" else r"\\+")
    if piece == " ":
        found.append(r"\+")
    if piece in _ENTITIES:
        found.append(f"&(?:{_ENTITIES[piece]});")
    # The longest first: one backslash must not stand for two.
    return "|".join(reversed(found))


def _spelled_as(spelling: str, old: str, new: str) -> str:
    if old == new:
        return spelling
    if spelling == old:
        return new
    if spelling[0] == "%":
        return quote(new.encode("utf-8", "surrogatepass"), safe="")
    if spelling[0] == "\\":
        slashes = spelling[: len(spelling) - len(spelling.lstrip("\\"))]
        return "".join(f"{slashes}u{unit:04x}" for unit in _units(new))
    return html.escape(new)


def _units(text: str) -> list[int]:
    raw = text.encode("utf-16-be", "surrogatepass")
    return [int.from_bytes(raw[start : start + 2], "big") for start in range(0, len(raw), 2)]


def _before(first: str) -> str:
    return _DIGIT_BEFORE if first.isdecimal() else _LETTER_BEFORE if first.isalpha() else ""


def _behind(last: str) -> str:
    return "(?![0-9])" if last.isdecimal() else r"(?![^\W\d_])" if last.isalpha() else ""
