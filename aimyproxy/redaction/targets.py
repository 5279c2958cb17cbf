"""The secrets in a target's URL: user and password, tokens in its query and its path."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from aimyproxy.redaction.names import QUERY
from aimyproxy.target import TOKEN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aimyproxy.target import Target


def secrets_of(target: Target) -> Iterator[str]:
    """What must not be shown of a target; each value as it stands and decoded.

    Of the query that are the parameters of a secret's name, and those that look like tokens.
    """
    if target.userinfo:
        yield from _both(target.userinfo)
        user, _, password = target.userinfo.partition(":")
        yield from _both(password)
        if not password or re.search(r"\d", user):
            # Else it is a name, and may be any word.
            yield from _both(user)
        yield (target.authorization or "").removeprefix("Basic ")
    for found in QUERY.finditer(target.query):
        yield from _both(found["value"])
    for part in re.split("[/&=]", f"{target.path}/{target.query}"):
        if TOKEN.fullmatch(part):
            yield from _both(part)


def _both(value: str) -> Iterator[str]:
    yield from {value, unquote(value)} - {""}
