"""The spellings of a value inside texts."""

import base64
import html
import json
import re
from urllib.parse import quote, quote_plus, unquote, unquote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aimyproxy.redaction.pseudonyms import Pseudonyms
from aimyproxy.redaction.shapes import with_digits
from aimyproxy.redaction.spellings import Spelled

PSEUDONYMS = Pseudonyms(b"k" * 32)
VALUES = ["GNVXJdeo:0123456789abcdef", 'p@ss "w/rd" & <é>\n', "пароль№1", "a.b-c_d~e", "tail-\\-back", "S3cret/+=="]


def spelled(value, *, apart=False):
    return Spelled(value, PSEUDONYMS.of(value), apart=apart)


def text_in_json(text):
    return json.dumps(json.dumps(text))


FORMS = [
    (str, str),
    (json.dumps, json.loads),
    (lambda text: json.dumps(text, ensure_ascii=False), json.loads),
    (text_in_json, lambda text: json.loads(json.loads(text))),
    (lambda text: quote(text, safe=""), unquote),
    (quote, unquote),
    (lambda text: re.sub("%..", lambda found: found[0].lower(), quote(text)), unquote),
    (quote_plus, unquote_plus),
    (lambda text: quote(quote(text)), lambda text: unquote(unquote(text))),
    (html.escape, html.unescape),
]


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("form", range(len(FORMS)))
def test_every_usual_spelling_is_replaced_and_reads_as_the_replacement(value, form):
    """What encodes the text around the value decodes to the text around the replacement."""
    encode, decode = FORMS[form]
    one, text = spelled(value), encode(f"id={value}; ok")
    assert decode(one.substituted(text)) == f"id={one.replacement}; ok"
    assert any(needle in text.encode() for needle in one.needles)


@given(st.sampled_from(VALUES), st.binary(max_size=6), st.binary(max_size=6), st.sampled_from([b"+/", b"-_"]))
def test_base64_at_any_offset(value, before, after, altchars):
    """The value is found inside what was encoded, and the rest decodes as it was."""
    one = spelled(value)
    text = base64.b64encode(before + value.encode() + after, altchars).decode()
    assert any(needle in text.encode() for needle in one.needles)
    decoded = base64.b64decode(one.substituted(text), altchars)
    assert value.encode() not in decoded
    assert (decoded[: len(before)], decoded[len(decoded) - len(after) :]) == (before, after)
    # The first and the last letter may share their base64 character with what stands beside them.
    assert one.replacement.encode()[1:-2] in decoded


@pytest.mark.parametrize(
    ("value", "text", "found"),
    [
        ("79991234567", "resterisk-40112-pizza-79991234567", True),
        ("79991234567", "1279991234567", False),
        ("79991234567", "799912345678", False),
        ("79991234567", "?tel=%2B79991234567", True),
        ("79991234567", "?tel%2079991234567", True),
        ("Иван", "Привет, Иван!", True),
        ("Иван", "Привет, Иванович!", False),
        ("Иван", "tg_Иван_1", True),
        ("Иван", r"\u041f\nИван", True),
        ("John", r"line\nJohn", True),
        ("John", "Johnson", False),
        ("9f2c", "chatwidget-40112-9f2c", True),
        ("9f2c", "a9f2c1", True),
    ],
)
def test_values_that_stand_apart(value, text, found):
    """They aren't found inside other words and numbers; an escape before them is neither."""
    one = spelled(value, apart=True)
    assert (one.substituted(text) != text) is found


def test_a_short_value_is_a_word():
    """Its needle would be anywhere: it is looked for as a word."""
    assert spelled("s3cr3t").word == b"s3cr3t"
    assert spelled("a-b-c1").word == b"c1"
    assert spelled("?-!").word is None
    assert spelled("GNVXJdeo").word is None


def test_the_needle_of_an_address_is_not_its_providers():
    """Thousands of users have addresses at the same one."""
    assert not any(needle == b"gmail.com" for needle in spelled("ivanov@gmail.com").needles)


@given(st.text(min_size=1, max_size=12), st.text(max_size=8), st.text(max_size=8))
@example("\ud800abcdefg", "", "")
@example("\\\\abc12", "\\", "")
def test_a_value_is_gone_from_any_text(value, before, after):
    """Whatever it is made of."""
    one = spelled(value)
    if one.replacement != value and value not in before + one.replacement + after:
        assert one.replacement in one.substituted(before + value + after)


def test_numbers():
    """What JSON spells as a number."""
    assert [spelled(text).is_number for text in ("12", "-1.5", "1e+22", "007", "1,5")] == [
        True,
        True,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize(
    "written",
    [
        "+7 (999) 123-45-67",
        "8 (999) 123-45-67",
        "8-999-123-45-67",
        "+7 999 1234567",
        "7 999 123 45 67",
        "8(999)123-4567",
    ],
)
def test_a_phone_number_however_it_is_written(written):
    """It stays written that way, and 8 stays 8."""
    one = Spelled("79991234567", "79204618350", apart=True)
    text = f"Call {written}, please"
    assert any(needle in text.encode() for needle in one.needles)
    assert one.substituted(text) == f"Call {with_digits(written, written.strip('+')[0] + '9204618350')}, please"


def test_what_only_looks_like_a_phone_number():
    """Longer numbers, and those with other signs between the digits."""
    one = Spelled("79991234567", "79204618350", apart=True)
    for text in ("179991234567", "7 999 123 45 678", "7.999.123.45.67", "7999123456"):
        assert one.substituted(text) == text


@pytest.mark.parametrize(("encode", "decode"), FORMS)
def test_a_value_of_very_many_pieces_is_replaced_without_a_pattern(encode, decode):
    """Who sends one must not keep all others waiting until that is made."""
    value = 'S3cret-(")' * 400
    known = spelled(value)
    assert decode(known.substituted(f"<{encode(value)}>")[1:-1]) == known.replacement
    assert "_pattern" not in vars(known)


def test_needles_are_short():
    """What is looked for at each place of a text must not cost as much as the longest value."""
    long = spelled("S3cret-(" * 300)
    assert max(map(len, long.needles)) == 64
    assert long.may_be_in(json.dumps("S3cret-(" * 300).encode())
