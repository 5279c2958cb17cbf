"""Values that came before anybody knew what they are."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimyproxy.redaction.pseudonyms import Pseudonyms
from aimyproxy.redaction.strays import Strays
from tests.redaction.planting import secrets

PSEUDONYMS = Pseudonyms(b"k" * 32)


def strays(*values, kind="secret"):
    return Strays(PSEUDONYMS, {PSEUDONYMS.of(value): kind for value in values})


@given(st.lists(secrets, min_size=1, max_size=4, unique=True), st.text(max_size=5), st.text(max_size=5))
def test_what_a_replacement_stands_for_is_found(values, before, behind):
    """Inside texts, names and numbers."""
    found = dict(strays(*values).found_in([{before + value + behind: [value]} for value in values]))
    assert set(values) <= set(found)
    assert set(found.values()) == {"secret"}


@pytest.mark.parametrize("text", ["Мария", "a%20%D0%9C%D0%B0%D1%80%D0%B8%D1%8F", r"\u041c\u0430\u0440\u0438\u044f"])
def test_spellings(text):
    """Percent-encoded and escaped."""
    assert list(strays("Мария", kind="personal").found_in(text)) == [("Мария", "personal")]


def test_replacements_and_what_merely_looks_alike_are_none():
    """Also base64, which nothing here reads."""
    secret = "GNVXJdeo:0123456789abcdef"
    other = [PSEUDONYMS.of(secret), "ABCDEfgh:0123456789abcdef", base64.b64encode(secret.encode()).decode(), 12, None]
    assert list(strays(secret).found_in(other)) == []


def test_what_could_be_any_word_is_not_looked_for():
    """A token `1` is replaced where it stands only."""
    assert list(strays("1", "да").found_in({"a": "1", "b": "да"})) == []
