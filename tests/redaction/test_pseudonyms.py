"""What stands for a value."""

import json
import re
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimyproxy import jsonvalue
from aimyproxy.redaction.pseudonyms import Pseudonyms, name_of
from aimyproxy.redaction.shapes import alphabets
from tests.strategies import scalars

PSEUDONYMS = Pseudonyms(b"k" * 32)
ALIKE = [
    ("79991234567", r"79\d{9}"),
    ("+7 (999) 123-45-67", r"\+79? \(\d{3}\) \d{3}-\d\d-\d\d|\+7 \(9\d\d\) \d{3}-\d\d-\d\d"),
    ("635678009", r"[1-9]\d{8}"),
    ("Иван", r"[А-ЯЁ][а-яё]{3}"),
    ("ivan.petrov@mail.ru", r"[a-z]{4}\.[a-z]{6}@[a-z]{4}\.ru"),
    ("GNVXJdeo:0123456789abcdef", r"[A-Z]{5}[a-z]{3}:\d{10}[a-z]{6}"),
    ("da1b15e9f6d0c3c8", r"[0-9a-f]{16}"),
    ("47C73714", r"[0-9A-F]{8}"),
    ("dXNlcjpwYXNz==", r"[A-Za-z]{12}=="),
]


@pytest.mark.parametrize(("text", "shape"), ALIKE)
def test_it_looks_alike(text, shape):
    """It has the length, the alphabet and the punctuation of the value, and isn't it."""
    made = PSEUDONYMS.of(text)
    assert made != text
    assert re.fullmatch(shape, made)


def test_a_uuid_stays_a_uuid():
    """Of the same version."""
    made = PSEUDONYMS.of("aaa99bea-aae1-41d2-aede-76e4f13b0ccc")
    assert UUID(made).version == 4
    assert str(UUID(made)) == made


def test_a_phone_number_is_the_same_however_it_is_written():
    """The formatted number is the format of the other one's digits."""
    plain, formatted = PSEUDONYMS.of("79991234567"), PSEUDONYMS.of("+7 (999) 123-45-67")
    assert re.sub(r"\D", "", formatted) == plain
    assert PSEUDONYMS.of("89991234567") == "8" + plain[1:]


@given(scalars)
def test_the_type_stays_and_json_can_hold_it(value):
    """A number stays a number of as many digits, null and booleans are what they were."""
    made = PSEUDONYMS.for_value(value)
    assert type(made) is type(value)
    assert jsonvalue.loads(jsonvalue.dumps([made])) == [made] or isinstance(value, str)
    if isinstance(value, str):
        assert len(made) == len(value)
        assert alphabets(made) == alphabets(value) or made[:1] == "+"
    elif isinstance(value, int) and not isinstance(value, bool):
        assert len(str(made)) == len(str(value))
        assert -(2**63) <= made < 2**64


@given(st.sets(st.one_of(st.text(max_size=3), st.integers(0, 300).map(str), st.text("абв", max_size=4)), max_size=60))
def test_different_values_get_different_ones(values):
    """However few values a shape has room for."""
    assert len({PSEUDONYMS.of(value) for value in values}) == len(values)


def test_every_value_of_a_small_shape_is_used_once():
    """The hundred two-digit codes change places."""
    codes = {f"a{number:02}" for number in range(100)}
    made = {PSEUDONYMS.of(code) for code in codes}
    assert len(made) == 100
    assert not any(PSEUDONYMS.of(code) == code for code in codes)


def test_another_key_makes_others():
    """And the same key the same, in any process."""
    other = Pseudonyms(b"o" * 32)
    assert [other.of(text) for text, _ in ALIKE] != [PSEUDONYMS.of(text) for text, _ in ALIKE]
    assert [Pseudonyms(b"k" * 32).of(text) for text, _ in ALIKE] == [PSEUDONYMS.of(text) for text, _ in ALIKE]


def test_what_has_no_letters_or_digits_stays():
    """There is nothing in it to hide behind."""
    assert [PSEUDONYMS.of(text) for text in ("", "-", "0", "\u200d")] == ["", "-", "0", "\u200d"]


def test_the_text_of_a_number_is_replaced_as_the_number():
    """An id that is a number here and a text there stays one id."""
    assert str(PSEUDONYMS.for_value(635678009)) == PSEUDONYMS.of("635678009")
    assert json.dumps(PSEUDONYMS.for_value(1180.5)) == PSEUDONYMS.of("1180.5")


# A number keeps its exponent, which may be most of it.
LONG = st.from_regex(r"(?![0-9]+[eE])([A-Za-z0-9]{30,40}|[0-9a-f]{32}|[бвгджзклмнБВГ]{24,30})", fullmatch=True)


@given(LONG)
def test_long_replacements_bear_a_mark_of_their_key(value):
    """So that they can be told from values, also from those that another key made."""
    made = PSEUDONYMS.of(value)
    assert PSEUDONYMS.made(made) is True
    assert PSEUDONYMS.made(value) is False
    assert Pseudonyms(b"o" * 32).made(made) is False


@pytest.mark.parametrize("value", ["79991234567", "+7 (999) 123-45-67", "hunter2", "Иван", "4000123412341234", ""])
def test_short_ones_have_no_room_for_one(value):
    """Nobody can tell then."""
    assert PSEUDONYMS.made(value) is None
    assert PSEUDONYMS.made(PSEUDONYMS.of(value)) is None


def test_a_key_has_a_name():
    """It tells keys apart."""
    assert name_of(b"k" * 32) == name_of(b"k" * 32) != name_of(b"o" * 32)
    assert re.fullmatch("[0-9a-f]{8}", name_of(b"k" * 32))


@given(st.text("abzАЯбё019-@. ", min_size=1, max_size=30) | st.from_regex(r"[0-9a-fA-F-]{8,40}", fullmatch=True))
def test_capital_letters_make_capital_letters(value):
    """So that a value that somebody wrote in capitals still goes with the others."""
    made = PSEUDONYMS.of(value)
    assert PSEUDONYMS.of(value.upper()) == made.upper()
    assert PSEUDONYMS.of(value.lower()) == made.lower()
    assert [letter.isupper() for letter in made] == [letter.isupper() for letter in value]


@given(st.text("abcxyzАБВийк0123456789 .-_=é", max_size=40), st.integers(1_000, 5_000), st.sampled_from("ab"))
def test_long_values_have_replacements_of_their_shape_too(text, length, last):
    """Every place of them counts, the last one too; what is made bears its mark."""
    value = (f"k{text}" * length)[:length] + last
    made = PSEUDONYMS.of(value)
    assert made == Pseudonyms(b"k" * 32).of(value)
    assert alphabets(made) == alphabets(value)
    assert made != value
    assert made[:-1] != PSEUDONYMS.of(value[:-1] + "c")[:-1]
    if PSEUDONYMS.made(value) is not None:
        assert PSEUDONYMS.made(made)
        assert not PSEUDONYMS.made(value)


def test_a_value_of_a_megabyte_is_replaced_at_all():
    """Were all of it one number, this would not end."""
    value = "Aq7-" * 250_000
    made = PSEUDONYMS.of(value)
    assert alphabets(made) == alphabets(value)
    assert made[-4:] != value[-4:] or made[-8:] != value[-8:]
    assert len({made[place : place + 4] for place in range(0, len(made), 4)}) > 1_000
