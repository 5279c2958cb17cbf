"""By which names secrets go."""

import pytest

from aimyproxy.redaction.names import MEMBERS, PAIR, QUERY, header_kind


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Authorization", "credentials"),
        ("proxy-authorization", "credentials"),
        ("COOKIE", "cookie"),
        ("Set-Cookie", "set-cookie"),
        ("X-Api-Key", "key"),
        ("ApiKey", "key"),
        ("X-Auth-Token", "key"),
        ("X-Telegram-Bot-Api-Secret-Token", "key"),
        ("Ocp-Apim-Subscription-Key", "key"),
        ("X-Key", "key"),
        ("X-Session-Id", "key"),
        ("Sec-WebSocket-Key", "other"),
        ("WWW-Authenticate", "other"),
        ("Content-Type", "other"),
        ("Host", "other"),
        ("X-Monkey", "other"),
        ("Accept-Language", "other"),
    ],
)
def test_headers(name, kind):
    """What carries a key says so in its name."""
    assert header_kind(name) == kind


def test_members_in_every_spelling():
    """Of snakes, camels and others; but no name that only looks alike."""
    assert {"access_token", "accessToken", "AccessToken", "access-token", "ACCESS_TOKEN", "accesstoken"} <= MEMBERS
    assert not {"tokens", "passwords", "name", "secret", "key"} & MEMBERS


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"token": "abc"}', "abc"),
        ('{"Api_Key" :"a\\"b"}', 'a\\"b'),
        (r'"{\"token\":\"abc\"}"', "abc"),
        ('{"token": "cut o', "cut o"),
        ('{"password": -12.5}', "-12.5"),
        ('{"secret": "abc"}', "abc"),
        ('{"tokens": "abc"}', None),
        ('{"token": null}', None),
        ('{"token": ["abc"]}', None),
    ],
)
def test_pairs_in_texts(text, value):
    """Strings and numbers, at any depth of quoting."""
    found = PAIR.search(text)
    assert (found and (found["text"] if found["text"] is not None else found["number"])) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("/bot?x=1&api_key=abc%3D&y=2", "abc%3D"),
        ("https://h/?TOKEN=abc#f", "abc"),
        ("token=abc", "abc"),
        ("<a href='?sig=abc'>", "abc"),
        ("/bot?monkey=abc", None),
        ("/bot?token=", None),
        ("a token=abc", None),
    ],
)
def test_parameters(text, value):
    """Of URLs and of forms."""
    found = QUERY.search(text)
    assert (found and found["value"]) == value
