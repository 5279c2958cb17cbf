"""mocks.schema.json says what Mock.parse says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimyproxy.answering.conditions import OPERATORS
from aimyproxy.answering.mocks import MEMBERS, Mock
from aimyproxy.errors import InvalidDocument
from tests.answering.schema import SCHEMA, valid


def accepted(document):
    try:
        Mock.parse(1, document)
    except InvalidDocument:
        return False
    return True


def test_the_schema_knows_every_member_and_every_operator():
    """And no others."""
    definitions = SCHEMA["$defs"]
    assert tuple(definitions["mock"]["properties"]) == MEMBERS
    assert tuple(definitions["operators"]["properties"]) == OPERATORS
    assert tuple(definitions["condition"]["if"]["propertyNames"]["enum"]) == OPERATORS


VALID = [
    *(
        {"event": "start", "fault": fault}
        for fault in ("timeout", "reset:0.3", "slow:30%", "garbage:.5", "empty:1", "404:99.5%", "599:100%", "500:0")
    ),
    {"event": "start", "answer": {}, "merge": True, "fault": "slow"},
    {"event": "start", "answer": {}},
    {"event": None, "answer": None},
    {"event": "start", "text": "{{ name }}"},
    {"event": "start", "base64": "YQ=="},
    {"event": "start", "status": 503},
    {"event": "start", "merge": True, "headers": [["A", "b"]]},
    {"event": "start", "merge": True, "answer": {}, "delay_ms": 1.5},
    {"event": "start", "merge": False, "answer": [1]},
    {"event": "start", "answer": {}, "from_exchange": 1, "note": "", "enabled": False, "headers": []},
    {"event": "start", "answer": {}, "when": {}},
    {"event": "start", "answer": {}, "when": {"$.a": {"one_of": [1]}, "$.b": {"equals": {"one_of": 1}}, "$.c": {}}},
    {"event": "start", "answer": {}, "when": {"$.a": {"above": 1, "at_most": 2}, "$.b": {"above": 1, "c": 2}}},
    {"event": "start", "answer": {}, "when": {"$.a": {"matches": "a"}, "$.b": {"exists": False}, "$.c": [1]}},
]
INVALID = [
    [],
    {"answer": {}},
    {"event": 1, "answer": {}},
    {"event": "start"},
    {"event": "start", "answer": {}, "anwser": {}},
    {"event": "start", "answer": {}, "text": ""},
    {"event": "start", "text": 1},
    {"event": "start", "base64": "#"},
    {"event": "start", "base64": "YQ="},
    {"event": "start", "answer": {}, "status": 199},
    {"event": "start", "answer": {}, "status": 600},
    {"event": "start", "answer": {}, "status": "200"},
    {"event": "start", "answer": {}, "headers": {}},
    {"event": "start", "answer": {}, "headers": [["a"]]},
    {"event": "start", "answer": {}, "headers": [["a", "b", "c"]]},
    {"event": "start", "answer": {}, "headers": [["a b", "c"]]},
    {"event": "start", "answer": {}, "headers": [["a", "b\nc"]]},
    {"event": "start", "answer": {}, "delay_ms": -1},
    {"event": "start", "answer": {}, "delay_ms": 3_600_001},
    {"event": "start", "answer": {}, "from_exchange": 0},
    {"event": "start", "answer": {}, "note": 1},
    {"event": "start", "answer": {}, "enabled": 1},
    {"event": "start", "answer": {}, "merge": 1},
    {"event": "start", "answer": [], "merge": True},
    {"event": "start", "text": "", "merge": True},
    {"event": "start", "base64": "", "merge": True},
    {"event": "start", "merge": True},
    {"event": "start", "merge": False},
    *(
        {"event": "start", "fault": fault}
        for fault in ("boom", "600", "500:2", "500:101%", "500:", "timeout:0.5%%", 500)
    ),
    {"event": "start", "answer": {}, "when": []},
    {"event": "start", "answer": {}, "when": {"a": 1}},
    {"event": "start", "answer": {}, "when": {"$.a": {"one_of": []}}},
    {"event": "start", "answer": {}, "when": {"$.a": {"matches": 1}}},
    {"event": "start", "answer": {}, "when": {"$.a": {"matches": "a" * 1001}}},
    {"event": "start", "answer": {}, "when": {"$.a": {"exists": 1}}},
    {"event": "start", "answer": {}, "when": {"$.a": {"above": "1"}}},
    {"event": "start", "answer": {}, "when": {"$.a": {"above": 1, "exists": True}}},
]


@pytest.mark.parametrize("document", VALID)
def test_what_is_a_mock_is_valid(document):
    """For the schema and for replay."""
    assert accepted(document)
    assert valid({"_default": {}, "mocks": {"1": document}})


@pytest.mark.parametrize("document", INVALID)
def test_what_is_no_mock_is_invalid(document):
    """For both."""
    assert not accepted(document)
    assert not valid({"mocks": {"1": document}})


@pytest.mark.parametrize("file", [[], {"mocks": []}, {"mocks": {"one": {"event": "e", "answer": 1}}}, {"other": 1}])
def test_the_file_is_a_table_of_numbered_mocks(file):
    """As TinyDB writes it."""
    assert not valid(file)
    assert valid({})


SOME = {
    "event": ["e", None, 1],
    "when": [{}, {"$.a": 1}, {"$.a": {"exists": True}}, {"$.a": {"exists": 1}}, {"$.a": {"above": 1, "below": 2}}, 1],
    "answer": [{}, 1, None],
    "text": ["a", 1],
    "base64": ["YQ==", "a"],
    "merge": [True, False, 1],
    "status": [200, 99],
    "headers": [[], [["a", "b"]], [["a"]]],
    "delay_ms": [0, -1],
    "fault": ["timeout", "500:30%", "explode", 1],
    "from_exchange": [1, 0],
    "note": ["", 1],
    "enabled": [True, 1],
}


@given(st.fixed_dictionaries({}, optional={name: st.sampled_from(some) for name, some in SOME.items()}))
def test_the_schema_and_replay_agree(document):
    """On every combination of good and bad members."""
    assert set(SOME) == set(MEMBERS)
    assert valid({"mocks": {"1": document}}) == accepted(document)
