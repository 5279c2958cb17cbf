"""Texts of others in what we say: safe on any terminal, and no longer than a reader needs."""

from __future__ import annotations

from typing import Final

LONGEST: Final = 60
"""How many characters of an event or a value are shown in a line, usually."""

_JOINERS: Final = "\u200c\u200d"


def printable(text: str) -> str:
    """The text with everything that would move a cursor or turn a line around as an escape."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() or character in _JOINERS else _escape(character) for character in text
    )


def printable_lines(text: str) -> str:
    """The same of a text whose line breaks are ours."""
    return text if text.isprintable() else "\n".join(map(printable, text.split("\n")))


def shortened(text: str, longest: int = LONGEST) -> str:
    """The text, cut in its middle where it is longer than so many characters."""
    if len(text) <= longest:
        return text
    end = longest // 3
    return f"{text[: longest - end - 1]}…{text[-end:]}"


def _escape(character: str) -> str:
    """As in JSON and JSONPath, where what is beyond 16 bits is two escapes."""
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[start : start + 4]}" for start in range(0, len(units), 4))
