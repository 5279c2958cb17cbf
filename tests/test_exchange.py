from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from aimyproxy import jsonvalue
from aimyproxy.exchange import ABSENT, Body
from tests.strategies import objects, values

raw_bodies = st.one_of(st.binary(max_size=60), values.map(lambda value: json.dumps(value).encode()))


@given(raw_bodies)
def test_a_body_keeps_its_meaning(raw):
    """Text and bytes come back to the byte, JSON to the same value."""
    body = Body.of(raw)
    if body.kind == "json":
        assert jsonvalue.same(json.loads(body.raw), json.loads(raw))
        assert type(json.loads(body.raw)) is type(json.loads(raw))
    else:
        assert body.raw == raw


def test_bodies_take_the_form_that_says_most():
    """JSON, else text, else bytes; nothing is absent."""
    assert Body.of(b'{"a": "\\u0418"}') == Body("json", {"a": "И"})
    assert Body.of(b'{"a": 1, "a": 2}') == Body("text", '{"a": 1, "a": 2}')
    assert Body.of(b"\xef\xbb\xbf{}").kind == "text"
    assert Body.of(b"\xff\x00") == Body("base64", b"\xff\x00")
    assert Body.of(b"") is ABSENT
    assert Body.of(b"{}", encoded=True) == Body("text", "{}", encoded=True)


def test_a_text_that_spells_an_object_has_variables():
    """What the bot would understand is not lost to us because we store it as text."""
    assert Body.of(b'{"action": "start", "big": 123456789012345678901234567890}').variables() == {
        "action": "start",
        "big": 123456789012345678901234567890,
    }
    assert Body.of(b'\xef\xbb\xbf{"action": "start"}').variables() == {"action": "start"}
    for raw in (
        b"[1]",
        b"oops",
        b'{"a": NaN}',
        b"",
        b"\xff",
        b"[" * 100_000,
        b'{"a":' + b"[" * 400 + b"]" * 400 + b"}",
    ):
        assert Body.of(raw).variables() is None


@given(objects)
def test_an_object_body_has_its_members_as_variables(value):
    """Whatever the spelling."""
    assert Body.of(json.dumps(value).encode()).variables() == value
