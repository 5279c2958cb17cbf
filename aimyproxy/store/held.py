"""A recording in memory as it is on the disk: seen at a glance in one pass, each exchange read when it is needed."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from aimyproxy.errors import InvalidDocument, InvalidJSON
from aimyproxy.store import lines
from aimyproxy.store.glancing import glance, variables, whole

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aimyproxy.errors import BrokenFile
    from aimyproxy.exchange import Exchange
    from aimyproxy.glance import Glance
    from aimyproxy.jsonvalue import JSON
    from aimyproxy.store.recording import Recording


class NotInLines(Exception):
    """The file is not as we write it, one document a line; a person edited it, or it is broken."""


class HeldRecording:
    """The exchanges as they were when this was made; what happens to the file later doesn't show.

    They take the memory that the file has on the disk, and 16 bytes each. `position` counts them from 0.

    Raises:
        NotInLines: the recording has to be walked in the ordinary way.
        StoreError: the operating system refused to read it.
        NewerFormat: a later version of aimyproxy wrote it.
    """

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        data = recording.line_bytes()
        if data is None:
            raise NotInLines
        self._data = data
        self._view = memoryview(data)
        self._identities: list[int] = []
        self._starts = array("Q")
        self._ends = array("Q")

    def glances(self) -> Iterator[tuple[int, Glance]]:
        """The ids and what a glance shows, in order; to be walked once, before anything is read.

        Raises:
            BrokenFile: an exchange is none.
            NotInLines: the recording has to be walked in the ordinary way.
        """
        for identity, start, end in self._documents():
            try:
                seen = glance(self._view[start:end])
            except InvalidDocument as error:
                raise self._recording.broken(identity, str(error)) from None
            except InvalidJSON:
                raise NotInLines from None
            self._identities.append(identity)
            self._starts.append(start)
            self._ends.append(end)
            yield identity, seen

    def exchange(self, position: int) -> Exchange:
        """The exchange at this position; raises BrokenFile where a glance didn't see what is wrong with it."""
        try:
            return whole(self._stored(position))
        except (InvalidDocument, InvalidJSON) as error:
            raise self._unreadable(position, error) from None

    def variables(self, position: int) -> dict[str, JSON] | None:
        """The variables of the request at this position, None where it has none; raises as `exchange`."""
        try:
            return variables(self._stored(position))
        except (InvalidDocument, InvalidJSON) as error:
            raise self._unreadable(position, error) from None

    def _unreadable(self, position: int, error: InvalidDocument | InvalidJSON) -> BrokenFile:
        # The place within the line says nothing: who reads the whole file tells the right one.
        problem = f"can't be read ({error.problem})" if isinstance(error, InvalidJSON) else str(error)
        return self._recording.broken(self._identities[position], problem)

    def _stored(self, position: int) -> memoryview:
        return self._view[self._starts[position] : self._ends[position]]

    def _documents(self) -> Iterator[tuple[int, int, int]]:
        """The id of each document, and where its bytes start and end."""
        data, size, previous = self._data, len(self._data), 0
        position = 0
        while position < size:
            found = data.find(b"\n", position)
            end = found if found >= 0 else size
            if end > position:
                identity, start = lines.parse_start(data, position)
                separated = data.endswith(b",", position, end)
                if identity <= previous or separated == (end == size):
                    raise NotInLines
                yield identity, start, end - separated
                previous = identity
            position = end + 1
