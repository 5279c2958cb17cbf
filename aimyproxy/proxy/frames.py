"""What a worker and the process that holds the recording say to each other: frames of a kind, a number and bytes."""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_HEAD: Final = struct.Struct("!IBQ")


class Kind(IntEnum):
    """What a frame means, and what its number and its bytes are."""

    READY = 1
    """The worker takes connections."""
    FAILED = 2
    """The worker can't begin: the reason."""
    EXCHANGE = 3
    """An exchange to keep: a number of the worker's own; the stored form, nothing where it has none."""
    SERVED = 4
    """The bot was sent its answer: the exchange's id."""
    REFUSED = 5
    """A request was refused: the refusal's number."""
    TROUBLE = 6
    """Something went wrong that is no exchange's own: what."""
    KEPT = 7
    """An exchange is recorded: the worker's number; the id in digits."""
    NOT_KEPT = 8
    """An exchange is not recorded: the worker's number."""
    STOP = 9
    """No more connections: end when all that is in flight is answered. Said again: end without waiting."""


class Frame(NamedTuple):
    """One message of either side."""

    kind: Kind
    number: int = 0
    content: bytes = b""

    def __bytes__(self) -> bytes:
        return _HEAD.pack(len(self.content), self.kind, self.number) + self.content


class Frames:
    """Makes frames of bytes that come in pieces of any size."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that are whole with these bytes."""
        buffer = self._buffer
        buffer += data
        start = 0
        while len(buffer) >= start + _HEAD.size:
            length, kind, number = _HEAD.unpack_from(buffer, start)
            end = start + _HEAD.size + length
            if len(buffer) < end:
                break
            yield Frame(Kind(kind), number, bytes(buffer[start + _HEAD.size : end]))
            start = end
        del buffer[:start]
