"""The stored form of exchanges."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimyproxy import jsonvalue
from aimyproxy.documents import from_document, to_document
from aimyproxy.errors import InvalidDocument
from aimyproxy.exchange import FAILURE_KINDS, Body, Exchange, Failure, Request, Response, Timing
from tests import builders
from tests.strategies import values

words = st.text(max_size=8)
headers = st.lists(st.tuples(words, words), max_size=3).map(tuple)
raw_bodies = st.one_of(st.binary(max_size=60), values.map(lambda value: json.dumps(value).encode()))
bodies = st.builds(Body.of, raw_bodies, encoded=st.booleans())
exchanges = st.builds(
    Exchange,
    words,
    st.none() | words,
    st.none() | st.tuples(st.none() | words, st.none() | words, words),
    st.builds(Request, words, words, headers, bodies),
    st.none() | st.builds(Response, st.integers(100, 999), headers, bodies),
    st.none() | st.builds(Failure, st.sampled_from(FAILURE_KINDS), words),
    st.builds(Timing, st.none() | st.floats(0, 1e6), st.floats(0, 1e6)),
    made_from=st.none() | st.tuples(st.text(), st.integers(1, 10**6)),
)


@given(exchanges)
def test_the_stored_form_loses_nothing(exchange):
    """An exchange survives its way through a file."""
    assert from_document(jsonvalue.loads(jsonvalue.dumps(to_document(exchange)))) == exchange


def test_the_stored_form_is_as_documented():
    """The format on disk is a promise."""
    document = to_document(builders.exchange(failure=Failure("timeout", "no answer within 30 s")))
    assert document == {
        "at": "2026-11-22T10:15:30.123456Z",
        "event": "start",
        "conversation": ["telegram", "40112-pizza-tg1", "telegram-40112-pizza-635678009"],
        "request": {
            "method": "POST",
            "path": "/",
            "headers": [["content-type", "application/json"]],
            "json": builders.START,
        },
        "response": None,
        "failure": {"kind": "timeout", "message": "no answer within 30 s"},
        "timing": {"upstream_ms": 41.2, "total_ms": 42.0},
    }
    assert "failure" not in to_document(builders.exchange())
    body = Body.of(b"\xff", encoded=True)
    stored = to_document(builders.exchange(Request("PUT", "/x", (), body)))["request"]
    assert stored == {"method": "PUT", "path": "/x", "headers": [], "base64": "/w==", "encoded": True}


def changed(**members):
    return {**to_document(builders.exchange()), **members}


REQUEST = {"method": "POST", "path": "/"}


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ([], "the exchange has to be an object"),
        (changed(at=5), "at has to be a time, not 5"),
        (changed(event=1), "event has to be null or a string"),
        (changed(conversation=["a"]), "conversation has to be null or"),
        (changed(conversation="x"), "conversation has to be null or"),
        (changed(conversation=[1, "a", "b"]), r"conversation\[0\]"),
        (changed(request=None), "request has to be an object"),
        (changed(request={"path": "/"}), "request.method"),
        (changed(request={"method": "POST"}), "request.path"),
        (changed(request={**REQUEST, "headers": [["a"]]}), "request.headers has to be a list of"),
        (changed(request={**REQUEST, "headers": {}}), "request.headers has to be a list of"),
        (changed(request={**REQUEST, "json": 1, "text": "1"}), "more than one body: json and text"),
        (changed(request={**REQUEST, "text": 1}), "request.text has to be a string"),
        (changed(request={**REQUEST, "base64": "ä"}), "request.base64 is not base64"),
        (changed(request={**REQUEST, "base64": "abc"}), "request.base64 is not base64"),
        (changed(response=[]), "response has to be an object"),
        (changed(response={"status": "200"}), "response.status has to be a number"),
        (changed(response={"status": True}), "response.status has to be a number"),
        (changed(response={"status": 99}), "from 100 to 999, not 99"),
        (changed(failure={"kind": "bad"}), "failure.kind has to be one of connect, timeout"),
        (changed(timing={"total_ms": "1"}), "timing.total_ms has to be a number"),
        (changed(made_from="shop"), "made_from has to be a recording's name and an id"),
        (changed(made_from=["shop"]), "made_from has to be a recording's name and an id"),
        (changed(made_from=["shop", True]), "made_from has to be a recording's name and an id"),
        (changed(at="x" * 100, event=["x" * 100]), r"event has to be null or a string, not \[\"xxx.*\.\.\."),
    ],
)
def test_a_document_at_fault_is_named(document, problem):
    """A person who edits a recording reads which member is wrong."""
    with pytest.raises(InvalidDocument, match=problem):
        from_document(document)


def test_what_a_person_may_leave_out():
    """Headers and timing of a hand-written exchange are optional."""
    written = from_document({"at": "2026", "request": REQUEST, "response": {"status": 200, "json": {"a": 1}}})
    assert written.timing == Timing(None, 0.0)
    assert written.response == Response(200, (), Body("json", {"a": 1}))
