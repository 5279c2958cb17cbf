"""Heads of requests that came before: a bot sends the same one again and again, and need not have it read again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from aimyproxy.answering.repeats import Repeats
from aimyproxy.mockserver.heard import Heard

if TYPE_CHECKING:
    from aimyproxy.mockserver.heard import RawHeaders

_END: Final = b"\r\n\r\n"
_MOST: Final = 1_024
_LONGEST: Final = 2_048


class _Known(NamedTuple):
    """What a head says; `length` is that of the body behind it, `size` what the head counts for."""

    method: str
    target: bytes
    headers: RawHeaders
    limit: int
    length: int
    size: int


class Heads:
    """The heads that came again; for all connections of a server, whose limits are the same."""

    def __init__(self) -> None:
        self._known: Repeats[_Known] = Repeats(_MOST, _MOST * _LONGEST)

    def heard(self, data: bytes) -> Heard | None:
        """The request that these bytes are, no more and no less; None where it has to be read to know."""
        end = data.find(_END) + len(_END)
        known = self._known.get(data[:end])
        if known is None:
            return None
        method, target, headers, limit, length, size = known
        raw = data[end:]
        return Heard(method, target, headers, raw, "", limit, size + length) if len(raw) == length else None

    def read(self, data: bytes, heard: Heard) -> None:
        """Take note of a request that was read from these bytes, and had nothing unusual in its head."""
        end = data.find(_END) + len(_END)
        head = data[:end]
        if end > _LONGEST or not self._known.again(head) or heard.last or data[end:] != heard.raw:
            return
        length = len(heard.raw)
        known = _Known(heard.method, heard.target, heard.headers, heard.limit, length, heard.size - length)
        self._known.keep(head, known)
