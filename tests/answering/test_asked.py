from __future__ import annotations

import json

from hypothesis import given

from aimyproxy.answering.asked import Asked, Lately
from aimyproxy.exchange import Body, Request
from tests.builders import START, request
from tests.strategies import objects


def key(asked):
    return Asked.of(asked).key


def plain(method="POST", path="/", body=None):
    return Request(method, path, (), Body() if body is None else Body.of(body))


def test_volatile_variables_do_not_part_two_requests():
    """Message ids and dates never decide anything."""
    raw = {"update_id": 1, "message": {"message_id": 2, "date": 3, "text": "Хочу пиццу 🍕"}}
    assert key(request(lastSeen=7, rawRequest=raw)) == key(request())
    assert key(request(name="Пётр")) != key(request())
    assert key(request(action="other")) != key(request())


def test_how_a_value_is_spelled_does_not_part_two_requests():
    """The order of members, white space, `1` and `1.0`."""
    one, other = plain(body=b'{"action": "a", "n": 1, "m": 2}'), plain(body=b'{"m":2,"n":1.0,"action":"a"}')
    assert key(one) == key(other)
    assert key(one) != key(plain(body=b'{"action": "a", "n": true, "m": 2}'))


def test_a_bots_request_is_the_same_on_every_path():
    """The variables are all that a webhook is told."""
    assert key(plain(path="/a", body=b'{"action": "a"}')) == key(plain(path="/b?c", body=b'{"action": "a"}'))


def test_other_requests_are_known_by_method_path_and_body():
    """A health check, a form, an array."""
    kinds = [
        plain("GET"),
        plain("HEAD"),
        plain("GET", "/health"),
        plain(body=b"a=1"),
        plain(body=b'"a=1"'),
        plain(body=b"[1]"),
        plain(body=b'{"a": 1}'),
        plain(body=b"\xff"),
        plain(),
    ]
    assert len({key(kind) for kind in kinds}) == len(kinds)
    assert key(plain(body=b"[1]")) == key(plain(body=b"[ 1.0 ]"))
    assert all(Asked.of(kind).event is None for kind in kinds)


def test_conditions_begin_at_the_json_body():
    """Also where that is no object, and nowhere where there is no JSON."""
    assert Asked.of(request()).root == START
    assert Asked.of(plain(body=b"[1]")).root == [1]
    assert Asked.of(plain(body=b"hello")).root is None
    assert Asked.of(plain(body=b'{"n": 123456789012345678901234567890}')).root == {"n": 123456789012345678901234567890}


@given(objects)
def test_what_is_kept_says_the_same(variables):
    """Only the bytes stay, and are parsed when somebody asks."""
    raw = json.dumps({"action": "a", "userId": "u", **variables}).encode()
    asked, lately = plain(body=raw), Lately()
    first, _, third = (lately.asked(asked, raw) for _ in range(3))
    for name in ("event", "conversation", "key", "variables", "root", "content"):
        assert getattr(first, name) == getattr(third, name)


def test_what_depends_on_more_than_the_body_is_not_kept():
    """Method and path decide where there is no event; and integers beyond 64 bit are not parsed as quickly."""
    for body in (b"[1]", b"hello", b'{"a": 1}', b'{"action": "a", "n": 123456789012345678901234567890}'):
        assert Asked.of(plain(body=body)).kept(body) is None
