"""The appendable file's form: a TinyDB database with one document a line. Pure: bytes in, facts out.

    {"recording": {"1": {…}},
    "exchanges": {
    "1": {…},
    "2": {…}
    }}

An append overwrites the closing brackets with `,\\n"3": {…}\\n}}\\n` in one write, so what a crash can leave behind is
a complete file followed by a beginning of such a write.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aimyproxy import jsonvalue
from aimyproxy.errors import InvalidJSON

if TYPE_CHECKING:
    from aimyproxy.jsonvalue import JSON

ABOUT: Final = "recording"
"""The table of one document that describes the file."""
DOCUMENTS: Final = "exchanges"
"""The table whose documents stand one a line."""

CLOSER: Final = b"\n}}\n"
IDENTITY: Final = "[1-9][0-9]{0,17}"
"""What an id looks like as a key: a whole number from 1 that 64 bit hold, spelled in one way."""
_LINE_START: Final = re.compile(b'"(%s)": (?=\\{)' % IDENTITY.encode())
_HEADER: Final = re.compile(rb'(\{"recording": \{"1": \{.*\}\}),\r?\n"exchanges": \{')
# Python refuses to make a number of thousands of digits; here only their end matters.
_DECODER: Final = json.JSONDecoder(strict=False, parse_int=str)


@dataclass(frozen=True, slots=True)
class Tail:
    """Where the documents end: the offset just behind the last complete one, its id, and all that follows it."""

    end: int
    last_id: int
    rest: bytes = CLOSER

    @property
    def closed(self) -> bool:
        """Whether the file ends as it should."""
        return self.rest == CLOSER

    @property
    def unfinished(self) -> bytes:
        """What is torn of a document: the rest less separators and brackets."""
        return self.rest.strip(b",\n}")


def wrong_document(table: dict[str, JSON]) -> tuple[str, str] | None:
    """The first key of a table that is no id, or whose value is no document, and what is wrong with it, in words."""
    for key, document in table.items():
        if not re.fullmatch(IDENTITY, key):
            return (
                key,
                f"{_shown(key)} is no id: ids are whole numbers from 1, of at most 18 digits, with no 0 in front",
            )
        if not isinstance(document, dict):
            return key, f"{key}: it has to be an object, not {jsonvalue.kind_of(document)}"
    return None


def _shown(key: str) -> str:
    return repr(key) if len(key) <= 30 else f"{key[:30]!r}…"


def header(about: dict[str, JSON]) -> bytes:
    """The first two lines, without the line break that each document brings along."""
    return b'{"recording": {"1": %s},\n"exchanges": {' % jsonvalue.dumps(about)


def line(identity: int, document: bytes, *, first: bool) -> bytes:
    """One document as it stands in the file, with the line break (and the comma) that part it from the one before."""
    return b'%s\n"%d": %s' % (b"" if first else b",", identity, document)


def parse_header(start: bytes) -> tuple[dict[str, JSON], int] | None:
    """The describing document and the header's length, or None where the file is not in line form."""
    found = _HEADER.match(start)
    if not found:
        return None
    try:
        tables = jsonvalue.loads_edited((found[1] + b"}").decode())
    except (InvalidJSON, UnicodeDecodeError):
        return None
    if tables.keys() != {ABOUT} or tables[ABOUT].keys() != {"1"}:
        return None
    return tables[ABOUT]["1"], found.end()


def parse_line(text: bytes) -> tuple[int, bytes] | None:
    """The id and the document's bytes of one line (with or without its comma and line break), or None."""
    found = _LINE_START.match(text)
    if not found:
        return None
    if text.endswith(b"},\n"):
        return int(found[1]), text[found.end() : -2]
    return int(found[1]), text[found.end() :].rstrip(b"\r\n").removesuffix(b",")


def parse_start(text: bytes, position: int) -> tuple[int, int]:
    """The id of the line that begins at this position, and where its document does; (0, 0) where it has none."""
    found = _LINE_START.match(text, position)
    return (int(found[1]), found.end()) if found else (0, 0)


def parse_identity(text: bytes) -> int:
    """The id of one line; 0 where it has none."""
    found = _LINE_START.match(text)
    return int(found[1]) if found else 0


def parse_tail(tail: bytes, offset: int, header_end: int) -> Tail | None:
    """Where the documents end, seen from the file's last bytes.

    `tail` begins at `offset`, at the start of a line or at `header_end`, and holds the last two lines and the closing
    brackets whole. None means that the file is neither complete nor torn by a crash: a person edited it.
    """
    if tail.endswith(CLOSER):
        start = tail.rfind(b"\n", 0, -len(CLOSER)) + 1
        parsed = parse_line(tail[start : -len(CLOSER)])
        # A comma behind the last document is what deleting the next one by hand leaves.
        if parsed and is_document(parsed[1]) and not tail.endswith(b"," + CLOSER):
            return Tail(offset + len(tail) - len(CLOSER), parsed[0])
    end, last_id = _last_complete(tail, offset, header_end)
    if end is None:
        return None
    found = Tail(end, last_id, tail[end - offset :])
    return found if _torn_by_a_crash(found) else None


def _last_complete(tail: bytes, offset: int, header_end: int) -> tuple[int | None, int]:
    starts = [0, *(found.end() for found in re.finditer(rb"\n", tail))]
    for start in reversed(starts):
        found = _LINE_START.match(tail, start)
        if found and (length := _object_length(tail[found.end() :])):
            return offset + found.end() + length, int(found[1])
    return (header_end, 0) if offset == header_end else (None, 0)


def _torn_by_a_crash(tail: Tail) -> bool:
    """Whether what is torn is a beginning of one append, written over the old closing brackets."""
    if b"\n" in tail.unfinished:
        return False
    # An append that got past the old brackets' four bytes left nothing of them behind itself.
    return len(tail.unfinished) <= 2 or not tail.rest.endswith(CLOSER)


def is_document(document: bytes) -> bool:
    """Whether these bytes are a JSON object."""
    try:
        return isinstance(jsonvalue.loads(document), dict)
    except InvalidJSON:
        return False


def _object_length(text: bytes) -> int:
    """The length of the JSON object that the text begins with, or 0."""
    # As Latin-1 a character is a byte, and all that structures JSON is ASCII.
    try:
        return _DECODER.raw_decode(text.decode("latin-1"))[1]
    except (json.JSONDecodeError, RecursionError):
        return 0
