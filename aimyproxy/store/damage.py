"""What a power failure leaves of a file: what came after the last flush may be on the disk in part, and in any part.

Behind the last good document then stand zeros where nothing got through, and the brackets of an earlier moment where a
part of the disk (a sector) was not written again. Neither comes from a person who edits.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aimyproxy.store import lines

if TYPE_CHECKING:
    from collections.abc import Iterator

_SECTOR: Final = 512
"""The least that a disk writes whole; what is larger (pages, blocks) are multiples of it."""
_BLOCK: Final = 1024 * 1024
_APPENDED: Final = re.compile(rb',?\n"[1-9][0-9]*": \{')
_ZEROS: Final = re.compile(rb"\0+")
# What old brackets may hide of an append: the first one in a file, and others. Any digit stands for all.
_FIRST_STARTS: Final = (b'\n"1"', b'\n"11')
_STARTS: Final = (b',\n"1',)


@dataclass(frozen=True, slots=True)
class Walked:
    """The highest id in the file, and where its good documents end."""

    highest: int
    tail: lines.Tail


def walked(descriptor: int, start: int, tail: lines.Tail) -> Walked:
    """Look at each line from `start` to the tail; where lines are damaged, another tail comes back: from there on."""
    highest, sound = 0, True
    # Behind the header comes a line break, and behind the documents the brackets, as far as there are any.
    for text in _lines(descriptor, start + 1, tail.end):
        identity = lines.parse_identity(text)
        highest = max(highest, identity)
        sound = sound and identity > 0 and b"\0" not in text
    if not sound and (earlier := before_damage(descriptor, start)):
        return Walked(earlier.last_id, earlier)
    return Walked(highest, tail)


def before_damage(descriptor: int, start: int) -> lines.Tail | None:
    """Where the documents end that precede what a power failure left; None where it left nothing.

    `start` is where the header ends.
    """
    end, highest, position, separated = start, 0, start, True
    for text in _lines(descriptor, start, os.fstat(descriptor).st_size):
        if text.strip():
            identity, document = lines.parse_line(text) or (0, b"")
            if not (separated and document.endswith(b"}") and lines.is_document(document)):
                break
            separated = text.rstrip().endswith(b",")
            end = position + len(text.rstrip()) - separated
            highest = max(highest, identity)
        position += len(text)
    # An editor that takes no lock may make it shorter at any moment.
    rest = os.pread(descriptor, max(os.fstat(descriptor).st_size - end, 0), end)
    return lines.Tail(end, highest, rest) if _is_damage(rest, end, first=end == start) else None


def _is_damage(rest: bytes, offset: int, *, first: bool) -> bool:
    starts = _FIRST_STARTS if first else _STARTS
    return _has_hole(rest, offset) or any(
        (offset + length) % _SECTOR == 0 and any(_is_seam(rest, start, length) for start in starts)
        for length in range(1, len(lines.CLOSER) + 1)
    )


def _has_hole(rest: bytes, offset: int) -> bool:
    """Whether zeros reach to the end of a sector or of the file: those inside of one were put there by somebody."""
    ends = (found.end() for found in _ZEROS.finditer(rest))
    return any(end == len(rest) or (offset + end) % _SECTOR == 0 for end in ends)


def _is_seam(rest: bytes, start: bytes, length: int) -> bool:
    """Whether so many bytes of the old brackets hide the start of an append."""
    hidden, shown = start[:length], rest[:length]
    return hidden != shown == lines.CLOSER[:length] and _APPENDED.match(hidden + rest[length:]) is not None


def _lines(descriptor: int, start: int, end: int) -> Iterator[bytes]:
    """The lines from `start` to `end` with their line breaks."""
    begun: list[bytes] = []
    while start < end and (block := os.pread(descriptor, min(_BLOCK, end - start), start)):
        start += len(block)
        *whole, rest = block.split(b"\n")
        for text in whole:
            yield b"".join((*begun, text, b"\n"))
            begun.clear()
        begun.append(rest)
    if last := b"".join(begun):
        yield last
