"""The secrets in a target's URL."""

import pytest

from aimyproxy.redaction.targets import secrets_of
from aimyproxy.target import Target


@pytest.mark.parametrize(
    ("url", "secrets"),
    [
        ("https://hook.example.com/bot", set()),
        ("https://hook.example.com/pizza-shop-production-2?v=2&name=pizza", set()),
        (
            "https://bot:s%20cret-1@h/",
            {"bot:s%20cret-1", "bot:s cret-1", "s%20cret-1", "s cret-1", "Ym90OnMgY3JldC0x"},
        ),
        ("https://sk-4f9a1c:@h/", {"sk-4f9a1c:", "sk-4f9a1c", "c2stNGY5YTFjOg=="}),
        ("https://h/?v=1&token=abc%2Bdef", {"abc%2Bdef", "abc+def"}),
        ("https://h/bot110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5P/x", {"bot110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5P"}),
        ("https://h/?AKfycbx0123456789abcdefgh", {"AKfycbx0123456789abcdefgh"}),
    ],
)
def test_what_must_not_be_shown(url, secrets):
    """User and password, tokens by their name or their looks; and none of it is displayed."""
    target = Target.parse(url)
    assert set(secrets_of(target)) == secrets
    assert not any(secret in target.display for secret in secrets)
