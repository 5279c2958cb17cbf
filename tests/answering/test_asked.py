from __future__ import annotations

from aimyproxy.answering.asked import Asked
from aimyproxy.exchange import Body, Request
from tests.builders import START, request


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
