from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimyproxy import jsonvalue
from aimyproxy.answering.conditions import OPERATORS, Condition, Equals, specificity
from aimyproxy.answering.regexes import LONGEST_SUBJECT
from aimyproxy.errors import InvalidDocument
from tests.answering.test_rules import CONDITIONS, ROOTS
from tests.strategies import objects, values


def holds(wanted, *present):
    return Condition.parse("$.a", wanted).holds({"a": present[0]} if present else {"b": 1})


@given(objects, values)
def test_a_plain_value_is_equalled(variables, wanted):
    """`1` and `1.0` are the same, `1` and `true` are not, and what isn't there is not null."""
    condition = Condition.parse("$.wanted", {"equals": wanted})
    assert condition.holds({**variables, "wanted": wanted})
    assert not condition.holds({"unwanted": wanted})
    assert holds(1, 1.0)
    assert not holds(1, True)
    assert not holds(None)


@pytest.mark.parametrize(
    ("wanted", "fitting", "others"),
    [
        ({"one_of": ["vk", 1, None]}, ["vk", 1.0, None], ["tg", True, ["vk"]]),
        ({"matches": "^да|хорошо$"}, ["да, да", "ну хорошо"], ["ну да", 1, None, ["да"]]),
        ({"matches": ""}, ["", "a"], [0]),
        ({"exists": True}, [None, 0, []], []),
        ({"at_least": 2}, [2, 2.0, 10**30], [1.9, True, "3", None, [3]]),
        ({"above": 2, "at_most": 3}, [2.1, 3], [2, 3.1]),
        ({"at_least": 2, "below": 3}, [2], [3]),
        ({"at_least": 2, "at_most": 2}, [2], [1, 3]),
        ({"equals": {"exists": True}}, [{"exists": True}], [1]),
    ],
)
def test_operators(wanted, fitting, others):
    """As the README tells them."""
    assert all(holds(wanted, value) for value in fitting)
    assert not any(holds(wanted, value) for value in others)
    assert not holds(wanted)


def test_what_must_not_exist():
    """Null exists."""
    assert holds({"exists": False})
    assert not holds({"exists": False}, None)


def test_a_path_to_many_places_holds_where_one_of_them_fits():
    """Also a range, and existence."""
    root = {"items": [{"qty": 1}, {"qty": 5}]}
    assert Condition.parse("$.items[*].qty", {"above": 4}).holds(root)
    assert not Condition.parse("$.items[*].qty", {"above": 5}).holds(root)
    assert Condition.parse("$..sku", {"exists": False}).holds(root)


def test_only_the_beginning_of_a_long_string_is_looked_at():
    """A user may send a novel."""
    assert holds({"matches": "x$"}, "x" * LONGEST_SUBJECT + "y")
    assert not holds({"matches": "y"}, "x" * LONGEST_SUBJECT + "y")


@pytest.mark.parametrize("plain", [{}, {"qty": 1}, {"exists": True, "qty": 1}, {"price": 1, "below": 2}, {"a": {}}])
def test_an_object_is_plain_unless_all_its_keys_are_operators(plain):
    """As the module says."""
    assert Condition.parse("$.a", plain).wanted == Equals(plain)


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"one_of": "vk"}, "one_of has to be a list"),
        ({"one_of": []}, "one_of has to be a list"),
        ({"matches": 1}, "matches has to be a regular expression in a string, not number"),
        ({"matches": "a("}, "matches: 'a(' is no regular expression"),
        ({"matches": "(a+)+$"}, "could take for ever"),
        ({"exists": 1}, "exists has to be true or false, not number"),
        ({"at_least": "1"}, "at_least has to be a number, not string"),
        ({"below": True}, "below has to be a number, not boolean"),
        ({"above": 2, "below": 2}, "no number is above 2 and below 2"),
        ({"at_least": 3, "at_most": 2}, "no number is"),
        ({"at_least": 2, "below": 2}, "no number is"),
        ({"exists": True, "matches": "a"}, "exists and matches can't stand beside each other"),
        ({"equals": 1, "above": 0}, "can't stand beside each other"),
        ({"oneOf": ["a"]}, "'oneOf' is no operator; did you mean one_of?"),
        ({"at-least": 1, "below": 3}, "'at-least' is no operator; did you mean at_least?"),
        ({"match": "a"}, "did you mean matches?"),
    ],
)
def test_an_operator_at_fault_is_named_with_its_path(wanted, said):
    """And what to do."""
    with pytest.raises(InvalidDocument) as caught:
        Condition.parse("$.a", wanted)
    assert said in str(caught.value)
    assert str(caught.value).startswith("$.a: ")


def test_conditions_say_more_or_less():
    """By their number, then by what they are."""
    said = [{"$.a": 1, "$.b": 1}, {"$.a": 1, "$.b": {"exists": True}}, {"$.a": {"above": 1}, "$.b": {"one_of": [1]}}]
    said += [{"$.a": 1}, {"$.a": {"one_of": [1]}}, {"$.a": {"matches": "a"}}, {"$.a": {"exists": True}}, {}]
    ranks = [specificity([Condition.parse(*pair) for pair in one.items()]) for one in said]
    assert ranks == sorted(ranks)
    assert len(set(ranks)) == len(ranks)


def naive(wanted, present):
    """What the README says of operators, said in Python."""
    tests = {
        "equals": jsonvalue.same,
        "one_of": lambda operand, one: any(jsonvalue.same(each, one) for each in operand),
        "matches": lambda operand, one: isinstance(one, str) and re.search(operand, one) is not None,
        "at_least": lambda operand, one: jsonvalue.kind_of(one) == "number" and one >= operand,
        "at_most": lambda operand, one: jsonvalue.kind_of(one) == "number" and one <= operand,
        "above": lambda operand, one: jsonvalue.kind_of(one) == "number" and one > operand,
        "below": lambda operand, one: jsonvalue.kind_of(one) == "number" and one < operand,
    }
    if not (isinstance(wanted, dict) and wanted and wanted.keys() <= set(OPERATORS)):
        wanted = {"equals": wanted}
    if "exists" in wanted:
        return wanted["exists"] == bool(present)
    return any(all(tests[name](operand, one) for name, operand in wanted.items()) for one in present)


NUMBERS = st.integers(-3, 3) | st.floats(-3, 3)
PLAIN = st.sampled_from([None, True, False, 0, 1, 1.0, "", "a", "ab", [1], {"a": 1}, {"exists": True, "a": 1}])
WANTED = st.one_of(
    PLAIN,
    st.fixed_dictionaries({"equals": PLAIN | st.just({"exists": True})}),
    st.fixed_dictionaries({"one_of": st.lists(PLAIN, min_size=1, max_size=3)}),
    st.fixed_dictionaries({"matches": st.sampled_from(["a", "^b", "a?b$", ""])}),
    st.fixed_dictionaries({"exists": st.booleans()}),
    st.fixed_dictionaries({}, optional=dict.fromkeys(["at_least", "at_most", "above", "below"], NUMBERS)),
)


@given(WANTED, st.lists(PLAIN | NUMBERS | st.just({"exists": True}), max_size=1))
def test_a_condition_holds_exactly_where_a_plain_reading_says_so(wanted, present):
    """And what is refused could never have held."""
    root = {"a": present[0]} if present else {}
    try:
        condition = Condition.parse("$.a", wanted)
    except InvalidDocument:
        assert not naive(wanted, present)
        return
    assert condition.holds(root) == naive(wanted, present)


@given(st.dictionaries(st.sampled_from(OPERATORS) | st.text(max_size=9), values, min_size=1, max_size=3), objects)
def test_any_value_is_a_condition_or_refused(wanted, root):
    """Nothing else is raised."""
    try:
        condition = Condition.parse("$.a", wanted)
    except InvalidDocument:
        return
    assert condition.holds(root) in {True, False}


def conditions(whens):
    return [Condition.parse(path, value) for path, value in whens.items()]


@given(CONDITIONS, CONDITIONS, ROOTS)
def test_what_is_implied_holds(whens, others, root):
    """Wherever the other holds: a mock behind it never wins."""
    for one in conditions(whens):
        for other in conditions(others):
            assert not (one.implies(other) and one.holds(root)) or other.holds(root)


@pytest.mark.parametrize(
    ("one", "other", "implied"),
    [
        (1, 1.0, True),
        (1, 2, False),
        ("x", {"matches": "^x"}, True),
        (5, {"above": 1, "below": 6}, True),
        (5, {"exists": True}, True),
        (5, {"exists": False}, False),
        ({"one_of": [1, 2]}, {"at_most": 2}, True),
        ({"one_of": [1, 2]}, {"below": 2}, False),
        ({"one_of": [1, 2]}, 1, False),
        ({"matches": "a"}, {"matches": "a"}, True),
        ({"matches": "a"}, {"matches": "b"}, False),
        ({"matches": "a"}, {"exists": True}, True),
        ({"above": 1}, {"at_least": 1}, True),
        ({"at_least": 1}, {"above": 1}, False),
        ({"above": 1, "below": 3}, {"above": 1}, True),
        ({"above": 1}, {"above": 1, "below": 3}, False),
        ({"above": 1}, {"exists": True}, True),
        ({"exists": False}, {"exists": False}, True),
        ({"exists": True}, {"exists": False}, False),
    ],
)
def test_one_wish_implies_another(one, other, implied):
    """At the same path only."""
    assert Condition.parse("$.a", one).implies(Condition.parse("$.a", other)) == implied
    assert not Condition.parse("$.a", one).implies(Condition.parse("$.b", other))
