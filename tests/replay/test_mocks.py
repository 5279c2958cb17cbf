from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimyproxy.errors import InvalidDocument
from aimyproxy.exchange import ABSENT, Body
from aimyproxy.replay.mocks import BODIES, MEMBERS, Mock
from tests.strategies import objects, values

WHOLE = {
    "event": "start",
    "when": {"$.channelType": "telegram", "$.order.items[0].qty": 2},
    "answer": {"name": "John"},
    "status": 201,
    "headers": [["X-One", "1"]],
    "delay_ms": 12.5,
    "from_exchange": 17,
    "note": "for the demo",
    "enabled": False,
}


def test_every_member_of_the_document_is_understood():
    """What the document says, the mock says."""
    mock = Mock.parse(3, WHOLE)
    assert (mock.identity, mock.event, mock.body) == (3, "start", Body("json", {"name": "John"}))
    assert [(one.path.spelled, one.value) for one in mock.conditions] == list(WHOLE["when"].items())
    assert (mock.status, mock.headers, mock.delay_ms) == (201, (("X-One", "1"),), 12.5)
    assert (mock.from_exchange, mock.note, mock.enabled) == (17, "for the demo", False)


def test_event_and_answer_are_enough():
    """All other members may be left out."""
    mock = Mock.parse(1, {"event": "start", "answer": {}})
    assert mock == Mock(1, "start", body=Body("json", {}))
    assert mock.enabled


@pytest.mark.parametrize(
    ("members", "body"),
    [
        ({"answer": [1]}, Body("json", [1])),
        ({"answer": None}, Body("json", None)),
        ({"text": "<html>"}, Body("text", "<html>")),
        ({"base64": base64.b64encode(b"\xff").decode()}, Body("base64", b"\xff")),
        ({"status": 503}, ABSENT),
    ],
)
def test_an_answer_has_one_of_several_forms(members, body):
    """JSON of any kind, a text, bytes, or a status alone."""
    assert Mock.parse(1, {"event": None, **members}).body == body


def test_only_an_unconditional_mock_of_an_exchange_is_its_edit():
    """With conditions it is a rule like others."""
    document = {"event": "start", "answer": {}, "from_exchange": 17}
    assert Mock.parse(1, document).edits_exchange
    assert not Mock.parse(1, {**document, "when": {"$.a": 1}}).edits_exchange
    assert not Mock.parse(1, {"event": "start", "answer": {}}).edits_exchange


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"anwser": {}}, "'anwser'"),
        ({"fault": "timeout"}, "'fault'"),
        ({"event": 1}, "event"),
        ({"when": []}, "when"),
        ({"when": {"channelType": "vk"}}, "'channelType'"),
        ({"when": {"$.a[": 1}}, "'$.a['"),
        ({"text": "twice"}, "answer and text"),
        ({"status": "200"}, "status"),
        ({"status": 99}, "status"),
        ({"status": 101}, "status"),
        ({"status": True}, "status"),
        ({"headers": {"a": "b"}}, "headers"),
        ({"headers": [["a"]]}, "headers"),
        ({"headers": [["a b", "c"]]}, "headers"),
        ({"headers": [["a", "b\r\nc: d"]]}, "headers"),
        ({"delay_ms": -1}, "delay_ms"),
        ({"delay_ms": True}, "delay_ms"),
        ({"delay_ms": 10**9}, "delay_ms"),
        ({"from_exchange": 0}, "from_exchange"),
        ({"from_exchange": "17"}, "from_exchange"),
        ({"note": 1}, "note"),
        ({"enabled": 1}, "enabled"),
    ],
)
def test_a_member_at_fault_is_named(changes, named):
    """The user finds what to correct."""
    with pytest.raises(InvalidDocument) as caught:
        Mock.parse(1, {"event": "start", "answer": {}, **changes})
    assert named in str(caught.value)


@pytest.mark.parametrize(
    ("document", "named"),
    [
        ([], "object"),
        ({"answer": {}}, "event is missing"),
        ({"event": "start"}, "answer is missing"),
        ({"event": "start", "text": 1}, "text"),
        ({"event": "start", "base64": "#"}, "base64"),
        ({"event": "start", "base64": "й"}, "base64"),
        ({"event": "start", "base64": 1}, "base64"),
    ],
)
def test_what_makes_no_mock_is_refused(document, named):
    """A mock needs an event and an answer."""
    with pytest.raises(InvalidDocument, match=named):
        Mock.parse(1, document)


def test_an_unknown_member_is_told_the_known_ones():
    """A typo is corrected by looking at the message."""
    with pytest.raises(InvalidDocument) as caught:
        Mock.parse(1, {"event": "start", "anwser": {}})
    assert all(member in str(caught.value) for member in MEMBERS)


@given(st.dictionaries(st.sampled_from(MEMBERS), values))
def test_any_document_is_understood_or_refused(document):
    """Nothing that stands in the file makes anything but a mock or an InvalidDocument."""
    try:
        mock = Mock.parse(1, document)
    except InvalidDocument:
        return
    assert sum(name in document for name in BODIES) <= 1
    assert mock.event == document["event"]


@given(objects, values)
def test_a_condition_holds_where_the_value_means_the_same(variables, wanted):
    """`1` and `1.0` are the same, `1` and `true` are not, and what isn't there is not null."""
    mock = Mock.parse(1, {"event": "e", "answer": {}, "when": {"$.wanted": wanted}})
    [condition] = mock.conditions
    assert condition.holds({**variables, "wanted": wanted})
    assert not condition.holds({"unwanted": wanted})


def test_a_number_is_no_boolean():
    """Python thinks otherwise."""
    [condition] = Mock.parse(1, {"event": "e", "answer": {}, "when": {"$.n": 1}}).conditions
    assert condition.holds({"n": 1.0})
    assert not condition.holds({"n": True})
