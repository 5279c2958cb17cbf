"""Texts of others in what we say."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimyproxy.wording import printable, printable_lines, shortened


@given(st.text(st.characters()))
def test_no_text_does_anything_to_a_terminal(text):
    """And as part of JSON it stays the same value."""
    shown = printable(text)
    assert all(character.isprintable() or character in "\u200c\u200d" for character in shown)
    assert printable(shown) == shown
    assert json.loads(printable(json.dumps(text, ensure_ascii=False))) == text


@pytest.mark.parametrize("text", ["Привет, Иван! 🍕", "👩\u200d🍳", "", " a b "])
def test_what_people_write_stays_as_it_is(text):
    """Emoji of several parts, too."""
    assert printable(text) == text


@given(st.text(st.characters()))
def test_line_breaks_may_be_ours(text):
    """Then they stay, and nothing else does."""
    assert printable_lines(text).split("\n") == [printable(line) for line in text.split("\n")]


@given(st.text(), st.integers(3, 100))
def test_nothing_is_longer_than_wanted(text, longest):
    """Its beginning and its end are kept; what is short enough stays."""
    shown = shortened(text, longest)
    if len(text) <= longest:
        assert shown == text
    else:
        assert len(shown) == longest
        start, _, end = shown.rpartition("…")
        assert text.startswith(start)
        assert text.endswith(end)
