"""Which noise is recognised, and what is made of it."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimyproxy.answering import recognising
from aimyproxy.answering.fresh import Dice, Number, Token

NOW = 1795485600.123456  # 2026-11-24T02:00:00.123456Z
DICE = Dice(Random(1), lambda: NOW)


def recognised(values, moments=None):
    """The kind of these values, recorded at these moments, or at nobody knows which."""
    return recognising.recognised(values, moments or [None] * len(values))


BEGUN = 1767261600  # 2026-01-01T10:00:00Z
DAY = 86_400


def at(moment, form="%Y-%m-%dT%H:%M:%S"):
    """This moment in UTC, spelled so."""
    return datetime.fromtimestamp(moment, UTC).strftime(form)


@pytest.mark.parametrize(
    ("spelled", "made"),
    [
        (lambda moment: at(moment) + "Z", "2026-11-24T02:00:00Z"),
        (lambda moment: at(moment, "%Y-%m-%d %H:%M:%S.%f"), "2026-11-24 02:00:00.123456"),
        (lambda moment: at(moment) + ".1234567Z", "2026-11-24T02:00:00.1234560Z"),
        (lambda moment: at(moment, "%Y-%m-%dT%H:%MZ"), "2026-11-24T02:00Z"),
        (lambda moment: at(moment + 10800) + ".123+03:00", "2026-11-24T05:00:00.123+03:00"),
        (lambda moment: at(moment - 19800) + "-0530", "2026-11-23T20:30:00-0530"),
        (lambda moment: moment, 1795485600),
        (lambda moment: moment + 0.5, 1795485600.1),
        (lambda moment: moment * 1000 + 123, 1795485600123),
        (lambda moment: str(moment * 1000 + 123), "1795485600123"),
    ],
)
def test_a_timestamp_is_the_present(spelled, made):
    """In the recorded spelling, unit and zone; whether its clock went with the recording's tells that it is one."""
    moments = [BEGUN + step * DAY for step in range(5)]
    kind = recognised([spelled(moment) for moment in moments], moments)
    assert (kind.words, kind.made(DICE)) == ("a timestamp", made)
    scattered = [moment - step * 300 for step, moment in enumerate(moments)]
    assert getattr(recognised([spelled(moment) for moment in moments], scattered), "words", None) != "a timestamp"
    assert getattr(recognised([spelled(moment) for moment in moments], [None] * 5), "words", None) != "a timestamp"


def test_a_term_stays_as_far_off_as_it_was():
    """What ends in an hour ends in an hour; a clock without a zone shows its zone's time."""
    moments = [BEGUN + step for step in range(5)]
    assert recognised([moment + 3600 for moment in moments], moments).made(DICE) == 1795485600 + 3600
    assert recognised([at(moment + 10800) for moment in moments], moments).made(DICE) == "2026-11-24T05:00:00"
    far = [at(moment + 400 * DAY) for moment in moments]
    assert recognised(far, moments) is None


def test_late_and_rounded_clocks_are_clocks():
    """An answer takes its time, and a minute has sixty seconds."""
    moments = [BEGUN, BEGUN + 59, BEGUN + 61.5, BEGUN + 400, BEGUN + 700]
    shown = [at(moment, "%Y-%m-%d %H:%M") for moment in moments]
    assert recognised(shown, moments).made(DICE) == "2026-11-24 02:00"


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
        (["PZ-7KQ2", "PZ-WXYZ", "PZ-81AA", "PZ-QQ1R"], "PZ-[0-9A-Z]{4}"),
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
        (["№ 1731", "№ 0012", "№ 9599", "№ 0077"], r"№ \d{4}"),
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
        ["№ 1001", "№ 1002", "№ 1003", "№ 1004"],
        ["S1", "S4", "S2", "S3"],
        ["Monday", "Friday", "Sunday", "monday"],
        ["2026-99-01T10:00:00Z", "2026-99-02T10:00:00Z", "2026-99-03T10:00:00Z", "2026-99-04T10:00:00Z"],
        [10**400, 5, 10**401, 7],
        [9.5, float("nan"), 1.5, 2.5],
    ],
)
def test_what_is_not_plain_stays_as_recorded(values):
    """Counters, words, mixtures, and what was seen too seldom."""
    assert recognised(values) is None


MOMENTS = st.one_of(st.none(), st.integers(0, 2**33))


@given(
    st.one_of(
        st.lists(st.tuples(st.one_of(st.text(max_size=30), st.integers(), st.floats(), st.none()), MOMENTS)),
        st.lists(st.tuples(st.from_regex(r"[a-c]{0,2}[0-9]{1,5}", fullmatch=True), MOMENTS)),
        st.lists(st.tuples(st.floats(allow_nan=False, allow_infinity=False), MOMENTS)),
        st.lists(st.tuples(st.datetimes().map(str), MOMENTS)),
    )
)
def test_anything_may_be_noise(rows):
    """What is recognised makes values of the recorded types."""
    kind = recognised([value for value, _ in rows], [moment for _, moment in rows])
    if kind is not None:
        assert isinstance(kind.made(DICE), str) == isinstance(rows[0][0], str)


def test_the_same_dice_fall_the_same():
    """So that a run can be repeated."""
    kinds = [Token("", "abc", 20), Number(1, 10**9)]
    assert [kind.made(Dice(Random(7))) for kind in kinds] == [kind.made(Dice(Random(7))) for kind in kinds]


def test_the_usual_dice_know_the_time():
    """The present, not the recording's."""
    moments = [BEGUN + step for step in range(5)]
    made = recognised([at(moment) + "Z" for moment in moments], moments).made(Dice())
    assert datetime.fromisoformat(made) > datetime.fromtimestamp(BEGUN + DAY, UTC)


def test_a_text_with_noise_in_it():
    """Each place is of its own kind; what is the same in all stays."""
    texts = [
        f"Заказ {number * 7919 % 9001 + 500} на {number * 104729 % 97} ₽, код {number * 740503 % 10**6:06d}, касса 3"
        for number in range(1, 9)
    ]
    kind = recognised(texts)
    assert kind.words == "a text with a random number"
    assert kind.computable
    made = re.fullmatch(r"Заказ (\d+) на (\d+) ₽, код (\d{6}), касса 3", kind.made(DICE))
    assert 500 <= int(made[1]) <= 9500
    assert int(made[2]) < 97


def test_a_text_with_times_and_uuids_in_it():
    """Of which no formula is the reason."""
    moments = [BEGUN + step * DAY for step in range(5)]
    kind = recognised([f"{at(moment)}Z, номер {uuid.UUID(int=moment**4, version=4)}" for moment in moments], moments)
    assert kind.words == "a text with a timestamp and a UUID"
    assert not kind.computable
    assert re.fullmatch(r"2026-11-24T02:00:00Z, номер [0-9a-f-]{36}", kind.made(DICE))


@pytest.mark.parametrize(
    "texts",
    [
        ["Иван, 17", "Анна, 5", "Пётр, 11", "Олег, 2", "Яна, 8"],
        ["№ 1 и 17", "№ 1", "№ 1 и 11", "№ 1 и 2", "№ 1 и 8"],
        [f"№ {10**number}, {uuid.UUID(int=5)}{number}" for number in range(17, 23)],
    ],
)
def test_what_differs_in_words_is_no_text_with_noise(texts):
    """Nor where the places differ, or a number is longer than numbers are."""
    assert recognised(texts) is None


@pytest.mark.parametrize(
    ("values", "counting"),
    [
        ([3, 5, 6, 9, 11, 12], True),
        ([3, 5, 6, 9, 11], False),
        ([3, 5, 5, 9, 11, 12], False),
        ([True, 5, 6, 9, 11, 12], False),
        ([f"Заказ {number} из 2" for number in (98, 99, 100, 103, 104, 110)], True),
        ([f"Заказ {number} из {number % 3}" for number in (98, 99, 100, 103, 104, 110)], False),
        ([f"Заказ {'9' * number}" for number in range(15, 25)], False),
        (["Иван"] * 6, False),
        (["Иван 1"] * 6, False),
        ([*"абвгде"], False),
        ([1, 2, 3, 4, 5, "6"], False),
    ],
)
def test_what_only_counts_over_all_users(values, counting):
    """Alone, or as the only numbers in texts that differ in nothing else."""
    assert recognising.counts(values) is counting
