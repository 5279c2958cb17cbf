from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimyproxy.diff.arrays import Arrays
from aimyproxy.diff.structure import Difference, differences
from aimyproxy.jsonvalue import canonical
from tests.diff.test_structure import applied
from tests.strategies import scalars

names = st.one_of(st.integers(0, 5), st.sampled_from("012"))
goods = st.lists(st.fixed_dictionaries({"sku": names, "price": st.integers(0, 2)}), max_size=7)


def unique(elements):
    return list({(type(one["sku"]), one["sku"]): one for one in elements}.values())


@given(goods.map(unique), goods.map(unique))
def test_elements_with_a_key_are_told_apart_by_it(before, after):
    """The key itself never changes where any is on both sides, and nothing is lost."""
    found = differences(before, after)
    assert applied(before, found) == after
    if {canonical(one["sku"]) for one in before} & {canonical(one["sku"]) for one in after}:
        assert all(one.path[-1] != "sku" for one in found)


@given(st.lists(scalars, max_size=6), st.lists(scalars, max_size=6))
def test_a_set_differs_by_its_elements_only(before, after):
    """Order means nothing, the number of equal elements does."""
    told = Arrays(sets=frozenset({()}))
    found = differences(before, after, told)
    assert Counter(map(canonical, applied(before, found))) == Counter(map(canonical, after))
    assert differences(before, before[::-1], told) == []


def test_a_changed_price_is_one_change_whatever_was_inserted():
    """By content the first element would differ in everything."""
    before = [{"sku": "a", "price": 1}, {"sku": "b", "price": 2}]
    after = [{"sku": "new", "price": 9}, {"sku": "a", "price": 5}, {"sku": "b", "price": 6}]
    assert differences(before, after) == [
        Difference((0,), "added", None, after[0]),
        Difference((1, "price"), "changed", 1, 5),
        Difference((2, "price"), "changed", 2, 6),
    ]


def test_an_element_in_another_place_is_removed_and_added():
    """The fewest elements are called moved."""
    before, after = ([{"id": n} for n in order] for order in ((1, 2, 3, 4), (4, 1, 2, 3)))
    assert [(one.kind, one.path) for one in differences(before, after)] == [("added", (0,)), ("removed", (3,))]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([{"id": 1}, {"id": 1}], [{"id": 2}, {"id": 1}]),
        ([{"id": 1}, 5], [{"id": 2}, 5]),
        ([{"id": 1}], [{"id": 2}]),
        ([{"id": [1]}], [{"id": [2]}]),
        ([{"id": True}], [{"id": False}]),
    ],
)
def test_what_does_not_name_every_element_is_no_key(before, after):
    """Where ids repeat, are missing, have nothing in common or are no names, elements are compared in order."""
    (found,) = differences(before, after)
    assert found.kind == "changed"


def test_a_key_that_is_told_wins():
    """Over those that we know, in that array only."""
    before = {"rows": [{"id": 1, "n": "a"}, {"id": 2, "n": "b"}]}
    after = {"rows": [{"id": 2, "n": "a"}, {"id": 1, "n": "b"}]}
    told = Arrays(keys={("rows",): "n"})
    assert [(one.kind, one.path) for one in differences(before, after, told)] == [
        ("changed", ("rows", 0, "id")),
        ("changed", ("rows", 1, "id")),
    ]
    assert {"added", "removed"} < {one.kind for one in differences(before, after)}
