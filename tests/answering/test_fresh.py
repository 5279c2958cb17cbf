"""Which noise is recognised, and what is made of it."""

from __future__ import annotations

import re
import uuid
from datetime import datetime
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimyproxy.answering.fresh import Dice, Number, Token, recognised

NOW = 1795485600.123456  # 2026-11-24T02:00:00.123456Z
DICE = Dice(Random(1), lambda: NOW)


@pytest.mark.parametrize(
    ("values", "made"),
    [
        ([f"2026-01-0{day}T10:00:00Z" for day in range(1, 6)], "2026-11-24T02:00:00Z"),
        ([f"2026-01-0{day} 10:00:00.12{day}456" for day in range(1, 6)], "2026-11-24 02:00:00.123456"),
        ([f"2026-01-0{day}T10:00:00.12{day}+03:00" for day in range(1, 6)], "2026-11-24T05:00:00.123+03:00"),
        ([f"2026-01-0{day}T10:00:00-0530" for day in range(1, 6)], "2026-11-23T20:30:00-0530"),
        ([1767225600 + step for step in range(5)], 1795485600),
        ([1767225600.5 + step for step in range(5)], 1795485600.1),
        ([1767225600123 + step for step in range(5)], 1795485600123),
        ([str(1767225600123 + step) for step in range(5)], "1795485600123"),
    ],
)
def test_a_timestamp_is_the_present(values, made):
    """In the recorded spelling, unit and zone."""
    kind = recognised(values)
    assert (kind.words, kind.made(DICE)) == ("a timestamp", made)


@pytest.mark.parametrize("capital", [False, True])
def test_a_uuid_is_a_new_one(capital):
    """Of the same version."""
    values = [str(uuid.uuid4()) for _ in range(6)]
    made = recognised([value.upper() for value in values] if capital else values).made(DICE)
    assert uuid.UUID(made).version == 4
    assert made.isupper() == capital
    assert made.lower() not in values


@pytest.mark.parametrize(
    ("values", "pattern"),
    [
        (["4f0a9c1d", "9e8d7c6b", "0a1b2c3d", "77ffaa01"], "[0-9a-f]{8}"),
        (["4F0A9C1D", "9E8D7C6B", "0A1B2C3D", "77FFAA01"], "[0-9A-F]{8}"),
        (["aZ3kLm90x", "bY4kLm81y", "cX5kLm72z", "dW6kLm63w"], "[0-9a-zA-Z]{9}"),
    ],
)
def test_a_token_is_a_new_one(values, pattern):
    """Of the same length and alphabet."""
    made = recognised(values).made(DICE)
    assert re.fullmatch(pattern, made)
    assert made not in values


@pytest.mark.parametrize(
    ("values", "pattern"),
    [
        ([731, 12, 599, 77], r"\d+"),
        ([0.25, 0.5, 0.75, 0.125], r"0\.\d{1,3}"),
        (["0731", "0012", "9599", "0077"], r"\d{4}"),
    ],
)
def test_a_random_number_is_in_the_recorded_range(values, pattern):
    """With as many decimals or digits."""
    kind = recognised(values)
    for _ in range(50):
        made = kind.made(DICE)
        assert type(made) is type(values[0])
        assert re.fullmatch(pattern, str(made))
        assert min(values) <= made <= max(values)


@pytest.mark.parametrize(
    "values",
    [
        [1, 2, 3],
        [1, 2, 3, 4, 5],
        [101, 102, 105, 109, 110],
        ["Иван", "Анна", "Пётр", "Мария"],
        ["margherita", "pepperonia", "quattrofor", "caprichosa"],
        ["2026-01-01T10:00:00Z", "2026-01-02T10:00:00Z", "вчера", "2026-01-03T10:00:00Z", "2026-01-04T10:00:00Z"],
        ["2026-01-01T10:00:00Z", "2026-01-02T10:00:00", "2026-01-03T10:00:00Z", "2026-01-04T10:00:00Z"],
        [True, False, True, False],
        [1, "2", 3, 4],
        [None, {}, [], 1],
        ["12", "7", "901", "44"],
    ],
)
def test_what_is_not_plain_stays_as_recorded(values):
    """Counters, words, mixtures, and what was seen too seldom."""
    assert recognised(values) is None


@given(st.lists(st.one_of(st.text(max_size=30), st.integers(), st.floats(), st.none(), st.booleans())))
def test_anything_may_be_noise(values):
    """What is recognised makes values of the recorded types."""
    kind = recognised(values)
    if kind is not None:
        assert isinstance(kind.made(DICE), str) == isinstance(values[0], str)


def test_the_same_dice_fall_the_same():
    """So that a run can be repeated."""
    kinds = [Token("abc", 20), Number(1, 10**9)]
    assert [kind.made(Dice(Random(7))) for kind in kinds] == [kind.made(Dice(Random(7))) for kind in kinds]


def test_the_usual_dice_know_the_time():
    """The present, not the recording's."""
    made = recognised([f"2020-01-0{day}T10:00:00Z" for day in range(1, 6)]).made(Dice())
    assert datetime.fromisoformat(made).year > 2025
