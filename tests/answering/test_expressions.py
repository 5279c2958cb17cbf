from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimyproxy.answering.expressions import (
    ABSENT,
    Constant,
    Copy,
    Echo,
    Linear,
    Pair,
    Text,
    Unknown,
    number,
    spelled,
)
from aimyproxy.answering.features import OCCURRENCE, Situation
from aimyproxy.jsonvalue import is_number
from tests.strategies import values

HERE = Situation({"name": "Иван", "qty": 3, "price": 2.5, "ok": True, "none": None, "order": {"items": [1, 2]}}, 4, "m")


def test_a_constant_is_always_the_same():
    """Nothing included; long ones are told in short."""
    assert Constant([1]).value(HERE) == [1]
    assert Constant(ABSENT).value(HERE) is ABSENT
    assert (Constant("да").words(), Constant(ABSENT).words(), repr(ABSENT)) == ('always "да"', "nothing", "nothing")
    assert len(Constant("x" * 500).words()) < 70
    assert Constant("x" * 500).words().endswith("…")


def test_an_echo_is_what_the_request_has_or_nothing():
    """Of any kind."""
    assert Echo(("order",)).value(HERE) == {"items": [1, 2]}
    assert Echo(("none",)).value(HERE) is None
    assert Echo(("missing",)).value(HERE) is ABSENT
    assert Echo(("order", "items", 9)).value(HERE) is ABSENT
    assert Echo(("order", "to")).words() == "the request's order.to"


def test_a_copy_needs_its_value():
    """Scalars, containers, and what is no variable at all; it is not made of nothing."""
    assert Copy(("name",)).value(HERE) == "Иван"
    assert Copy(("order", "items")).value(HERE) == [1, 2]
    assert Copy(OCCURRENCE).value(HERE) == 4
    assert Copy(("none",)).value(HERE) is None
    with pytest.raises(Unknown):
        Copy(("missing",)).value(HERE)
    assert Copy(OCCURRENCE).words() == "how often the user was here"


def test_a_number_is_multiplied_and_moved():
    """Whole numbers stay whole, and the rounding of floats does not show."""
    assert Linear(("qty",), 2, 1).value(HERE) == 7
    assert isinstance(Linear(("price",), 2, 0).value(HERE), int)
    assert Linear(("price",), 1, 0.1).value(HERE) == 2.6
    assert Linear(("price",), 0.1 * 3 / 0.3, 0).value(HERE) == 2.5
    for path in (("name",), ("ok",), ("missing",)):
        with pytest.raises(Unknown):
            Linear(path, 2, 0).value(HERE)
    assert Linear(("qty",), 2, 0).words() == "qty × 2"
    assert Linear(("qty",), 1, 5).words() == "qty + 5"
    assert Linear(("qty",), 3, -5).words() == "qty × 3 − 5"


def test_two_numbers_are_multiplied_or_added():
    """In a sum, what is missing is 0, as before the first addition."""
    assert Pair(("qty",), ("price",), product=True).value(HERE) == 7.5
    assert Pair(("qty",), ("qty",), product=True).value(HERE) == 9
    assert Pair(("qty",), ("price",), product=False).value(HERE) == 5.5
    assert Pair(("qty",), ("missing",), product=False).value(HERE) == 3
    for pair in (Pair(("qty",), ("missing",), product=True), Pair(("qty",), ("name",), product=False)):
        with pytest.raises(Unknown):
            pair.value(HERE)
    assert Pair(("qty",), ("price",), product=True).words() == "qty × price"
    assert Pair(("qty",), ("price",), product=False).words() == "qty + price"


def test_a_text_is_filled_in():
    """Numbers as people write them; what is no text and no number stands in no text."""
    text = Text((("name",), ": ", ("qty",), " × ", ("price",)))
    assert text.value(HERE) == "Иван: 3 × 2.5"
    assert text.words() == '"{name}: {qty} × {price}"'
    for path in (("missing",), ("ok",), ("none",)):
        with pytest.raises(Unknown):
            Text(("a ", path)).value(HERE)


@pytest.mark.parametrize(("value", "text"), [("а", "а"), ("", ""), (7, "7"), (7.0, "7"), (7.5, "7.5"), (1e20, "1e+20")])
def test_values_are_spelled_as_in_texts(value, text):
    """Whole floats without their point."""
    assert spelled(value) == text


def test_a_boolean_is_no_number():
    """Though Python thinks so."""
    assert not is_number(True)
    assert is_number(0)
    assert is_number(0.5)
    assert number(HERE, ("qty",)) == 3
    with pytest.raises(Unknown):
        number(HERE, ("ok",))


@given(values)
def test_any_value_may_be_a_constant_and_has_words(value):
    """And an echo and a copy of it are it."""
    here = Situation({"v": value}, 1, None)
    assert Constant(value).value(here) is value
    assert Constant(value).words().startswith("always ")
    assert Echo(("v",)).value(here) is value
    assert json.dumps(Copy(("v",)).value(here)) == json.dumps(value)


@given(st.lists(st.sampled_from(["Это ", "!", ("name",), ("qty",)]), min_size=1, max_size=4))
def test_a_text_may_be_what_it_makes(parts):
    """And nothing that begins or ends differently, or is no text."""
    text = Text(tuple(parts))
    assert text.may_be(text.value(HERE))
    assert not text.may_be(3)
    assert text.may_be("вот") == (not isinstance(parts[0], str) and not isinstance(parts[-1], str))
