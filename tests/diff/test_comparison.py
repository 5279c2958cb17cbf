from __future__ import annotations

import pytest

from aimyproxy.diff.answers import answer_of
from aimyproxy.diff.comparison import Finding, compare
from aimyproxy.diff.structure import Difference
from aimyproxy.exchange import Body, Failure, Response
from tests import builders


def answer(variables, status=200, asked=None):
    return answer_of(1, builders.exchange(asked, builders.response(variables, status)))


def raw(body, status=200):
    return answer_of(1, builders.exchange(None, Response(status, (), Body.of(body))))


def failed(kind):
    return answer_of(1, builders.exchange(failure=Failure(kind, "")))


def test_an_echo_is_no_difference():
    """What the webhook only sends back, of whichever request, does nothing to the bot."""
    one, other = builders.request(lastSeen=1), builders.request(lastSeen=2)
    echoed = answer({**one.body.variables(), "name": "Jon"}, asked=one)
    assert compare(echoed, answer({**other.body.variables(), "name": "Jon"}, asked=other)) == []
    assert compare(echoed, answer({"name": "Jon"})) == []


def test_variables_are_compared_one_by_one():
    """A path begins at the variables."""
    before, after = answer({"name": "John", "order": {"n": 1}}), answer({"name": "Jon", "order": {"n": 1, "m": 2}})
    assert compare(before, after) == [
        Finding("effect", Difference(("name",), "changed", "John", "Jon")),
        Finding("effect", Difference(("order", "m"), "added", None, 2)),
    ]


def test_a_status_is_a_difference_beside_the_effects():
    """And a page instead of an object is one difference at the root."""
    found = compare(answer({"name": "Jon"}), raw(b"<h1>Oops</h1>", 500))
    assert found == [
        Finding("status", Difference((), "changed", 200, 500)),
        Finding("effect", Difference((), "type", {"name": "Jon"}, "<h1>Oops</h1>")),
    ]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (b"[1, 2]", b"[2]", Difference((0,), "removed", 1, None)),
        (b"[1]", b"text", Difference((), "type", [1], "text")),
        (b"\xff\x00", b"\xff\x01", Difference(("base64",), "changed", "/wA=", "/wE=")),
        (b"", b"text", Difference((), "type", None, "text")),
    ],
)
def test_bodies_that_are_no_objects_are_compared_whole(before, after, expected):
    """Arrays, texts, bytes and nothing at all."""
    assert compare(raw(before), raw(after)) == [Finding("effect", expected)]
    assert compare(raw(before), raw(before)) == []


def test_where_one_side_has_no_answer_only_that_is_said():
    """The kinds of failure are compared, None stands for an answer."""
    assert compare(failed("timeout"), failed("timeout")) == []
    assert compare(answer({"a": 1}), failed("timeout")) == [
        Finding("failure", Difference((), "changed", None, "timeout"))
    ]
    assert compare(failed("timeout"), failed("connect")) == [
        Finding("failure", Difference((), "changed", "timeout", "connect"))
    ]


def test_a_bot_that_hung_up_tells_nothing_of_the_webhook():
    """An answer that came all the same is one; without it we don't know how the webhook answers."""
    asked = builders.request()
    late = builders.exchange(asked, builders.response({"a": 1}), Failure("client_gone", ""))
    assert compare(answer_of(1, late), answer({"a": 1})) == []
    assert answer_of(1, late).known
    assert not failed("client_gone").known


def test_objects_nested_deeper_than_python_calls_are_compared():
    """No answer ends the comparison."""
    deep = b'{"a":' * 900 + b"%d" + b"}" * 900
    (found,) = compare(raw(deep % 1), raw(deep % 2))
    assert found.difference.kind == "changed"
