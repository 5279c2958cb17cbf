from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimyproxy.errors import InvalidOption
from aimyproxy.target import Target, webhook_failure


def test_a_url_is_taken_apart():
    """Every part of the URL is where it is looked for."""
    target = Target.parse("https://Hook.Example.com:8443/bot/v1?key=1#part")
    assert target == Target("https", "hook.example.com", 8443, "/bot/v1", "key=1")


@pytest.mark.parametrize(
    ("url", "host_header", "origin"),
    [
        ("http://hook.example.com", "hook.example.com", "http://hook.example.com"),
        ("http://hook.example.com:80/", "hook.example.com", "http://hook.example.com"),
        ("https://hook.example.com:443/", "hook.example.com", "https://hook.example.com"),
        ("https://hook.example.com:80/", "hook.example.com:80", "https://hook.example.com:80"),
        ("http://[::1]:5000/bot", "[::1]:5000", "http://[::1]:5000"),
        ("http://пицца.рф/", "xn--80apu3aa.xn--p1ai", "http://xn--80apu3aa.xn--p1ai"),
    ],
)
def test_the_host_header_names_only_unusual_ports(url, host_header, origin):
    """The scheme's own port is left out, IPv6 stands in brackets, other alphabets are encoded."""
    target = Target.parse(url)
    assert (target.host_header, target.origin) == (host_header, origin)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hook.example.com/bot",
        "ftp://hook.example.com/",
        "http://",
        "http:///bot",
        "http://h:0/",
        "http://h:port/",
        "http://h:99999/",
        "http://a b/",
        "http://h/a b",
        "http://[::1/",
        "http://h/\n",
        "http://\u0430..b/",
    ],
)
def test_what_is_no_webhooks_url_is_refused(url):
    """The message repeats the value and shows a good one."""
    with pytest.raises(InvalidOption, match=r"https://hook\.example\.com/bot"):
        Target.parse(url)


@pytest.mark.parametrize(
    ("url", "bot_path", "expected"),
    [
        ("http://h", "/", "/"),
        ("http://h", "", "/"),
        ("http://h/", "/", "/"),
        ("http://h/bot", "/", "/bot"),
        ("http://h/bot/", "/", "/bot/"),
        ("http://h/bot", "/more", "/bot/more"),
        ("http://h/bot/", "/more/", "/bot/more/"),
        ("http://h", "/more?x=1", "/more?x=1"),
        ("http://h/bot?key=1", "/", "/bot?key=1"),
        ("http://h/bot?key=1", "/?x=2", "/bot?key=1&x=2"),
        ("http://h/bot?key=1", "/more?x=2", "/bot/more?key=1&x=2"),
        ("http://h/bot?key=1", "/?", "/bot?key=1"),
        ("http://h/bot", "/a%2Fb%20c?q=%D0%98&r=a+b", "/bot/a%2Fb%20c?q=%D0%98&r=a+b"),
        ("http://h/bot", "//x", "/bot//x"),
        ("http://h/бот", "/имя#x", "/%D0%B1%D0%BE%D1%82/%D0%B8%D0%BC%D1%8F%23x"),
    ],
)
def test_the_bots_path_goes_behind_the_targets(url, bot_path, expected):
    """`/` is the target itself; more is appended; queries are joined; what is encoded stays so."""
    assert Target.parse(url).joined(bot_path) == expected


@given(st.text())
def test_no_path_breaks_out_of_the_request_line(bot_path):
    """Whatever a recording holds as its path, no blank, line break or fragment reaches the wire."""
    joined = Target.parse("http://h/bot").joined(bot_path)
    assert joined.startswith("/bot")
    assert joined.isascii()
    assert not any(character <= " " or character in "#\x7f" for character in joined)


def test_user_and_password_are_sent_but_never_shown():
    """They become the Authorization header and are in no text that people see."""
    target = Target.parse("https://john:s%20cret@h:8443/bot?x=1")
    assert target.authorization == "Basic am9objpzIGNyZXQ="
    assert target.display == "https://h:8443/bot?x=***"
    assert "cret" not in repr(target)
    assert Target.parse("https://h/").authorization is None


def test_a_password_is_not_repeated_in_an_error():
    """A broken URL is shown without what stands before its @."""
    with pytest.raises(InvalidOption) as refused:
        Target.parse("https://john:secret@h:port/")
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("detail", "said"),
    [
        ("Connection refused", "Connection refused."),
        ("[Errno -2] Name or service not known", "Name or service not known."),
        ("The remote server does not speak TLS.", "The remote server does not speak TLS."),
    ],
)
def test_what_a_library_says_becomes_part_of_one_sentence(detail, said):
    """Without its number, and with one full stop."""
    failure = webhook_failure("connect", "hook.example.com:443", detail)
    assert failure.message == f"The webhook at hook.example.com:443 can't be reached: {said}"


@pytest.mark.parametrize(
    "path",
    [
        "/..",
        "/../",
        "/../admin",
        "/a/../b",
        "/%2e%2E/x",
        "/.%2e?x",
        "/a%2f..%2fb",
        "/..\\x",
        "/..%5cx",
        "/..;/x",
        "..",
        "/..#x",
    ],
)
def test_nobody_gets_out_of_the_targets_path(path):
    """However a server may spell the way up; where the target is all of its host, there is no way out."""
    target = Target.parse("https://intranet.example.com/hooks/bot")
    assert target.leads_out(path)
    with pytest.raises(ValueError, match="its path leads out of the target's"):
        target.joined(path)
    assert not Target.parse("https://hook.example.com/").leads_out(path)


@pytest.mark.parametrize("path", ["/", "/a..b", "/...", "/..a", "/?x=/../y", "/a/./b", "/.well-known", "/%2e"])
def test_dots_elsewhere_are_part_of_a_name(path):
    """And a query is no path."""
    assert not Target.parse("https://intranet.example.com/hooks/bot").leads_out(path)
