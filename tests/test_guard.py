from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimyproxy.errors import InvalidOption
from aimyproxy.guard import Guard, SecretHeader, parse_path
from aimyproxy.limiter import Rate

SECRET = "k3J9-long.enough_secret"
KEY = SecretHeader("X-Key", SECRET)


def reason(guard, path=b"/", *headers, address="192.0.2.1"):
    refusal = guard.refusal(address, path, headers)
    return refusal and refusal.reason


def test_who_knows_the_header_is_let_in():
    """In any case of its name, with blanks around its value; once, and with this value alone."""
    guard = Guard(KEY)
    value = SECRET.encode()
    for headers in (((b"x-KEY", value),), ((b"accept", b"*/*"), (b"X-Key", b" " + value + b"\t"))):
        assert reason(guard, b"/", *headers) is None
    for headers in (
        (),
        ((b"x-key", b""),),
        ((b"x-key", value[:-1]),),
        ((b"x-key", value + b"x"),),
        ((b"x-key", value.upper()),),
        ((b"x-key", b"\xff" + value),),
        ((b"x-key2", value),),
        ((b"x-key", value), (b"x-key", value)),
        ((b"x-key", b"wrong"), (b"X-Key", value)),
    ):
        assert reason(guard, b"/", *headers) == "header"


@given(st.binary(max_size=40))
def test_no_other_value_opens(value):
    """Whatever its bytes are."""
    same = value.strip() == SECRET.encode()
    assert (reason(Guard(KEY), b"/", (b"x-key", value)) is None) is same


@pytest.mark.parametrize(
    ("path", "behind"),
    [
        (b"/in/s3cret", b"/"),
        (b"/in/s3cret/", b"/"),
        (b"/in/s3cret?a=/in/s3cret", b"/?a=/in/s3cret"),
        (b"/in/s3cret/further/on?a=1", b"/further/on?a=1"),
        (b"/in/s3cret//evil", b"//evil"),
    ],
)
def test_who_knows_the_path_is_let_in_and_the_path_taken_away(path, behind):
    """What stands behind it stays."""
    guard = Guard(path="/in/s3cret")
    assert reason(guard, path) is None
    assert guard.path_behind(path) == behind


@pytest.mark.parametrize(
    "path", [b"", b"/", b"/in", b"/in/s3cre", b"/in/s3cret2", b"/IN/s3cret", b"/x/in/s3cret", b"*"]
)
def test_other_paths_are_not_found(path):
    """Also one that only begins like it."""
    guard = Guard(path="/in/s3cret")
    refusal = guard.refusal("192.0.2.1", path, ())
    assert (refusal.reason, refusal.status) == ("path", 404)
    assert guard.path_behind(path) == path


@given(st.binary(max_size=20), st.sampled_from([b"", b"/in/s3cret", b"/in/s3cre", b"/in/s3cret/", b"/in/s3cret?"]))
def test_a_path_opens_that_is_the_secret_one_or_goes_on_behind_it(further, begin):
    """Whatever its bytes are; what is left of it is a path."""
    guard, path = Guard(path="/in/s3cret"), begin + further
    opens = path == b"/in/s3cret" or path.startswith((b"/in/s3cret/", b"/in/s3cret?"))
    assert (reason(guard, path) is None) is opens
    left = guard.path_behind(path)
    assert left.startswith(b"/") and left.endswith(path[10:]) if opens else left == path


def test_a_refusal_names_no_secret():
    """Neither to the caller nor to the user; nor does the guard's own header where it is printed."""
    guard = Guard(KEY, "/in/s3cret", Rate.parse("1/h"))
    known = (b"X-Key", SECRET.encode())
    refusals = [guard.refusal("192.0.2.1", path, headers) for path, headers in ((b"/", ()), (b"/in/s3cret", ()))]
    assert guard.refusal("192.0.2.1", b"/in/s3cret", (known,)) is None
    refusals.append(guard.refusal("192.0.2.1", b"/in/s3cret", (known,)))
    assert [(one.reason, one.status) for one in refusals] == [("path", 404), ("header", 403), ("rate", 429)]
    shown = "".join(one.told + one.body.decode() + str(one.headers) for one in refusals) + repr(KEY)
    assert SECRET not in shown
    assert "s3cret" not in shown
    assert all(json.loads(one.body)["error"] for one in refusals)
    assert dict(refusals[2].headers)["Retry-After"] == "3600"
    kept = [(b"x-key2", b"1"), (b"accept", b"*/*")]
    assert guard.without_secret([kept[0], (b"x-kEy", b"1"), kept[1], (b"X-Key", b"2")]) == kept


def test_nothing_asked_for_is_nothing_refused():
    """And nothing is taken away."""
    guard = Guard()
    assert reason(guard, b"anything") is None
    assert guard.path_behind(b"/a?b") == b"/a?b"
    assert not guard.knows_friends
    assert guard.without_secret([(b"a", b"b")]) == [(b"a", b"b")]


def test_an_ipv6_network_is_one_address():
    """Its owner has as many as he likes; an IPv4 address in IPv6's spelling is itself."""
    guard = Guard(rate=Rate.parse("1/h"))
    assert reason(guard, address="2001:db8::1") is None
    assert reason(guard, address="2001:db8::ffff:2") == "rate"
    assert reason(guard, address="2001:db8:0:1::1") is None
    assert reason(guard, address="fe80::1%eth0") is None
    assert reason(guard, address="::ffff:192.0.2.1") is None
    assert reason(guard, address="192.0.2.1") == "rate"
    assert reason(guard, address="192.0.2.2") is None


def test_strangers_do_not_use_up_the_rate():
    """Behind a tunnel they have the bot's address."""
    guard = Guard(KEY, rate=Rate.parse("1/h"))
    assert [reason(guard) for _ in range(3)] == ["header"] * 3
    assert reason(guard, b"/", (b"x-key", SECRET.encode())) is None


@pytest.mark.parametrize(
    "text",
    ["", "X-Key", "X-Key:", ": v", "X Key: v", "X-Key: ключ", "X-Key: aaa\nb", "Host: s3cret", "content-length: 1"],
)
def test_a_header_that_can_not_work_is_told_without_its_value(text):
    """In words that fit behind the option's name."""
    with pytest.raises(InvalidOption) as caught:
        SecretHeader.parse(text)
    secret = text.partition(":")[2].strip()
    assert len(secret) < 3 or secret not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "path"), [("a", "/a"), ("/a/b/", "/a/b"), ("/A-b_c.~9", "/A-b_c.~9"), ("/...", "/...")]
)
def test_a_path_has_one_spelling(text, path):
    """With a slash in front and none behind."""
    assert parse_path(text) == path


@pytest.mark.parametrize("text", ["", "/", "/a b", "/a?b", "/a#b", "/a//b", "/é", "/%41", "/a/../b", "/."])
def test_a_path_that_senders_would_spell_in_several_ways_is_refused(text):
    """As it would open to some of them only."""
    with pytest.raises(InvalidOption):
        parse_path(text)


def test_a_header_may_hold_colons():
    """Only the first one ends its name."""
    assert SecretHeader.parse("Authorization: Bearer a:b ") == SecretHeader("Authorization", "Bearer a:b")
