"""Many needles found at once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimyproxy.redaction.grams import FEW, Grams

ALIKE = st.lists(st.text("ab", min_size=15, max_size=24).map(str.encode), min_size=FEW + 1, max_size=40, unique=True)


def knowing(needles, size=8):
    grams = Grams(size)
    for needle in needles:
        grams.add(needle, needle.decode())
    return grams


@pytest.mark.parametrize("size", [4, 8])
@given(ALIKE, st.text("abc", max_size=20).map(str.encode), st.data())
def test_exactly_what_stands_there_is_found(size, needles, between, data):
    """However alike the needles are, and wherever they stand; also after others have gone."""
    grams = knowing(needles, size)
    gone = data.draw(st.sets(st.sampled_from(needles)))
    for needle in gone:
        grams.remove(needle, needle.decode())
    text = between.join(data.draw(st.lists(st.sampled_from(needles), max_size=4)))
    expected = {needle.decode() for needle in needles if needle in text and needle not in gone}
    assert grams.found_in(text) == expected


@given(ALIKE)
def test_nothing_is_left_of_what_has_gone(needles):
    """The memory is that of what is there."""
    grams = knowing(needles)
    for needle in needles:
        grams.remove(needle, needle.decode())
    assert (grams._needles, grams._spots, grams._shared) == ({}, {}, {})


def test_texts_may_share_a_needle():
    """The longest run of letters of several values, say."""
    grams = knowing(b"needle-of-others-%02d" % number for number in range(FEW + 1))
    for text in ("one", "two"):
        grams.add(b"a-needle-of-both", text)
    assert grams.found_in(b"this is a-needle-of-both!") == {"one", "two"}
    grams.remove(b"a-needle-of-both", "one")
    assert grams.found_in(b"this is a-needle-of-both!") == {"two"}


def test_numbers_in_a_row_are_one_spot_each():
    """Their words lead to a handful of places, not to each of them."""
    grams = knowing(b"4000%012d" % number for number in range(2000))
    assert max(map(len, grams._spots.values())) <= 8
    assert grams.found_in(b"card 4000000000000777!") == {"4000000000000777"}
