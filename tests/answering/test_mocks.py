from __future__ import annotations

import base64
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimyproxy.answering.conditions import Equals
from aimyproxy.answering.mocks import BODIES, MEMBERS, Mock
from aimyproxy.answering.templates import Template
from aimyproxy.errors import InvalidDocument
from aimyproxy.exchange import ABSENT, Body
from tests.strategies import values

WHOLE = {
    "event": "start",
    "when": {"$.channelType": "telegram", "$.order.items[0].qty": 2},
    "answer": {"name": "John"},
    "merge": True,
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
    assert [(one.path.spelled, one.wanted) for one in mock.conditions] == [
        (path, Equals(value)) for path, value in WHOLE["when"].items()
    ]
    assert (mock.status, mock.headers, mock.delay_ms) == (201, (("X-One", "1"),), 12.5)
    assert (mock.from_exchange, mock.note, mock.enabled) == (17, "for the demo", False)
    assert mock.merge


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
        ({"fault": "explode"}, "fault: 'explode' is no fault"),
        ({"fault": 500}, "fault has to be a string"),
        ({"event": 1}, "event"),
        ({"when": []}, "when"),
        ({"when": {"channelType": "vk"}}, "'channelType'"),
        ({"when": {"$.a[": 1}}, "'$.a['"),
        ({"when": {"$.a": {"one_of": 1}}}, "when: $.a: one_of"),
        ({"when": {"$.a": {"matches": "["}}}, "when: $.a: matches"),
        ({"text": "twice"}, "answer and text"),
        ({"answer": {"items": [{"title": "{{ a"}]}}, "answer.items[0].title: the template is wrong at its line 1"),
        ({"answer": {"a b": "\n{% bogus %}"}}, "answer['a b']: the template is wrong at its line 2"),
        ({"answer": "{{ a }"}, "answer: the template"),
        ({"merge": 1}, "merge has to be true or false"),
        ({"merge": True, "answer": [1]}, "merge needs an answer that is an object"),
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
        ({"event": "start", "text": "{{"}, "text: the template"),
        ({"event": "start", "text": "a", "merge": True}, "merge needs"),
        ({"event": "start", "base64": "YQ==", "merge": True}, "merge needs"),
        ({"event": "start", "merge": True}, "merge has nothing to lay over"),
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


def test_templates_are_compiled_where_they_stand():
    """And the document stays as it was."""
    mock = Mock.parse(1, {"event": "e", "answer": {"a": ["{{ b }}", "plain"]}})
    assert mock.body == Body("json", {"a": ["{{ b }}", "plain"]})
    assert mock.tree == {"a": [Template("answer.a[0]", "{{ b }}"), "plain"]}
    assert Mock.parse(1, {"event": "e", "text": "{{ b }}"}).tree == Template("text", "{{ b }}", as_text=True)
    assert Mock.parse(1, {"event": "e", "answer": {"a": "{ { b"}}).tree is None
    assert Mock.parse(1, {"event": "e", "base64": base64.b64encode(b"{{ b").decode()}).tree is None


@pytest.mark.parametrize("members", [{"status": 503}, {"headers": [["a", "b"]]}, {"delay_ms": 5}, {"answer": {}}])
def test_a_merging_mock_may_change_anything_alone(members):
    """The rest is what replay would have answered."""
    assert Mock.parse(1, {"event": "e", "merge": True, **members}).merge


def test_a_fault_that_stands_alone_lets_the_answer_be():
    """Else what it spares, or only slows, would have none; whoever says otherwise is right."""
    assert Mock.parse(1, {"event": "e", "fault": "500:30%"}).merge
    assert Mock.parse(1, {"event": "e", "fault": "slow", "delay_ms": 5, "from_exchange": 2}).merge
    for further in ({"merge": False}, {"answer": {}}, {"text": ""}, {"base64": ""}, {"status": 200}):
        assert not Mock.parse(1, {"event": "e", "fault": "500:30%", **further}).merge


def test_a_mock_says_how_long_it_takes_or_does_not():
    """No time at all is said, too."""
    assert Mock.parse(1, {"event": "e", "answer": {}}).delay_ms is None
    assert Mock.parse(1, {"event": "e", "answer": {}, "delay_ms": 0}).delay_ms == 0


def test_mocks_without_a_template_need_no_jinja():
    """It takes a while to import."""
    code = (
        "import sys; from aimyproxy.answering.mocks import Mock; from aimyproxy.answering.answers import Answerer\n"
        "Answerer.of_mock(Mock.parse(1, {'event': 'e', 'answer': {'a': 'b'}})).answer('mock', {})\n"
        "assert 'jinja2' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
