"""Who of those that call is let in: those who know the secret, and each address so many times a second."""

from __future__ import annotations

import hmac
import ipaddress
import json
import math
import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from aimyproxy.errors import InvalidOption
from aimyproxy.limiter import Limiter, SharedLimiter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from aimyproxy.limiter import Rate

Reason = Literal["path", "header", "rate", "proxy", "outside", "strict"]
"""Why a request is refused: no secret path, no secret header, too many of them; it takes us for an open proxy; its path
leads out of the target's; it could not be recorded."""

_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# Beyond that, one server or another on the way refuses it.
_LONGEST: Final = 1000
_VALUE: Final = re.compile(rf"[ -~]{{1,{_LONGEST}}}")
# What is sent of a path as it is; anything else would be spelled in a way of its own by each sender.
_PATH: Final = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~-]+)+")
_MEANINGFUL: Final = frozenset({"connection", "content-length", "expect", "host", "te", "transfer-encoding"})
# Whoever has an IPv6 address has at least so many bits of others.
_SUBNET: Final = 64


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is refused: `problem` is what the caller is told, `told` what the user is.

    `wait` is after how many seconds the caller may come again, 0 where that would not help.
    """

    reason: Reason
    status: int
    problem: str
    told: str
    wait: int = 0

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """The headers of the answer."""
        again = (("Retry-After", str(self.wait)),) if self.wait else ()
        return (("Content-Type", "application/json"), *again)

    @property
    def body(self) -> bytes:
        """The body of the answer, one line of JSON."""
        return json.dumps({"error": self.problem}).encode() + b"\n"


OPEN_PROXY: Final = Refusal(
    "proxy",
    400,
    "aimyproxy is no open proxy: ask for a path, not for a whole URL.",
    "A request was refused: it asked for a whole URL, as one asks an open proxy.",
)
OUTSIDE: Final = Refusal(
    "outside",
    400,
    "The path leads upwards, out of what is served here.",
    "A request was refused: its path leads upwards, out of the target's.",
)
UNRECORDED: Final = Refusal(
    "strict",
    503,
    "aimyproxy can't record, and serves nothing that it doesn't record (--strict).",
    "A request was refused: it could not have been recorded.",
)
_NO_PATH: Final = Refusal("path", 404, "There is nothing here.", "A request was refused: it lacks the secret path.")


@dataclass(frozen=True, slots=True)
class SecretHeader:
    """A header that every request has to have, once and with this value."""

    name: str
    value: str = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> SecretHeader:
        """From `Name: value`; raises InvalidOption, which does not repeat the secret."""
        name, colon, value = text.partition(":")
        value = value.strip()
        if not (colon and _NAME.fullmatch(name) and _VALUE.fullmatch(value)):
            problem = "write a header's name, a colon and a value in ASCII (up to 1,000 characters), as 'X-Key: k3J9…'"
            raise InvalidOption(problem)
        if name.lower() in _MEANINGFUL:
            raise InvalidOption(f"{name} means something to HTTP: choose a header of your own, as X-Key")
        return cls(name, value)


def parse_path(text: str) -> str:
    """A secret path without a slash at its end; raises InvalidOption, which does not repeat the secret."""
    path = "/" + text.strip("/")
    if len(path) > _LONGEST or not _PATH.fullmatch(path):
        problem = "write a path of letters, digits, dots, dashes and underscores (up to 1,000 characters), as /k3J9…"
        raise InvalidOption(problem)
    return path


class Guard:
    """Refuses requests that lack a secret, and of the others those that are too many."""

    def __init__(
        self,
        header: SecretHeader | None = None,
        path: str = "",
        rate: Rate | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = header.name.lower().encode() if header else b""
        self._value = header.value.encode() if header else b""
        self._path = path.encode()
        self._limiter: Limiter | SharedLimiter | None = Limiter(rate, clock) if rate else None
        self._no_header = _no_header(header.name if header else "")
        self._rate = rate

    def count_in(self, folder: Path) -> None:
        """Count together with all processes that get this guard from now on, in a file of this folder."""
        if self._rate:
            self._limiter = SharedLimiter(self._rate, folder / "addresses")

    @property
    def knows_friends(self) -> bool:
        """Whether strangers are told apart from those who know a secret."""
        return bool(self._name or self._path)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The header's value and the path, where there are such."""
        return tuple(one.decode() for one in (self._value, self._path) if one)

    def refusal(self, address: str, path: bytes, headers: Iterable[tuple[bytes, bytes]]) -> Refusal | None:
        """Why this request is refused, None where it isn't; `path` is as it was sent."""
        if self._path and not self._knows_path(path):
            return _NO_PATH
        if self._name:
            given = [value for name, value in headers if name.lower() == self._name]
            # Of several, another program might read another one.
            if len(given) != 1 or not hmac.compare_digest(given[0].strip(), self._value):
                return self._no_header
        # Strangers are refused before they are counted: behind a tunnel, they have the bot's address.
        if self._limiter and self._rate and (wait := self._limiter.wait(_network(address))):
            return _too_many(self._rate, wait)
        return None

    def path_behind(self, path: bytes) -> bytes:
        """The path without the secret one in front of it."""
        if not self._path or not self._knows_path(path):
            return path
        further = path[len(self._path) :]
        return further if further.startswith(b"/") else b"/" + further

    def without_secret(self, headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        """The headers without the secret one: it is not for the webhook, nor for the recording."""
        secret = self._name
        return [one for one in headers if one[0].lower() != secret]

    def _knows_path(self, path: bytes) -> bool:
        length = len(self._path)
        same = hmac.compare_digest(path[:length], self._path)
        return same and path[length : length + 1] in (b"", b"/", b"?")


def _no_header(name: str) -> Refusal:
    problem = "The request lacks a header that it has to have here."
    return Refusal("header", 403, problem, f"A request was refused: it lacks the header {name}, or has another value.")


def _too_many(rate: Rate, wait: float) -> Refusal:
    told = f"A request was refused: more than {rate.text} came from its address."
    return Refusal("rate", 429, "There are too many requests.", told, math.ceil(wait))


def _network(address: str) -> str:
    if ":" not in address:
        return address
    parsed = ipaddress.ip_address(address.partition("%")[0])
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return str(mapped or ipaddress.ip_network((parsed, _SUBNET), strict=False))
