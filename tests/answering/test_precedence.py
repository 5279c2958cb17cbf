"""Which mock comes before which."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aimyproxy.answering.answers import Answerer
from aimyproxy.answering.mocks import Mock
from aimyproxy.answering.precedence import failing, hiding, tried, winning
from aimyproxy.answering.rules import Rules
from tests.answering.test_rules import CONDITIONS, ROOTS


def mocks(*documents):
    return [
        Mock.parse(identity, {"event": "start", "answer": {}, **document})
        for identity, document in enumerate(documents, 1)
    ]


def hidden(*documents):
    """The ids of the mocks that never win, and of those that come before them."""
    ordered = tried(mocks(*documents))
    found = {mock.identity: hiding(mock, ordered) for mock in ordered}
    return {identity: before.identity for identity, before in found.items() if before}


def test_the_most_specific_comes_first():
    """Ties by their order, what edits an exchange behind all."""
    ordered = tried(mocks({}, {"from_exchange": 3}, {"when": {"$.a": {"exists": True}}}, {"when": {"$.a": 1}}, {}))
    assert [mock.identity for mock in ordered] == [4, 3, 1, 5, 2]


def test_what_always_comes_after_another_never_wins():
    """Because that one applies wherever it would."""
    assert hidden({}, {}) == {2: 1}
    assert hidden({"when": {"$.a": 1}}, {"when": {"$.a": 1.0}}) == {2: 1}
    assert hidden({"when": {"$.a": {"above": 1}}}, {"when": {"$.a": {"above": 5}}}) == {2: 1}
    assert hidden({"when": {"$.a": {"one_of": [1, 2]}}}, {"when": {"$.a": {"one_of": [2]}}}) == {2: 1}
    assert hidden({"when": {"$.a": 1, "$.b": 2}}, {"when": {"$.a": 1}}) == {}
    assert hidden({"when": {"$.a": {"above": 5}}}, {"when": {"$.a": {"above": 1}}}) == {}
    assert hidden({}, {"when": {"$.a": 1}}) == {}


def test_what_merges_or_is_disabled_hides_nothing():
    """The next one has its say."""
    assert hidden({"merge": True}, {}) == {}
    assert hidden({"enabled": False}, {}) == {}
    assert hidden({}, {"merge": True}) == {2: 1}


def test_an_edited_exchange_is_hidden_by_its_first_edit_and_by_what_always_applies():
    """Not by an edit of another."""
    assert hidden({"from_exchange": 1}, {"from_exchange": 1}, {"from_exchange": 2}) == {2: 1}
    assert hidden({"from_exchange": 1}, {}) == {1: 2}
    assert hidden({"from_exchange": 1}, {"when": {"$.a": 1}}) == {}


def test_the_first_condition_that_fails_is_named():
    """In the order of the document."""
    (mock,) = mocks({"when": {"$.a": 1, "$.b": 2, "$.c": 3}})
    assert failing(mock, {"a": 1}).path.spelled == "$.b"
    assert failing(mock, {"a": 1, "b": 2, "c": 3}) is None


DOCUMENTS = st.lists(st.fixed_dictionaries({"when": CONDITIONS, "merge": st.booleans()}), max_size=6)


@given(DOCUMENTS, ROOTS)
def test_what_is_explained_is_what_happens(documents, root):
    """The winners are those that replay finds, and none of them is said never to win."""
    rules, parsed = Rules(), mocks(*documents)
    for mock in parsed:
        rules.add(mock, Answerer.of_mock(mock))
    ordered = tried(parsed)
    winners = winning(ordered, root)
    assert [mock.identity for mock in winners] == [found.mock for found in rules.find("start", root)]
    assert not any(hiding(mock, ordered) for mock in winners)
