"""Known values, found again."""

import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimyproxy.redaction import known
from aimyproxy.redaction.known import KnownValues, searched
from aimyproxy.redaction.pseudonyms import Pseudonyms

PSEUDONYMS = Pseudonyms(b"k" * 32)


def knowing(*values, kind="secret", most=100):
    known = KnownValues(most)
    for value in values:
        known.add(value, PSEUDONYMS.of(value), kind)
    return known


def found(known, text):
    return [value.text for value in known.found_in(text.encode())]


@pytest.mark.parametrize(
    ("text", "kind", "how"),
    [
        ("s3cr3t", "secret", "apart"),
        ("GNVXJdeo:0123", "secret", "anywhere"),
        ("1234567890", "secret", "apart"),
        ("4242424242424242", "secret", "apart"),
        ("000000000000", "secret", None),
        ("1", "secret", None),
        ("abcde", "secret", None),
        ("aaaaaaaaaa", "secret", None),
        ("password", "secret", None),
        ("telegram", "secret", None),
        ("Иван", "personal", "apart"),
        ("Ян", "personal", None),
        ("1001", "personal", None),
        ("635678009", "personal", "apart"),
        ("start", "personal", None),
        ("size_l", "utterance", None),
        ("закажи пиццу", "utterance", "apart"),
        ("+7 999 123-45-67", "utterance", "apart"),
        ("ivan@mail.ru", "utterance", "apart"),
    ],
)
def test_what_is_looked_for(text, kind, how):
    """Only what is no usual word and long enough to be told from one."""
    assert searched(text, kind) == how


@given(st.integers(0, 40), st.integers(0, 40), st.integers(8, 40))
def test_a_value_is_found_at_any_place(before, after, length):
    """Wherever its bytes fall."""
    value = secrets.token_urlsafe(40)[:length]
    if searched(value, "secret"):
        assert found(knowing("other-value-9431", value), "x" * before + value + "y" * after) == [value]


def test_nothing_is_found_where_nothing_is_known_or_nothing_is_there():
    """No value, no text."""
    assert found(KnownValues(), "anything at all") == []
    assert found(knowing("GNVXJdeo:0123456789"), "GNVXJdeo:012345678") == []
    assert found(knowing("s3cr3t"), "s3cr3ts") == []


def test_short_values_are_found_as_words():
    """Between escapes, too."""
    known = knowing("s3cr3t")
    assert [found(known, text) for text in ('"s3cr3t"', "a\\ns3cr3t", "%20s3cr3t%20", "xs3cr3t")] == [
        ["s3cr3t"],
        ["s3cr3t"],
        ["s3cr3t"],
        [],
    ]


def test_the_longest_come_first():
    """So that a value inside another one doesn't break it."""
    known = knowing("abcd1234", "abcd1234-efgh5678")
    assert found(known, "abcd1234-efgh5678") == ["abcd1234-efgh5678", "abcd1234"]


def test_what_was_not_met_for_the_longest_time_is_forgotten():
    """The memory is bounded, and a value that comes again stays."""
    values = [f"value-{number}-{number * 7919:x}" for number in range(30)]
    known = KnownValues(20)
    for value in values:
        known.add(value, PSEUDONYMS.of(value), "secret")
        known.add(values[0], PSEUDONYMS.of(values[0]), "secret")
    assert len(known) == 20
    text = " ".join(values)
    assert set(found(known, text)) == {values[0], *values[-9:]}
    assert set(found(known, text.upper())) == {value.upper() for value in (values[0], *values[-9:])}
    assert sum(len(grams._spots) for grams in known._grams) < 20 * 60


def test_capital_and_small_letters():
    """A secret is found in both; of what may be a name, small letters are a word."""
    known = knowing("Pass-1f3k9Qz", "тайный-Пароль")
    assert found(known, "PASS-1F3K9QZ pass-1f3k9qz ТАЙНЫЙ-ПАРОЛЬ тайный-пароль pAss-1f3k9Qz") == [
        "тайный-пароль",
        "ТАЙНЫЙ-ПАРОЛЬ",
        "pass-1f3k9qz",
        "PASS-1F3K9QZ",
    ]
    assert found(knowing("Роза", "Ivan@Mail.ru", kind="personal"), "роза РОЗА ivan@mail.ru") == ["ivan@mail.ru", "РОЗА"]


@given(st.sets(st.from_regex(r"abc-[0-9]{2}-[a-z]{8}", fullmatch=True), min_size=1, max_size=40))
def test_few_are_found_as_many_are(values):
    """One by one or by machine words."""
    known, text = knowing(*values), " ".join(sorted(values))
    assert set(found(known, text)) == values
    for value in values:
        assert set(found(known, text.replace(value, "-"))) == values - {value}


def test_what_is_known_is_bounded_in_length_too(monkeypatch):
    """A few very long values must not take all of the memory."""
    monkeypatch.setattr(known, "_MOST_CHARACTERS", 100)
    values = KnownValues()
    for number in range(10):
        values.add(f"q{number}w{number}e{number}" * 6, "x" * 36, "secret")
    assert sum(map(len, values._values)) <= 100
    assert values.found_in(b"q9w9e9" * 6)
    assert not values.found_in(b"q1w1e1" * 6)
