"""Bytes of messages in the form that recordings keep: Content-Encoding undone (gzip, deflate, br), headers as text."""

from __future__ import annotations

import zlib
from typing import Final

from aimyproxy.exchange import Body

ACCEPTED: Final = "gzip, deflate, br"
"""The Accept-Encoding for what `body_of` undoes."""

_BROTLI_PIECE: Final = 64
"""So many bytes become 100 MB at most: one of brotli's blocks has a head of ten bytes and makes 16 MB."""

# gzip and zlib by their headers; then deflate without one, as some servers send it.
_WINDOWS: Final = {"gzip": (31,), "x-gzip": (31,), "deflate": (47, -15)}


class TooLargeError(Exception):
    """A body is beyond the limit, as it came or decoded."""


def body_of(raw: bytes, content_encoding: str, limit: int = 0) -> Body:
    """The decoded body; `encoded` and as it came where the encoding is unknown, or a lie.

    Raises:
        TooLargeError: it decodes to more than `limit` bytes (0: no limit).
    """
    content: bytes | None = raw
    # The encoding that was applied last stands last.
    for coding in reversed(content_encoding.lower().split(",")):
        if content and coding.strip() not in ("", "identity"):
            content = _decoded(content, coding.strip(), limit)
    return Body.of(raw, encoded=True) if content is None else Body.of(content)


def kept_body(raw: bytes, content_encoding: str, limit: int) -> Body:
    """As `body_of`, but what decodes to more than `limit` bytes stays as it came: it may be all of the memory."""
    try:
        return body_of(raw, content_encoding, limit)
    except TooLargeError:
        return Body.of(raw, encoded=True)


def kept_text(raw: bytes) -> str:
    """A header, a path or a method as text: UTF-8, or else Latin-1, so that every JSON parser reads it again."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _decoded(raw: bytes, coding: str, limit: int) -> bytes | None:
    if coding == "br":
        return _brotli(raw, limit)
    for window in _WINDOWS.get(coding, ()):
        decompressor = zlib.decompressobj(window)
        try:
            content = decompressor.decompress(raw, limit)
        except zlib.error:
            continue
        if decompressor.unconsumed_tail:
            raise TooLargeError
        if decompressor.eof:
            return content
    return None


def _brotli(raw: bytes, limit: int) -> bytes | None:
    import brotli  # type: ignore[import-untyped]  # it has none

    decompressor, parts, size = brotli.Decompressor(), [], 0
    try:
        # Piece by piece: a small body must not become all of the memory before it is looked at.
        for start in range(0, len(raw), _BROTLI_PIECE):
            parts.append(decompressor.process(raw[start : start + _BROTLI_PIECE]))
            size += len(parts[-1])
            if limit and size > limit:
                raise TooLargeError
    except brotli.error:
        return None
    return b"".join(parts) if decompressor.is_finished() else None
