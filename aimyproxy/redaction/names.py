"""By which names secrets go: of headers, of query parameters, of members of JSON; and what is personal by its name."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, Literal, TypeAlias

HeaderKind: TypeAlias = Literal["credentials", "cookie", "set-cookie", "key", "other"]

_WORDS: Final = (
    "access token",
    "refresh token",
    "id token",
    "auth token",
    "session token",
    "bearer token",
    "api token",
    "token",
    "api key",
    "api secret",
    "client secret",
    "secret key",
    "private key",
    "password",
    "passwd",
    "authorization",
)
_OF_QUERIES: Final = ("key", "secret", "auth", "pwd", "sig", "signature", "session", "sid")
_API_KEY: Final = re.compile(
    r".*(?:token|secret|password|passwd|credential|session|jwt|api[-_]?key|auth).*|(?:.*[-_])?(?:key|sid)",
    re.IGNORECASE,
)
_NO_KEYS: Final = frozenset({"sec-websocket-key", "www-authenticate", "proxy-authenticate", "idempotency-key"})


def _variants(words: str) -> set[str]:
    parts = words.split()
    capital = [part.capitalize() for part in parts]
    spelled = {separator.join(parts) for separator in ("", "_", "-")} | {
        "".join(capital),
        "-".join(capital),
        "_".join(capital),
        "".join([parts[0], *capital[1:]]),
    }
    return spelled | {one.upper() for one in spelled}


MEMBERS: Final = frozenset(name for words in _WORDS for name in _variants(words))
"""Members of JSON objects whose values are secret wherever they stand, in the spellings of all languages."""

_SPELLED: Final = "|".join(sorted({name.lower() for name in MEMBERS}, key=len, reverse=True))
PAIR: Final = re.compile(
    rf'(?P<quote>\\*")(?:{_SPELLED}|secret)(?P=quote)\s*:\s*'
    r"(?:(?P=quote)(?P<text>.*?)(?:(?<!\\)(?P=quote)|\Z)|(?P<number>-?\d[\d.eE+-]*))",
    re.IGNORECASE | re.DOTALL,
)
"""A secret member inside a text of JSON, be it broken, cut off, or itself inside a JSON string."""
QUERY: Final = re.compile(
    rf"(?:(?<=[?&;])|^)(?:{_SPELLED}|{'|'.join(_OF_QUERIES)})=(?P<value>[^&;#\s\"'<>\\]+)", re.IGNORECASE
)
"""A secret parameter of a URL or a form."""


@lru_cache(maxsize=4096)
def header_kind(name: str) -> HeaderKind:
    """What the value of a header of this name is: credentials behind a scheme, cookies, a key, or nothing secret.

    A key's header says so: its name holds `token`, `secret`, `password`, `credential`, `session`, `jwt`, `auth` or
    `api-key`, or ends in `key` or `sid` as a word of its own.
    """
    low = name.lower()
    if low in ("authorization", "proxy-authorization"):
        return "credentials"
    if low == "cookie":
        return "cookie"
    if low == "set-cookie":
        return "set-cookie"
    return "key" if low not in _NO_KEYS and _API_KEY.fullmatch(low) else "other"
