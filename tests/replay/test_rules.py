from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aimyproxy.replay.answers import Answerer
from aimyproxy.replay.mocks import Mock
from aimyproxy.replay.rules import Rules


def rules(*documents):
    result = Rules()
    for identity, document in enumerate(documents, 1):
        mock = Mock.parse(identity, {"event": "start", "answer": {}, **document})
        result.add(mock, Answerer.of_mock(mock))
    return result


def winner(result, variables, event="start"):
    answerer = result.find(event, variables)
    return answerer and answerer.mock


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


CONDITIONS = st.dictionaries(
    st.sampled_from(["$.a", "$.b", "$.c[0]", "$..d"]), st.sampled_from([1, 1.0, True, None, "x", [1]]), max_size=3
)
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
    wanted = min(holding, key=lambda mock: (-len(mock.conditions), mock.identity), default=None)
    assert winner(result, root) == (wanted and wanted.identity)
