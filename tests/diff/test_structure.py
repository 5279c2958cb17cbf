from __future__ import annotations

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimyproxy.diff.structure import Difference, differences, patch, pattern, pointer
from aimyproxy.jsonvalue import kind_of, same
from tests.strategies import scalars, values

arrays_alike = st.lists(st.sampled_from([0, 1, 1.0, True, "a", None, {"k": 1}, {"k": 2}, [1], [2]]), max_size=12)


def nested(value):
    """The value or a near relative of it: what two versions of a webhook answer."""
    if isinstance(value, dict):
        return st.fixed_dictionaries({}, optional={key: nested(member) for key, member in value.items()})
    if isinstance(value, list):
        return st.lists(st.one_of(*map(nested, value), scalars), max_size=len(value) + 2) if value else st.just([1])
    return st.just(value) | scalars


pairs_of_relatives = values.flatmap(lambda value: st.tuples(st.just(value), nested(value)))
any_pair = st.one_of(st.tuples(values, values), st.tuples(arrays_alike, arrays_alike), pairs_of_relatives)


def at(value, path):
    for step in path:
        value = value[step]
    return value


def put(root, path, value, *, insert):
    if not path:
        return value
    holder = at(root, path[:-1])
    if insert and isinstance(holder, list):
        holder.insert(path[-1], value)
    else:
        holder[path[-1]] = value
    return root


def copy(value):
    if isinstance(value, dict):
        return {key: copy(member) for key, member in value.items()}
    return [copy(element) for element in value] if isinstance(value, list) else value


def applied(before, found):
    """What the docstring of `differences` promises."""
    result = copy(before)
    for difference in reversed([one for one in found if one.kind == "removed"]):
        del at(result, difference.path[:-1])[difference.path[-1]]
    for difference in found:
        if difference.kind == "added":
            result = put(result, difference.path, copy(difference.after), insert=True)
    for difference in found:
        if difference.kind in ("changed", "type"):
            result = put(result, difference.path, copy(difference.after), insert=False)
    return result


@given(values)
def test_a_value_does_not_differ_from_itself(value):
    """Nor from a copy."""
    assert differences(value, copy(value)) == []


@given(any_pair)
def test_there_is_no_difference_exactly_where_two_values_mean_the_same(pair):
    """`1` and `1.0` are the same, `1` and `true` are not."""
    assert (differences(*pair) == []) == same(*pair)


@given(any_pair)
def test_every_path_points_at_what_it_says(pair):
    """Into the first value where something was removed, else into the second."""
    before, after = pair
    for difference in differences(before, after):
        if difference.kind == "removed":
            assert at(before, difference.path) is difference.before
            assert difference.after is None
        else:
            assert at(after, difference.path) is difference.after
        if difference.kind == "added":
            assert difference.before is None
        if difference.kind == "changed":
            assert kind_of(difference.before) == kind_of(difference.after) not in ("object", "array")
        if difference.kind == "type":
            assert kind_of(difference.before) != kind_of(difference.after)


@given(any_pair)
def test_the_differences_make_the_first_value_the_second(pair):
    """Nothing is missing from them."""
    before, after = pair
    assert same(applied(before, differences(before, after)), after)


def resolved(text):
    """The steps of a JSON Pointer (RFC 6901), all texts."""
    return [step.replace("~1", "/").replace("~0", "~") for step in text.split("/")[1:]]


def patched(value, operations):
    """RFC 6902, as far as add, remove and replace go."""
    root = [copy(value)]
    for operation in operations:
        holder, last = root, "0"
        for step in resolved(operation["path"]):
            holder = holder[int(last) if isinstance(holder, list) else last]
            last = step
        key = int(last) if isinstance(holder, list) else last
        if isinstance(holder, list) and operation["op"] == "add":
            assert 0 <= key <= len(holder)
            holder.insert(key, copy(operation["value"]))
        elif operation["op"] == "remove":
            del holder[key]
        else:
            assert operation["op"] == "add" or isinstance(holder, list) or key in holder
            holder[key] = copy(operation["value"])
    return root[0]


@given(any_pair)
def test_the_patch_makes_the_first_value_the_second(pair):
    """As any program reads it that knows JSON Patch."""
    before, after = pair
    assert same(patched(before, patch(differences(before, after))), after)


def test_a_patch_is_spelled_as_the_rfc_does():
    """What is removed goes first, from behind; keys are escaped."""
    before, after = {"a/b": 1, "m~n": [1, 2, 3], "gone": 1}, {"a/b": 2, "m~n": [2], "new": None}
    assert patch(differences(before, after)) == [
        {"op": "remove", "path": "/gone"},
        {"op": "remove", "path": "/m~0n/2"},
        {"op": "remove", "path": "/m~0n/0"},
        {"op": "add", "path": "/new", "value": None},
        {"op": "replace", "path": "/a~1b", "value": 2},
    ]
    assert patch(differences(1, [])) == [{"op": "replace", "path": "", "value": []}]


@given(st.lists(st.text() | st.integers(0, 9)))
def test_a_pointer_leads_back_to_its_path(path):
    """Whatever is in the keys."""
    assert resolved(pointer(tuple(path))) == [str(step) for step in path]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (1, 1.0, []),
        (1, True, [Difference((), kind="type", before=1, after=True)]),
        ([0], [False], [Difference((0,), kind="type", before=0, after=False)]),
        (None, {}, [Difference((), "type", None, {})]),
        ({}, [], [Difference((), "type", {}, [])]),
        ("a", "b", [Difference((), "changed", "a", "b")]),
        ({"a": None}, {}, [Difference(("a",), "removed", None, None)]),
        ({}, {"a": None}, [Difference(("a",), "added", None, None)]),
        ({"a": {"b": [1, {"c": 2}]}}, {"a": {"b": [1, {"c": 3}]}}, [Difference(("a", "b", 1, "c"), "changed", 2, 3)]),
        ([1, 2, 3], [0, 1, 2, 3], [Difference((0,), "added", None, 0)]),
        ([1, 2, 3], [2, 3], [Difference((0,), "removed", 1, None)]),
        ([1, 2, 3, 4], [1, 3, 4, 5], [Difference((1,), "removed", 2, None), Difference((3,), "added", None, 5)]),
        ([{"a": 1}, 2], [{"a": 9}, 2], [Difference((0, "a"), "changed", 1, 9)]),
        ([1], [3, 5], [Difference((0,), "changed", 1, 3), Difference((1,), "added", None, 5)]),
    ],
)
def test_a_difference_is_where_one_expects_it(before, after, expected):
    """Objects by key, arrays aligned, elements that were replaced compared inside."""
    assert differences(before, after) == expected


def test_an_element_that_moved_on_is_compared_where_it_is_now():
    """A path into a later element counts what was inserted before it."""
    before = [{"sku": 1}, "x", {"sku": 2, "price": 5}]
    after = ["new", {"sku": 1}, "x", {"sku": 2, "price": 6}]
    assert differences(before, after) == [
        Difference((0,), "added", None, "new"),
        Difference((3, "price"), "changed", 5, 6),
    ]


def test_values_may_be_nested_deeper_than_python_calls():
    """No body ends the comparison."""
    before, after = 1, 2
    for _ in range(5000):
        before, after = {"a": before}, {"a": after}
    (difference,) = differences(before, after)
    assert (len(difference.path), difference.before, difference.after) == (5000, 1, 2)


@pytest.mark.parametrize(
    ("before", "after", "most"),
    [
        ([{"n": n} for n in range(5000)], [{"n": -1}] + [{"n": n} for n in range(5000)], 1),
        ([{"n": n} for n in range(5000)], [{"n": -n - 1} for n in range(5000)], 5000),
        ([0] * 5000, [0] * 2500 + [1] + [0] * 2500 + [1], 3),
        (random.Random(1).choices((0, 1), k=5000), random.Random(2).choices((0, 1), k=5000), 5000),
        (list(range(5000)), list(range(5000))[::-1], 10_000),
    ],
)
def test_arrays_of_thousands_are_compared_in_a_moment(before, after, most):
    """Also where all elements differ or all are alike."""
    started = time.process_time()
    assert len(differences(before, after)) <= most
    assert time.process_time() - started < 2


def test_a_pattern_is_the_same_for_all_elements():
    """Indices become `[*]`, keys stay as they are."""
    assert pattern(("order", "items", 7, "price")) == "$.order.items[*].price"
    assert pattern(("a[0]", 3, 4)) == "$['a[0]'][*][*]"
    assert pattern(()) == "$"
