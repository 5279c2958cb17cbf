from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aimyproxy.answering.answers import Answerer
from aimyproxy.answering.conditions import specificity
from aimyproxy.answering.mocks import Mock
from aimyproxy.answering.rules import Rules


def rules(*documents):
    result = Rules()
    for identity, document in enumerate(documents, 1):
        mock = Mock.parse(identity, {"event": "start", "answer": {}, **document})
        result.add(mock, Answerer.of_mock(mock))
    return result


def winner(result, variables, event="start"):
    found = result.find(event, variables)
    return found[0].mock if found else None


def test_a_rule_answers_only_its_event():
    """Null is an event of its own: requests that are no bot's."""
    result = rules({}, {"event": "order"}, {"event": None})
    assert [winner(result, {}, event) for event in ("start", "order", None, "other")] == [1, 2, 3, None]
    assert result.events == {"start", "order", None}
    assert len(result) == 3


def test_the_most_specific_wins_and_the_first_of_equals():
    """The number of conditions decides, then the order in the file."""
    result = rules(
        {},
        {"when": {"$.a": 1}},
        {"when": {"$.b": 2}},
        {"when": {"$.a": 1, "$.b": 2}},
        {"when": {"$.b": 2, "$.a": 1}},
    )
    assert winner(result, {"a": 0}) == 1
    assert winner(result, {"a": 1}) == 2
    assert winner(result, {"b": 2}) == 3
    assert winner(result, {"a": 1.0, "b": 2}) == 4
    assert winner(result, {"a": True, "b": 3}) == 1


def test_conditions_on_many_places_hold_where_any_of_them_fits():
    """A path with a wildcard is one condition like others."""
    result = rules({"when": {"$.items[*].sku": "P-7"}}, {"when": {"$.items[*].sku": "P-8", "$.a": 1}})
    assert winner(result, {"items": [{"sku": "P-1"}, {"sku": "P-7"}]}) == 1
    assert winner(result, {"a": 1, "items": [{"sku": "P-8"}, {"sku": "P-7"}]}) == 2
    assert winner(result, {"a": 2, "items": [{"sku": "P-8"}]}) is None
    assert winner(result, None) is None


def test_of_equally_many_conditions_those_that_say_more_win():
    """equals, then one_of, then matches and ranges, then exists; whatever the order in the file."""
    wanted = [{"exists": True}, {"matches": "x"}, {"one_of": ["x", "y"]}, "x"]
    result = rules(*({"when": {"$.a": one}} for one in wanted))
    assert winner(result, {"a": "x"}) == 4
    assert winner(result, {"a": "y"}) == 3
    assert winner(result, {"a": "xx"}) == 2
    assert winner(result, {"a": 1}) == 1
    assert winner(rules({"when": {"$.a": {"below": 5}}}, {"when": {"$.a": {"above": 1}}}), {"a": 3}) == 1


def test_more_conditions_win_over_stronger_ones():
    """Two that exist say more than one that equals."""
    result = rules({"when": {"$.a": 1}}, {"when": {"$.a": {"exists": True}, "$.b": {"exists": True}}})
    assert winner(result, {"a": 1, "b": 1}) == 2
    assert winner(result, {"a": 1}) == 1


def test_the_same_place_in_two_spellings_is_two_conditions():
    """Which may contradict each other."""
    result = rules({"when": {"$.a": 1, "$['a']": {"above": 0}}}, {"when": {"$.a": 1, "$['a']": 2}})
    assert winner(result, {"a": 1}) == 1
    assert winner(result, {"a": 2}) is None


def test_what_merges_is_laid_over_the_next():
    """Down to the first that doesn't merge."""
    merging = {"merge": True, "when": {"$.a": 1, "$.b": 1}}
    result = rules({}, {"when": {"$.a": 1}}, merging, {"merge": True})
    assert [one.mock for one in result.find("start", {"a": 1, "b": 1})] == [3, 2]
    assert [one.mock for one in result.find("start", {"a": 1})] == [2]
    assert [one.mock for one in result.find("start", {})] == [1]
    assert [one.mock for one in rules({"merge": True}).find("start", {})] == [1]


WANTED = [1, 1.0, True, None, "x", [1], {"one_of": [1, "x"]}, {"matches": "x"}, {"at_least": 1}, {"exists": False}]
CONDITIONS = st.dictionaries(st.sampled_from(["$.a", "$.b", "$.c[0]", "$..d"]), st.sampled_from(WANTED), max_size=3)
ROOTS = st.fixed_dictionaries(
    {},
    optional={
        "a": st.sampled_from([1, True, None, "x"]),
        "b": st.sampled_from([1.0, 2, [1]]),
        "c": st.sampled_from([[1], [], [None, 1], [{"d": 1}]]),
        "d": st.sampled_from([1, "x"]),
    },
)


@given(st.lists(CONDITIONS, max_size=6), ROOTS)
def test_the_look_up_finds_what_a_scan_would_find(whens, root):
    """The dictionaries are only a faster way to the same mock."""
    result = rules(*({"when": when} for when in whens))
    mocks = [Mock.parse(number, {"event": "start", "answer": {}, "when": when}) for number, when in enumerate(whens, 1)]
    holding = [mock for mock in mocks if all(condition.holds(root) for condition in mock.conditions)]
    wanted = min(holding, key=lambda mock: (specificity(mock.conditions), mock.identity), default=None)
    assert winner(result, root) == (wanted and wanted.identity)
