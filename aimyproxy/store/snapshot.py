"""Reading an appendable file: a consistent view, walked in bounded memory, while others append."""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Final, cast

from aimyproxy import jsonvalue
from aimyproxy.errors import BrokenFile, InvalidJSON, StoreError
from aimyproxy.store import damage, files, lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path
    from types import TracebackType

    from aimyproxy.jsonvalue import JSON

_BLOCK: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Layout:
    """What the file is at one moment: in line form (`tail` is set, documents begin at `start`), or parsed whole.

    `foreign` names the tables in it that are not ours and not empty.
    """

    about: dict[str, JSON]
    start: int
    tail: lines.Tail | None
    whole: dict[int, JSON] | None = None
    foreign: tuple[str, ...] = ()


def examine(descriptor: int, path: Path) -> Layout:
    """Look at the file's two ends (or parse it whole, where a person has edited it); hold its lock meanwhile.

    Raises:
        BrokenFile: where it is no JSON, or no recording.
    """
    size = os.fstat(descriptor).st_size
    start = _header_bytes(descriptor)
    parsed = lines.parse_header(start)
    if parsed is None:
        return _parse_whole(os.pread(descriptor, size, 0), path)
    about, header_end = parsed
    tail = _tail(descriptor, size, header_end)
    if tail is None or tail.unfinished:
        # Not as we write it: a person's edit is valid JSON, a crash's leftover never is.
        try:
            return _parse_whole(os.pread(descriptor, size, 0), path)
        except BrokenFile:
            tail = tail or damage.before_damage(descriptor, header_end)
            if tail is None:
                raise
    return Layout(about, header_end, tail)


def _header_bytes(descriptor: int) -> bytes:
    # Longer than a block is no header of ours.
    return os.pread(descriptor, _BLOCK, 0)


def _tail(descriptor: int, size: int, header_end: int) -> lines.Tail | None:
    # Whole are the last two lines and the brackets once five line breaks are in sight.
    offset, tail = size, b""
    while offset > header_end and tail.count(b"\n") < 5:
        length = min(max(_BLOCK, len(tail)), offset - header_end)
        offset -= length
        tail = os.pread(descriptor, length, offset) + tail
    if offset > header_end:
        first = tail.index(b"\n") + 1
        offset, tail = offset + first, tail[first:]
    return lines.parse_tail(tail, offset, header_end)


def _parse_whole(data: bytes, path: Path) -> Layout:
    try:
        text = files.decoded(data, path)
        tables = jsonvalue.loads_edited(text)
    except InvalidJSON as error:
        raise BrokenFile(
            path,
            f"not valid JSON: {error.problem}",
            line=error.line,
            column=error.column,
            advice="Nothing was changed; correct the file, or put back a copy of it.",
        ) from None
    return _tables_layout(tables, text, path)


def _tables_layout(tables: JSON, text: str, path: Path) -> Layout:
    if not isinstance(tables, dict) or not isinstance(tables.get(lines.DOCUMENTS), dict):
        raise BrokenFile(path, 'valid JSON, but no recording: it has no table "exchanges"')
    about = tables.get(lines.ABOUT)
    if not isinstance(about, dict) or not isinstance(about.get("1"), dict):
        raise BrokenFile(path, 'valid JSON, but no recording: it has no table "recording" with a document "1"')
    documents = tables[lines.DOCUMENTS]
    if wrong := lines.wrong_document(documents):
        key, problem = wrong
        line, column = jsonvalue.place_of(text, (lines.DOCUMENTS, key))
        raise BrokenFile(path, f"exchange {problem}", line=line, column=column)
    foreign = [name for name, table in tables.items() if table and name not in (lines.ABOUT, lines.DOCUMENTS)]
    foreign += [f"{lines.ABOUT}.{key}" for key in about if key != "1"]
    return Layout(about["1"], 0, None, {int(key): document for key, document in documents.items()}, tuple(foreign))


class Snapshot:
    """The file as it was when this was opened; what is appended or rewritten later doesn't show.

    `about` is the describing document, `torn` how many bytes of an unfinished append follow the last document;
    `closed` is false where the file doesn't end as JSON has to.
    Without `lock` the caller sees to it that nobody writes while this opens.
    """

    def __init__(self, path: Path, *, lock: bool = True) -> None:
        self.path = path
        try:
            self._file = os.fdopen(files.opened(path, os.O_RDONLY), "rb")
        except OSError as error:
            raise StoreError(f"{path} can't be read: {error.strerror}.") from None
        try:
            if lock:
                fcntl.flock(self._file, fcntl.LOCK_SH)
            self._layout = examine(self._file.fileno(), path)
            if lock:
                fcntl.flock(self._file, fcntl.LOCK_UN)
        except BaseException:
            self._file.close()
            raise
        self.about = self._layout.about
        self.closed = self._layout.tail is None or self._layout.tail.closed
        self.torn = len(self._layout.tail.unfinished) if self._layout.tail else 0

    def __enter__(self) -> Snapshot:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def __iter__(self) -> Iterator[tuple[int, JSON]]:
        """The ids and the documents, in the order of the file."""
        return self.parsed_by(jsonvalue.loads)

    def parsed_by(self, parse: Callable[[bytes], JSON]) -> Iterator[tuple[int, JSON]]:
        """As `iter`, with the caller's parser: it gives for a line what `jsonvalue.loads` does, or raises alike."""
        previous = 0
        for seen, (text, last) in enumerate(self._lines()):
            parsed = _parse_document(text, parse)
            if parsed is None or text.endswith(b",\n") == last or parsed[0] <= previous:
                # A person edited this, or it is broken: the parser of the whole tells which, and where.
                yield from islice(self._edited(parse), seen, None)
                return
            yield parsed
            previous = parsed[0]
        if self._layout.whole is not None:
            yield from self._layout.whole.items()

    def line_bytes(self) -> bytes | None:
        """All documents as they stand in the file, one a line; None where they don't."""
        if self._layout.tail is None:
            return None
        length = self._layout.tail.end - self._layout.start
        self._file.seek(self._layout.start)
        text = self._file.read(length)
        if len(text) < length:
            raise self._cut_short()
        return text

    def get(self, identity: int) -> JSON:
        """The document of this id, or None."""
        prefix = b'"%d": ' % identity
        named = [text for text, _ in self._lines() if text.startswith(prefix)]
        if len(named) == 1 and (parsed := _parse_document(named[0])):
            return parsed[1]
        found = None
        for known, document in self:
            if known == identity:
                found = document
        return found

    def _lines(self) -> Iterator[tuple[bytes, bool]]:
        if self._layout.tail is None:
            return
        position, end = self._layout.start, self._layout.tail.end
        self._file.seek(position)
        while position < end:
            try:
                text = self._file.readline(end - position)
            except OSError as error:
                raise StoreError(f"{self.path} can't be read: {error.strerror}.") from None
            if not text:
                raise self._cut_short()
            position += len(text)
            if text != b"\n":
                yield text, position == end

    def _cut_short(self) -> StoreError:
        return StoreError(f"{self.path} was cut short while it was read. Try again.")

    def _edited(self, parse: Callable[[bytes], JSON]) -> Iterable[tuple[int, JSON]]:
        tail = cast("lines.Tail", self._layout.tail)
        data = os.pread(self._file.fileno(), tail.end, 0) + lines.CLOSER
        try:
            return cast("dict[int, JSON]", _parse_whole(data, self.path).whole).items()
        except BrokenFile:
            if not self._shortened():
                raise
            return self.parsed_by(parse)

    def _shortened(self) -> bool:
        """Leave out what a power failure damaged, and what follows it; whether there is any."""
        layout = self._layout
        if layout.tail is None:
            return False
        tail = damage.walked(self._file.fileno(), layout.start, layout.tail).tail
        self._layout = replace(layout, tail=tail)
        self.torn = len(tail.unfinished)
        return tail.end < layout.tail.end

    def torn_anywhere(self) -> int:
        """As `torn`, and where a power failure left a hole, all that follows that; looks at every line."""
        self._shortened()
        return self.torn


def _parse_document(text: bytes, parse: Callable[[bytes], JSON] = jsonvalue.loads) -> tuple[int, JSON] | None:
    parsed = lines.parse_line(text)
    if parsed is None:
        return None
    try:
        return parsed[0], parse(parsed[1]) if jsonvalue.is_plain(parsed[1]) else jsonvalue.loads_stored(parsed[1])
    except InvalidJSON:
        return None
