"""Secrets that a name tells: of a header, of a cookie, of a URL's parameter, of a member of JSON inside a text."""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, unquote

from aimyproxy.redaction.names import PAIR, QUERY, header_kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from aimyproxy.exchange import Headers

AUTHORIZED: Final = re.compile(r"(?:bearer|basic|token) +(?=\S)", re.IGNORECASE)
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9_-]*) +(\S.*)", re.DOTALL)
_COOKIE: Final = re.compile(r"((?:^|;)[^=;]*+=\s*+)([^;]*)")


class Named:
    """Replaces secrets that stand under a name that tells; `secret` gets each, and returns what stands for it."""

    def __init__(self, secret: Callable[[str], str]) -> None:
        self._secret = secret

    def headers(self, headers: Headers) -> Headers:
        """The headers with their secrets replaced; the very same where there are none."""
        changed = tuple([(name, self._header(name, value)) for name, value in headers])
        return headers if changed == headers else changed

    def _header(self, name: str, value: str) -> str:
        kind = header_kind(name)
        if kind == "other":
            return self.query(value) if "=" in value and "?" in value else value
        if kind == "credentials":
            return self._credentials(value)
        if kind == "key":
            return self._credentials(value) if AUTHORIZED.match(value) else self._encoded(value)
        count = 1 if kind == "set-cookie" else 0
        return _COOKIE.sub(lambda found: found[1] + self._encoded(found[2]), value, count)

    def _credentials(self, value: str) -> str:
        found = _SCHEME.fullmatch(value)
        if not found:
            return self._encoded(value)
        scheme, rest = found.groups()
        replacement = self._encoded(rest)
        if scheme.lower() == "basic" and replacement != rest:
            for part in _password(rest):
                self._secret(part)
        return value[: found.start(2)] + replacement

    def query(self, text: str) -> str:
        """A text with the secrets in the parameters of its URLs replaced."""
        return QUERY.sub(lambda found: found[0][: -len(found["value"])] + self._parameter(found["value"]), text)

    def _parameter(self, value: str) -> str:
        spaced = value.replace("+", "%20")
        replacement = self._encoded(spaced)
        return value if replacement == spaced else replacement

    def _encoded(self, value: str) -> str:
        """What stands for a secret that may be percent-encoded: it comes again as it is, or decoded."""
        plain = unquote(value, errors="surrogateescape")
        replacement = self._secret(plain)
        if plain in (value, replacement):
            return replacement if plain == value else value
        # Or there only is a percent sign in it.
        self._secret(value)
        return quote(replacement, errors="surrogateescape")

    def text(self, text: str) -> str:
        """A text with the secrets in it that a name tells: of a member of JSON, or of a parameter."""
        if '"' in text:
            text = PAIR.sub(self._pair, text)
        return self.query(text) if "=" in text else text

    def _pair(self, found: re.Match[str]) -> str:
        group = "text" if found["text"] is not None else "number"
        start, end = found.start(group) - found.start(), found.end(group) - found.start()
        whole, value = found[0], found[group]
        return whole[:start] + self._inside_json(value) + whole[end:]

    def _inside_json(self, value: str) -> str:
        """What stands between quotes in JSON, replaced: what it spells, if it has escapes."""
        if "\\" not in value:
            return self._secret(value)
        try:
            plain = json.loads(f'"{value}"', strict=False)
        except ValueError:
            return self._secret(value)
        replacement = self._secret(plain)
        return value if replacement == plain else json.dumps(replacement)[1:-1]


def _password(credentials: str) -> list[str]:
    """The password in the base64 of `user:password`, and both of them; the user where that is the secret."""
    try:
        plain = base64.b64decode(credentials + "==").decode()
    except ValueError:
        return []
    user, _, password = plain.partition(":")
    return [part for part in (plain, password or user) if part]
