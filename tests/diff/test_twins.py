"""Parsing two recordings side by side: it changes nothing of what is read."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aimyproxy import jsonvalue
from aimyproxy.diff.twins import Twins
from aimyproxy.documents import to_document
from aimyproxy.errors import InvalidJSON
from aimyproxy.exchange import Failure, Timing
from tests import builders

LINES = st.builds(
    lambda asked, answer, at, timing, made_from: jsonvalue.dumps(
        to_document(
            replace(
                builders.exchange(builders.request(asked), builders.response(answer), at=at),
                timing=timing,
                made_from=made_from,
            )
        )
    ),
    st.sampled_from([{"action": "a"}, {"action": "b", "timing": {"x": 1}}, {"at": "x", ',"timing":{': ',"timing":{'}]),
    st.sampled_from([{}, {"timing": {"upstream_ms": 1}}, {"text": '"},"timing":{"}}'}]),
    st.sampled_from(["2026-11-22T10:15:30.123456Z", "2026-11-22T10:15:31Z", "yesterday"]),
    st.sampled_from([Timing(1.0, 2.0), Timing(None, 3.0)]),
    st.sampled_from([None, ("shop", 1), ("shop", 2)]),
)


def parsed(parse, text):
    try:
        return parse(text)
    except InvalidJSON:
        return "no JSON"


@st.composite
def damaged(draw):
    """A line, or what somebody made of it."""
    line = draw(LINES)
    start, end = sorted(draw(st.tuples(st.integers(0, len(line)), st.integers(0, len(line)))))
    cut = draw(st.sampled_from([line, line[:start] + line[end:], line[:end] + line[start:]]))
    return cut if draw(st.booleans()) else cut.replace(b'"timing"', b'"at"', 1)


@given(damaged(), damaged())
@example(b'{"at":"1","event":1,"timing":{}}', b'{"at":"1","event":1,"timing":{}}}')
@example(b'{"at":"1","event":1,"timing":{"x":{}}}', b'{"at":"2","event":1,"timing":{"x":{}},"event":2}')
@example(b'{"at":"1","event":1,"at":"2","timing":{}}', b'{"at":"3","event":1,"at":"2","timing":{}}')
@example(b'{"at":"1","event":{"a":1,"timing":{}}}', b'{"at":"1","event":{"a":1,"timing":{}}')
def test_both_sides_are_read_as_any_parser_reads_them(one, other):
    """Whatever stands in the lines, also where somebody edited them or they are torn."""
    twins = Twins()
    assert parsed(twins.baseline, one) == parsed(jsonvalue.loads, one)
    assert parsed(twins.candidate, other) == parsed(jsonvalue.loads, other)
    assert parsed(twins.candidate, one) == parsed(jsonvalue.loads, one)


@pytest.mark.parametrize("failure", [None, Failure("client_gone", "The bot hung up.")])
def test_what_is_alike_is_one(failure):
    """Request and response of an exchange that differs in its moment, its timing and its origin are parsed once."""
    one = replace(builders.exchange(), failure=failure)
    other = replace(one, at="2026-11-23T10:15:30.123456Z", timing=Timing(3.0, 4.0), made_from=("shop", 1))
    twins = Twins()
    before = twins.baseline(jsonvalue.dumps(to_document(one)))
    after = twins.candidate(jsonvalue.dumps(to_document(other)))
    assert after == to_document(other)
    assert after["request"] is before["request"]
    assert after["response"] is before["response"]
