from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aimyproxy import jsonvalue
from aimyproxy.aimylogic import effect_of
from aimyproxy.answering.rebase import Plan
from tests.builders import request, response
from tests.strategies import objects, values

NAMES = st.sampled_from("abcdefgh")
VARIABLES = st.dictionaries(NAMES, values, min_size=1, max_size=6)


@st.composite
def answered(draw):
    """A request's variables and a response that echoes some, changes some and adds some, at any depth."""
    before = draw(VARIABLES)
    return before, draw(changed(before))


@st.composite
def changed(draw, before):
    after = {}
    for name, value in before.items():
        kind = draw(st.sampled_from(["echo", "echo", "drop", "change", "inside"]))
        if kind == "inside" and isinstance(value, dict):
            after[name] = draw(changed(value))
        elif kind == "change":
            after[name] = draw(values)
        elif kind != "drop":
            after[name] = value
    return {**after, **draw(objects)}


def rebased(before, after, new):
    return Plan.of(before, after).rebased(new)


@given(answered())
def test_rebasing_onto_the_recorded_request_gives_the_recorded_response(pair):
    """Exactly, its order of members included."""
    before, after = pair
    result = rebased(before, after, before)
    assert jsonvalue.same(result, after)
    assert list(result) == list(after)


@given(answered(), st.dictionaries(st.text(max_size=3), values), st.data())
def test_the_effect_survives_any_change_of_what_it_does_not_touch(pair, additions, data):
    """Variables that the response did not set may change, go and come: the bot gets what the recorded one got."""
    before, after = pair
    effect = effect_of(request({**before, "action": "e"}), response({**after, "action": "e"}))
    untouched = [name for name in before if name not in effect.value]
    new = {name: value for name, value in before.items() if name not in untouched}
    new |= {name: value for name, value in additions.items() if name not in after and name not in before}
    for name in untouched:
        if data.draw(st.booleans(), label=f"keep {name}"):
            new[name] = data.draw(values, label=name)
    result = rebased(before, after, new)
    touched = {name: value for name, value in result.items() if not (name in new and jsonvalue.same(new[name], value))}
    assert jsonvalue.same(touched, effect.value)


@given(answered(), VARIABLES)
def test_nothing_of_the_recorded_request_reaches_another_user(pair, new):
    """A member of the result is this request's, or differs from the recorded request's."""
    before, after = pair
    for name, value in rebased(before, after, new).items():
        if name in before and jsonvalue.same(before[name], after.get(name)):
            assert jsonvalue.same(value, new[name])


def test_an_echoing_webhook_echoes_new_variables_too():
    """It repeated all that it got: it would have repeated this as well."""
    assert rebased({"a": 1}, {"a": 1, "text": "hi"}, {"a": 2, "b": 3}) == {"a": 2, "text": "hi", "b": 3}


def test_a_delta_stays_a_delta():
    """Nothing is added to it."""
    assert rebased({"a": 1, "c": 1}, {"text": "hi"}, {"a": 2, "b": 3}) == {"text": "hi"}


def test_a_nested_object_is_rebased_key_by_key():
    """The order's total was set, its items are this user's."""
    before = {"order": {"items": [1], "total": 0, "for": "Иван"}}
    after = {"order": {"items": [1], "total": 100, "for": "Иван", "paid": False}}
    new = {"order": {"items": [2, 3], "total": 0, "for": "Пётр", "note": "!"}}
    assert rebased(before, after, new) == {
        "order": {"items": [2, 3], "total": 100, "for": "Пётр", "paid": False, "note": "!"}
    }


def test_an_array_is_echoed_whole_or_served_as_recorded():
    """Its elements have no names by which to find them again."""
    assert rebased({"l": [1, 2]}, {"l": [1, 2]}, {"l": [3]}) == {"l": [3]}
    assert rebased({"l": [1, 2]}, {"l": [1, 2, 3]}, {"l": [7]}) == {"l": [1, 2, 3]}


def test_what_was_echoed_and_is_not_there_is_left_out():
    """Also where the new request has something else in the place of an object."""
    assert rebased({"a": 1, "b": 2}, {"a": 1, "c": 3}, {}) == {"c": 3}
    assert rebased({"o": {"a": 1, "b": 2}}, {"o": {"a": 1, "b": 3}}, {"o": "text"}) == {"o": {"b": 3}}


def test_an_object_that_took_nothing_over_is_a_value():
    """A plan that has nothing to rebase is the same for every request."""
    plan = Plan.of({"o": {"a": 1}}, {"o": {"a": 2}, "text": "hi"})
    assert not plan.constant or plan.members["o"] == {"a": 2}
    assert Plan.of({"a": 1}, {"text": "hi"}).constant
    assert not Plan.of({"a": 1}, {"a": 1}).constant


def test_a_boolean_is_no_echo_of_a_number():
    """`true` was set where `1` came in."""
    assert rebased({"n": 1, "m": 0}, {"n": True}, {"n": 5}) == {"n": True}
    assert rebased({"n": 1, "m": 0}, {"n": 1.0}, {"n": 5}) == {"n": 5}
