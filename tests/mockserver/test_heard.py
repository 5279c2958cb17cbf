"""Requests as they came over the wire."""

from __future__ import annotations

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimyproxy.content import TooLargeError
from aimyproxy.exchange import Body
from aimyproxy.mockserver.heard import Heard


def heard(raw, coding, limit=1000):
    return Heard("POST", b"/", [], raw, coding, limit)


def test_the_request_is_as_it_would_have_been_recorded():
    """Path and query as they were asked for, headers in their order."""
    request = Heard("POST", b"/a%20b?c=%D0", [(b"x-name", "Иван".encode())], b'{"action": "a"}').request
    assert (request.method, request.path) == ("POST", "/a%20b?c=%D0")
    assert request.headers == (("x-name", "Иван"),)
    assert request.body == Body("json", {"action": "a"})
    assert Heard("GET", b"/", []).body == Body()


@pytest.mark.parametrize(
    ("coding", "raw"),
    [
        ("gzip", gzip.compress(b'{"a": 1}', mtime=0)),
        ("GZIP", gzip.compress(b'{"a": 1}', mtime=0)),
        ("deflate", zlib.compress(b'{"a": 1}')),
        ("deflate", zlib.compress(b'{"a": 1}', wbits=-15)),
        ("identity", b'{"a": 1}'),
    ],
)
def test_a_compressed_body_is_decompressed(coding, raw):
    """As recording does it."""
    assert heard(raw, coding).body == Body("json", {"a": 1})


@pytest.mark.parametrize(
    ("coding", "raw"),
    [("br", b"{}"), ("gzip", b"{}"), ("gzip", gzip.compress(b"{}", mtime=0)[:-3]), ("deflate", b"\xff\xff")],
)
def test_what_can_not_be_decompressed_stays_encoded(coding, raw):
    """It is what went over the wire."""
    body = heard(raw, coding).body
    assert body.encoded
    assert body.raw == raw


def test_a_bomb_is_too_large():
    """What decompresses beyond the limit is not decompressed."""
    bomb = gzip.compress(b"0" * 10_000, mtime=0)
    with pytest.raises(TooLargeError):
        _ = heard(bomb, "gzip", 9_999).body
    assert heard(bomb, "gzip", 10_000).body.value == "0" * 10_000


@given(st.binary(max_size=200), st.sampled_from(["gzip", "deflate", "br", "identity", "x"]))
def test_any_bytes_make_a_request(raw, coding):
    """Nothing that a bot sends is an error here."""
    request = Heard("POST", raw or b"/", [(b"x", raw)], raw, coding).request
    assert request.headers[0][1].encode("utf-8", "surrogateescape") == raw
