from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimyproxy.diff.rules import NO_RULES, Rules, Tolerance
from aimyproxy.diff.structure import differences
from aimyproxy.errors import InvalidDocument
from aimyproxy.jsonvalue import path_text
from tests.strategies import objects, values

ORDER = {"id": 7, "total": 10.0, "items": [{"n": "a", "at": 1}, {"n": "b", "at": 2}], "tags": ["x", "y"]}


def found(told, before, after):
    return [
        (path_text(one.path), one.kind, one.before, one.after) for one in Rules.parse(told).differences(before, after)
    ]


def told(member, *paths, value=True):
    return {path: {member: value} for path in paths}


@pytest.mark.parametrize("path", ["$.id", "$['id']", "$..id", "$[?@ == 7]"])
def test_what_is_ignored_does_not_count(path):
    """Whichever way the path is spelled; the rest does."""
    after = {**ORDER, "id": 8, "total": 11.0}
    assert found(told("ignore", path), ORDER, after if "?" not in path else {**after, "id": 7}) == [
        ("$.total", "changed", 10.0, 11.0)
    ]


def test_what_is_ignored_may_come_and_go():
    """And change its type."""
    gone = {name: value for name, value in ORDER.items() if name != "id"}
    rules = told("ignore", "$.id")
    assert found(rules, ORDER, gone) == found(rules, gone, ORDER) == found(rules, ORDER, {**ORDER, "id": "x"}) == []


def test_what_is_ignored_does_not_part_elements():
    """An insertion at the front is one addition though every element has another time."""
    after = {**ORDER, "items": [{"n": "new", "at": 9}, {"n": "a", "at": 8}, {"n": "b", "at": 7}]}
    assert found(told("ignore", "$.items[*].at"), ORDER, after) == [("$.items[0]", "added", None, {"n": "new"})]


def test_an_ignored_element_leaves_the_others_their_index():
    """As the reader of the report counts."""
    after = {**ORDER, "tags": ["other", "z"]}
    assert found(told("ignore", "$.tags[0]"), ORDER, after) == [("$.tags[1]", "changed", "y", "z")]
    assert found(told("ignore", "$.tags[-1]"), ORDER, {**ORDER, "tags": ["x", "z"]}) == []


def test_only_what_is_told_counts():
    """It, what is inside, and what is around it when that comes or goes."""
    after = {**ORDER, "id": 8, "items": [{"n": "a", "at": 5}, {"n": "b", "at": 2}]}
    assert found(told("only", "$.items"), ORDER, after) == [("$.items[0].at", "changed", 1, 5)]
    assert found(told("only", "$.items[0].n"), ORDER, after) == []
    gone = {"id": 8}
    assert [path for path, *_ in found(told("only", "$.items[0].n"), ORDER, gone)] == ["$.items"]
    assert [path for path, *_ in found(told("only", "$.items[0].n"), gone, ORDER)] == ["$.items"]


@pytest.mark.parametrize(
    ("spelled", "before", "after", "near"),
    [
        ("0.01", 10.0, 10.01, True),
        ("0.01", 10.0, 10.02, False),
        ("0.3", 0.1, 0.4, True),
        ("1", 10, "10", False),
        ("1", True, 1, False),
        ("1s", "2026-11-22T10:15:30Z", "2026-11-22T10:15:31Z", True),
        ("1s", "2026-11-22T10:15:30Z", "2026-11-22T12:15:32+02:00", False),
        ("1500ms", 1_763_806_530, 1_763_806_531, True),
        ("1s", 1_763_806_530_000, 1_763_806_531_001, False),
        ("1h", "2026-11-22T10:15:30Z", "2026-11-22T13:15:30+02:00", True),
        ("1m", 5, 6, False),
        ("1m", "soon", "later", False),
    ],
)
def test_tolerances(spelled, before, after, near):
    """Of numbers by amount, of times by seconds; what is neither is never near."""
    left = found(told("tolerance", "$.a", value=spelled), {"a": before}, {"a": after})
    assert left == ([] if near else found({}, {"a": before}, {"a": after}))
    assert Tolerance.parse(spelled).allows(before, after) is near


def test_a_tolerance_is_for_what_is_there_twice():
    """What comes or goes is a difference, however small."""
    assert found(told("tolerance", "$.a", value="9"), {}, {"a": 1}) == [("$.a", "added", None, 1)]
    assert found(told("tolerance", "$.a", value="9"), {"a": 1}, {}) == [("$.a", "removed", 1, None)]


def test_elements_are_told_apart_by_the_member_told():
    """Instead of by what they hold."""
    before = {"items": [{"n": "a", "price": 1, "at": 1}, {"n": "b", "price": 2, "at": 2}]}
    after = {"items": [{"n": "b", "price": 3, "at": 9}]}
    assert found(told("key", "$.items", value="n"), before, after) == [
        ("$.items[0]", "removed", {"n": "a", "price": 1, "at": 1}, None),
        ("$.items[0].price", "changed", 2, 3),
        ("$.items[0].at", "changed", 2, 9),
    ]


def test_a_set_has_no_order():
    """Only what is in it counts."""
    assert found(told("set", "$.tags"), ORDER, {**ORDER, "tags": ["y", "x"]}) == []
    assert found(told("set", "$.tags"), ORDER, {**ORDER, "tags": ["y", "z"]}) == [
        ("$.tags[0]", "removed", "x", None),
        ("$.tags[1]", "added", None, "z"),
    ]


@given(objects, objects)
def test_rules_for_other_places_change_nothing(before, after):
    """Nor do rules that are switched off."""
    elsewhere = {"$['nowhere at all'].x": {"ignore": True, "tolerance": "1", "key": "id", "set": True}}
    off = {"$": {"ignore": False, "only": False}}
    plain = differences(before, after)
    assert Rules.parse(elsewhere).differences(before, after) == plain
    assert Rules.parse(off).differences(before, after) == plain == NO_RULES.differences(before, after)


@given(values, values)
def test_the_root_can_be_told_of(before, after):
    """Ignored, nothing is left; it alone, everything."""
    assert found(told("ignore", "$"), before, after) == []
    assert Rules.parse(told("only", "$")).differences(before, after) == differences(before, after)


@given(objects, objects, st.data())
def test_ignored_places_are_never_told_of(before, after, data):
    """Any member, in any pair of values."""
    names = sorted({*before, *after}) or ["a"]
    name = data.draw(st.sampled_from(names))
    left = found(told("ignore", f"$[{json.dumps(name)}]"), before, after)
    assert left == [one for one in found({}, before, after) if not _below(one[0], path_text((name,)))]


def _below(path, start):
    return path == start or path.startswith((start + ".", start + "["))


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"total": {"ignore": True}}, "'total' is no JSONPath: paths begin with $"),
        ({"$.a": {"ignor": True}}, "$.a: 'ignor' is no rule; there are ignore, only, tolerance, key, set"),
        ({"$.a": {"ignore": "yes"}}, "$.a: ignore has to be true or false"),
        ({"$.a": {"key": True}}, "$.a: key has to be a text"),
        ({"$.a": {"ignore": True, "only": True}}, "$.a: ignore and only contradict each other; leave out one of them"),
        ({"$.a": {"tolerance": "1 day"}}, "'1 day' is no tolerance: write a number (0.01) or a time"),
    ],
)
def test_what_is_no_rule_is_refused(rules, message):
    """By its path."""
    with pytest.raises(InvalidDocument) as error:
        Rules.parse(rules)
    assert message in str(error.value)


@pytest.mark.parametrize("amount", ["0.5", "1s"])
def test_a_number_that_no_float_can_hold_is_near_to_none(amount):
    """Webhooks send such."""
    assert not Tolerance.parse(amount).allows(10**400, 1.5)
    assert not Tolerance.parse(amount).allows(1.5, 10**400)


@given(objects, st.data())
def test_nothing_of_a_recording_is_changed(value, data):
    """What is left out is left out of a copy."""
    before = json.dumps(value)
    # The library that takes paths to many places refuses control characters, however they are spelled.
    name = data.draw(st.sampled_from([*sorted(filter(str.isprintable, value)), "x"]))
    rules = Rules.parse({f"$[{json.dumps(name)}]": {"ignore": True}, f"$[{json.dumps(name)}].*": {"ignore": True}})
    assert rules.differences(value, value) == []
    assert json.dumps(value) == before
