from __future__ import annotations

import gzip
import tracemalloc
import zlib

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimyproxy.content import TooLargeError, body_of, kept_body, kept_text
from aimyproxy.exchange import Body

RAW_DEFLATE = zlib.compressobj(wbits=-15)
ENCODERS = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "identity": bytes,
    "": bytes,
}


@given(st.binary(min_size=1, max_size=200), st.lists(st.sampled_from(sorted(ENCODERS)), max_size=3))
def test_what_was_encoded_is_decoded(content, codings):
    """In any order and number."""
    raw = content
    for coding in codings:
        raw = ENCODERS[coding](raw)
    assert body_of(raw, ", ".join(codings).upper()) == Body.of(content)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "unheard-of"])
def test_a_lie_stays_as_it_came(coding):
    """Marked, so that whoever serves it again keeps the header."""
    assert body_of(b"not at all", coding) == Body("text", "not at all", encoded=True)
    cut = ENCODERS.get(coding, gzip.compress)(b"x" * 1000)[:-5]
    assert body_of(cut, coding).encoded


def test_deflate_without_a_header_is_understood():
    """Some servers send it so."""
    raw = RAW_DEFLATE.compress(b"{}") + RAW_DEFLATE.flush()
    assert body_of(raw, "deflate") == Body("json", {})


@pytest.mark.parametrize("coding", ["gzip", "br"])
def test_a_bomb_is_found_out(coding):
    """A small body that becomes a large one has to stop in time."""
    raw = ENCODERS[coding](b"0" * 1_000_000)
    assert body_of(raw, coding, 1_000_000).kind in ("json", "text")
    with pytest.raises(TooLargeError):
        body_of(raw, coding, 999_999)


def test_nothing_is_nothing():
    """An empty body has no encoding."""
    assert body_of(b"", "gzip") == Body()


def test_what_would_be_too_large_decoded_is_kept_as_it_came():
    """A recording holds it all the same."""
    raw = gzip.compress(b"x" * 101)
    assert kept_body(raw, "gzip", 101) == Body("text", "x" * 101)
    assert kept_body(raw, "gzip", 100) == Body("base64", raw, encoded=True)


@given(st.binary(max_size=20))
def test_every_header_is_kept_as_text_that_json_can_hold(raw):
    """UTF-8 where it is that, so that people can read it; nothing is lost where it isn't."""
    text = kept_text(raw)
    text.encode()
    assert raw in (text.encode(), text.encode("latin-1", "replace"))


def test_a_few_bytes_do_not_become_all_of_the_memory():
    """What a kilobyte of brotli unfolds to is looked at before the next bytes are."""
    compressor = brotli.Compressor(quality=5)
    bomb = b"".join([*(compressor.process(bytes(1_000_000)) for _ in range(600)), compressor.finish()])
    assert len(bomb) < 2_000
    tracemalloc.start()
    try:
        assert kept_body(bomb, "br", 1_000_000).encoded
        assert tracemalloc.get_traced_memory()[1] < 150_000_000
    finally:
        tracemalloc.stop()
