"""The target: the real webhook's URL, and the one place that joins it with the path that the bot asked for."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, quote, unquote, urlsplit

from aimyproxy.errors import InvalidOption
from aimyproxy.exchange import Failure

if TYPE_CHECKING:
    from aimyproxy.exchange import FailureKind

REPLAY_HEADER: Final = "Aimyproxy-Replay"
"""The header that tells a webhook that no user waits for this answer, so that it can skip mails and payments."""
_EXAMPLE: Final = "https://hook.example.com/bot"
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
# As one server or another would understand it: decoded, with backslashes, with parameters.
_UPWARDS: Final = re.compile(r"(?:^|[/\\]|%2f|%5c)(?:\.|%2e){2}(?:$|[/\\;#]|%2f|%5c|%3b)", re.IGNORECASE)
_ERRNO: Final = re.compile(r"^\[Errno -?\d+\] ")
_MASK: Final = "***"
TOKEN: Final = re.compile(r"(?=(?:\D*\d){3}|.*\d.*[A-Z])(?=.*[A-Za-z])[\w:.~%-]{20,}", re.ASCII)
"""A part of a URL that may be a token: long, of letters and some digits."""
# All that may stand in a request line as it is; what is left are controls, blanks, `#` and non-ASCII.
_AS_THEY_ARE: Final = "!\"$%&'()*+,-./:;<=>?@[\\]^_`{|}~"


@dataclass(frozen=True, slots=True)
class Target:
    """A webhook's URL in its parts, ready for the wire.

    `host` is ASCII, without brackets; `port` is always set; `path` is "" or begins with `/`; `query` is without its
    `?`; `path` and `query` are percent-encoded where they have to be. `userinfo` is `user:password` as it was spelled
    in the URL, "" where there is none, and shows nowhere.
    """

    scheme: str
    host: str
    port: int
    path: str = ""
    query: str = ""
    userinfo: str = field(default="", repr=False)

    @classmethod
    def parse(cls, url: str) -> Target:
        """The target that an absolute http or https URL names; a fragment is dropped.

        Raises:
            InvalidOption: it is no such URL.
        """
        try:
            parts = urlsplit(url)
            scheme, host = parts.scheme, _ascii_host(parts)
            port = _DEFAULT_PORTS[scheme] if parts.port is None else parts.port
        except (ValueError, KeyError):
            raise _unusable(url) from None
        if not host or not port or any(character.isspace() for character in url):
            raise _unusable(url)
        return cls(scheme, host, port, _encoded(parts.path), _encoded(parts.query), parts.netloc.rpartition("@")[0])

    @property
    def host_header(self) -> str:
        """The Host header: the port is in it only where it isn't the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """Scheme, host and port: `https://hook.example.com`."""
        return f"{self.scheme}://{self.host_header}"

    @property
    def display(self) -> str:
        """The URL for people, files and logs: without user and password, and what may be a token is `***`."""
        path = "/".join(_MASK if TOKEN.fullmatch(part) else part for part in self.path.split("/"))
        query = "&".join(_masked(part) for part in self.query.split("&"))
        return self.origin + path + (f"?{query}" if query else "")

    @property
    def authorization(self) -> str | None:
        """The Authorization header that the URL's user and password ask for, None where it has none."""
        if not self.userinfo:
            return None
        user, _, password = self.userinfo.partition(":")
        return "Basic " + base64.b64encode(f"{unquote(user)}:{unquote(password)}".encode()).decode()

    def leads_out(self, bot_path: str) -> bool:
        """Whether what the bot asked for goes upwards (`..`, however spelled) from a target that is no whole host.

        Whoever reaches us could else reach all that this host serves.
        """
        return self.path not in ("", "/") and _UPWARDS.search(bot_path.partition("?")[0]) is not None

    def joined(self, bot_path: str) -> str:
        """The path and query to ask the target for when the bot asked for `bot_path` (path and query).

        The bot's `/` is the target's own path; anything further is appended to it; both queries are sent.

        Raises:
            ValueError: it leads out of the target's path.
        """
        if self.leads_out(bot_path):
            raise ValueError("its path leads out of the target's")
        path, _, query = _encoded(bot_path).partition("?")
        further = path.removeprefix("/")
        joined = f"{self.path.removesuffix('/')}/{further}" if further else self.path or "/"
        both = "&".join(part for part in (self.query, query) if part)
        return f"{joined}?{both}" if both else joined


def webhook_failure(kind: FailureKind, address: str, detail: str = "") -> Failure:
    """The failure of a webhook, in the words that recordings keep.

    `address` is HOST:PORT; `detail` is how long was waited, or what the system or the parser said.
    """
    # Systems and libraries say it each in their own form.
    detail = _ERRNO.sub("", detail).rstrip(".")
    said = {
        "timeout": f"did not answer within {detail}",
        "connect": f"can't be reached: {detail}",
        "disconnect": "closed the connection without a whole answer",
        "protocol": f"answered with something that is not HTTP: {detail}",
    }
    return Failure(kind, f"The webhook at {address} {said[kind]}.")


def _masked(parameter: str) -> str:
    name, equals, value = parameter.partition("=")
    if equals and value:
        return f"{name}={_MASK}"
    return _MASK if TOKEN.fullmatch(name) else parameter


def _ascii_host(parts: SplitResult) -> str:
    host = parts.hostname or ""
    return host if host.isascii() else host.encode("idna").decode()


def _encoded(text: str) -> str:
    return quote(text, safe=_AS_THEY_ARE, errors="surrogateescape")


def _unusable(url: str) -> InvalidOption:
    # The URL may hold a password and tokens: what stands before the @ and behind the ? is not repeated.
    shown = url.partition("?")[0].rpartition("@")[2]
    return InvalidOption(f"{shown!r} is no webhook's URL: write it whole, for example {_EXAMPLE}.")
