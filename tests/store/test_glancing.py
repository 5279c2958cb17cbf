from __future__ import annotations

import copy

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aimyproxy import jsonvalue
from aimyproxy.documents import from_document, to_document
from aimyproxy.errors import InvalidDocument, InvalidJSON
from aimyproxy.exchange import Body, Failure, Request
from aimyproxy.glance import Glance
from aimyproxy.store import glancing
from aimyproxy.store.glancing import glance, variables, whole
from tests import builders
from tests.strategies import objects, values
from tests.test_documents import exchanges

_STORED = to_document(builders.exchange(failure=Failure("client_gone", "hung up")))
_PLACES = [
    *((name,) for name in (*_STORED, "made_from")),
    *(("request", name) for name in (*_STORED["request"], "text", "base64", "encoded")),
    *(("request", "json", name) for name in builders.START),
    *(("response", name) for name in ("status", "headers", "json", "text", "base64")),
    *(("timing", name) for name in _STORED["timing"]),
    *(("failure", name) for name in _STORED["failure"]),
    *(("conversation", index) for index in range(3)),
]


def outcome(look, stored):
    """What somebody sees, or what they complain of."""
    try:
        return look(stored)
    except (InvalidDocument, InvalidJSON) as error:
        return str(error)


def looked_at_whole(stored):
    return Glance.of(from_document(jsonvalue.loads_stored(stored)))


def put(path, value):
    """A stored exchange with another value at this place."""
    document = copy.deepcopy(to_document(builders.exchange()))
    document["failure"] = {"kind": "client_gone", "message": "hung up"}
    within = document
    for step in path[:-1]:
        within = within[step]
    within[path[-1]] = value
    return jsonvalue.dumps(document)


@given(exchanges)
def test_a_glance_shows_what_reading_the_whole_does(exchange):
    """Whatever was recorded, bots' requests or others."""
    stored = jsonvalue.dumps(to_document(exchange))
    assert glance(stored) == looked_at_whole(stored) == Glance.of(exchange)
    assert variables(stored) == exchange.request.body.variables()
    assert whole(memoryview(stored)) == exchange


@given(objects)
def test_a_bots_request_says_whose_it_is(more):
    """With whatever variables besides, and in the place of those that name the user."""
    exchange = builders.exchange(builders.request({**builders.START, **more}))
    stored = jsonvalue.dumps(to_document(exchange))
    assert glance(stored) == Glance.of(exchange)
    assert variables(stored) == exchange.request.body.variables()


@given(
    st.sampled_from(_PLACES),
    values | st.sampled_from([1, 1.0, True, "start", 99, 1000, 10**20, [], [["a", "b"]], [["a"]], {}, "\ud83d", 1e300]),
)
@example(("request", "text"), "both")
@example(("response", "text"), "both")
@example(("response", "base64"), "aGk=")
@example(("timing",), None)
@example(("request", "json", "userId"), 7.0)
def test_what_is_wrong_is_seen_at_a_glance(path, value):
    """With the same sentence that reading the whole raises."""
    stored = put(path, value)
    assert outcome(glance, stored) == outcome(looked_at_whole, stored)


@pytest.mark.parametrize(
    "stored", [b"", b"{", b'{"at": nul}', b"[]", b'{"at": "\\ud83d"}', b'{"at": "x"} 5', b"[" * 9999]
)
def test_what_is_no_json_is_seen(stored):
    """Or no exchange."""
    with pytest.raises((InvalidJSON, InvalidDocument)):
        glance(stored)
    with pytest.raises((InvalidJSON, InvalidDocument)):
        variables(stored)


def test_bytes_that_are_no_utf8_show_only_to_who_reads_them():
    """A glance passes over texts that it doesn't show: so it is quick."""
    stored = put(("request", "json", "name"), "Иван").replace("Иван".encode(), b"\xff")
    assert glance(stored).event == "start"
    for read in (whole, variables):
        with pytest.raises(InvalidJSON):
            read(stored)


def test_one_that_is_nested_too_deep_is_told():
    """A parser may go deeper than who walks what it made."""
    inner = []
    for _ in range(400):
        inner = [inner]
    assert Glance.of(builders.exchange(Request("POST", "/", (), Body("json", {"a": inner})))).deep
    assert not Glance.of(builders.exchange()).deep


def test_the_ordinary_is_not_read_whole(monkeypatch):
    """Recorded as this program records it, with a response of any kind but bytes."""
    monkeypatch.setattr(glancing, "whole", None)
    for answered in (builders.response({"a": 1}), builders.response("text"), None):
        stored = jsonvalue.dumps(to_document(builders.exchange(None, answered, Failure("client_gone", ""))))
        assert glance(stored).answered == (answered is not None)
        assert variables(stored) == builders.START
