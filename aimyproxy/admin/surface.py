"""An admin surface: an ASGI application that answers those who have its token, and nobody whom a browser sends.

Every request needs `Authorization: Bearer TOKEN` and the Host it was sent to: a web page that somebody looks at must
not reach it, whatever name it goes by. There are no CORS headers, and no GET changes anything. One request is answered
without a token, for load balancers and probes: `GET /health`, which then tells whether the bot is served, and no more.
HEAD is GET without the body.
"""

from __future__ import annotations

import hmac
import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import parse_qsl

from aimyproxy import jsonvalue
from aimyproxy.errors import described

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from aimyproxy.admin.hosts import Hosts
    from aimyproxy.jsonvalue import JSON

Scope: TypeAlias = "dict[str, Any]"
Receive: TypeAlias = "Callable[[], Awaitable[dict[str, Any]]]"
Send: TypeAlias = "Callable[[dict[str, Any]], Awaitable[None]]"
Handler: TypeAlias = "Callable[[Asked], JSON | Reply | Awaitable[JSON | Reply]]"
Routes: TypeAlias = "Mapping[str, Mapping[str, Handler]]"
"""Handlers by path and method; a path that ends in `/` takes one further part, which has the name NUMBER."""

HEALTH: Final = "/health"
_ALWAYS: Final = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))


class Refused(Exception):
    """The request can't be served: a status and a sentence."""

    def __init__(self, status: int, problem: str, *headers: tuple[str, str]) -> None:
        super().__init__(problem)
        self.status = status
        self.headers = headers


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered; JSON unless `content_type` says otherwise."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    content_type: str = "application/json"

    @classmethod
    def of_json(cls, status: int, value: JSON, *headers: tuple[str, str]) -> Reply:
        """A reply that says this value."""
        return cls(status, jsonvalue.dumps(value) + b"\n", headers)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a handler is asked: the query's parameters, and the further part of the path, "" where it has none."""

    query: Mapping[str, str]
    part: str = ""

    def allow(self, *names: str) -> None:
        """Refuse parameters of other names."""
        for name in self.query:
            if name not in names:
                raise Refused(400, f"{name!r} is no parameter here; there are: {', '.join(names) or 'none'}.")

    def number(self, name: str, default: int) -> int:
        """The number that a parameter gives."""
        value = self.query.get(name, str(default))
        if not (value.isascii() and value.isdecimal() and len(value) < 16):
            raise Refused(400, f"{name} has to be a number, not {value!r}.")
        return int(value)

    def one_of(self, name: str, values: Mapping[str, bool]) -> bool | None:
        """What a parameter chooses, None where it isn't given."""
        value = self.query.get(name)
        if value is None:
            return None
        if value not in values:
            raise Refused(400, f"{name} has to be {' or '.join(values)}, not {value!r}.")
        return values[value]


class Surface:
    """The ASGI application over these routes. `hosts` are those that a Host header may name.

    `ready` says whether the bot is served; `trouble` is told of our own mistakes.
    """

    def __init__(
        self, routes: Routes, token: str, hosts: Hosts, ready: Callable[[], bool], trouble: Callable[[str], None]
    ) -> None:
        self._routes = routes
        self._token = token.encode()
        self._hosts = hosts
        self._ready = ready
        self._trouble = trouble

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Serve one HTTP request; its body is not read."""
        if scope["type"] != "http":
            return
        try:
            reply = await self._reply(scope)
        except Refused as refused:
            reply = Reply.of_json(refused.status, {"error": str(refused)}, *refused.headers)
        except Exception as error:
            self._trouble(f"The admin surface could not answer: {described(error)}")
            reply = Reply.of_json(500, {"error": "aimyproxy met an unexpected error; its terminal says more"})
        headers = [(name.encode(), value.encode()) for name, value in reply.headers]
        about = ((b"content-type", reply.content_type.encode()), (b"content-length", b"%d" % len(reply.body)))
        await send({"type": "http.response.start", "status": reply.status, "headers": [*headers, *about, *_ALWAYS]})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else reply.body})

    async def _reply(self, scope: Scope) -> Reply:
        path, headers = scope["path"], _headers(scope["headers"])
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        self._check_host(headers)
        if (path, method) == (HEALTH, "GET") and b"authorization" not in headers:
            ready = self._ready()
            return Reply.of_json(200 if ready else 503, {"ready": ready})
        self._check_token(headers)
        handler, part = self._handler(path, method)
        found = handler(Asked(_query(scope["query_string"]), part))
        answered = await found if inspect.isawaitable(found) else found
        return answered if isinstance(answered, Reply) else Reply.of_json(200, answered)

    def _check_host(self, headers: Mapping[bytes, bytes]) -> None:
        if not self._hosts.own(headers.get(b"host", b"").decode("latin-1")):
            problem = "The Host header has to name the address that the admin surface listens on, with its port."
            raise Refused(421, problem)

    def _check_token(self, headers: Mapping[bytes, bytes]) -> None:
        scheme, _, given = headers.get(b"authorization", b"").partition(b" ")
        if not hmac.compare_digest(given.strip(), self._token) or scheme.lower() != b"bearer":
            problem = "Send the header Authorization: Bearer TOKEN, with the token given or printed at the start."
            raise Refused(401, problem, ("www-authenticate", "Bearer"))

    def _handler(self, path: str, method: str) -> tuple[Handler, str]:
        head, slash, part = path.rpartition("/")
        methods = self._routes.get(path) if part else None
        if methods is not None:
            part = ""
        elif part:
            methods = self._routes.get(head + slash)
        if methods is None:
            known = ", ".join(f"{one}NUMBER" if one.endswith("/") else one for one in self._routes)
            raise Refused(404, f"There is no {path} here; there are {known}.")
        if method not in methods:
            possible = ", ".join("GET, HEAD" if one == "GET" else one for one in methods)
            raise Refused(405, f"{method} is not possible here; there are: {possible}.", ("allow", possible))
        return methods[method], part


def _headers(given: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    pairs = [(name, value) for name, value in given if name in (b"host", b"authorization")]
    headers = dict(pairs)
    if len(headers) < len(pairs):
        raise Refused(400, "The header Host or Authorization is given twice.")
    return headers


def _query(raw: bytes) -> dict[str, str]:
    pairs = parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True)
    query = dict(pairs)
    if len(query) < len(pairs):
        raise Refused(400, "A parameter is given twice.")
    return query
