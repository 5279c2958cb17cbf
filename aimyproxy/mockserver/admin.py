"""The admin surface: what a test suite or a person may ask and tell a running replay, on a port of its own.

    GET    /health              {"status": "ok", "recording": "shop", "exchanges": 75, "mocks": 1, "events": 8,
                                 "requests": 12, "misses": 1, "conversations": 3, "uptime_s": 41.5}
    GET    /requests            {"total": 12, "requests": [ENTRY]}, the latest 1,000 at most; only those that fit:
                                ?event=order &user=u3 &missed=true|false &after=NUMBER; &limit=COUNT: the latest,
                                or with `after` the next
    GET    /requests/NUMBER     ENTRY
    DELETE /requests            forget them, and the misses; numbers go on
    GET    /misses              {"misses": [{"event": …, "count": 3, "latest": {…}}], "others": 0}
    DELETE /conversations       let all conversations begin anew, or those of ?user=
    POST   /reload              load the recording's files now; 422 where they are broken, and all stays as it was

An ENTRY is {"number", "at", "event", "conversation", "request", "response", "source", "milliseconds", "miss"}: request
and response as in the recording format, `response` null where the bot got none, `miss` null or the explanation.

Every request needs `Authorization: Bearer TOKEN` and the Host it was sent to: a web page that the developer looks at
must not reach it, whatever name it goes by. There are no CORS headers, and no GET changes anything.
"""

from __future__ import annotations

import asyncio
import hmac
import inspect
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

from aimyproxy.exchange import request_document, response_document
from aimyproxy.mockserver.app import described
from aimyproxy.mockserver.messages import Reply, Scope, Send, kept_headers, kept_request, send_reply
from aimyproxy.mockserver.source import LOADING_ERRORS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aimyproxy.answering.journal import Entry, Journal
    from aimyproxy.answering.missed import MissedEvents
    from aimyproxy.answering.replayer import Replayer
    from aimyproxy.jsonvalue import JSON
    from aimyproxy.mockserver.app import Observer
    from aimyproxy.mockserver.hosts import Hosts
    from aimyproxy.mockserver.messages import Receive
    from aimyproxy.mockserver.source import Source

_SOURCE: Final = "admin"
_TRUTH: Final = {"true": True, "false": False}
_FILTERS: Final = ("event", "user", "missed", "after", "limit")


class _Refused(Exception):
    """The request can't be served: a status and a sentence."""

    def __init__(self, status: int, problem: str, *headers: tuple[str, str]) -> None:
        super().__init__(problem)
        self.status = status
        self.headers = headers


@dataclass(frozen=True, slots=True)
class State:
    """What the admin surface looks at and changes. `recording` is the name."""

    recording: str
    replayer: Replayer
    journal: Journal
    missed: MissedEvents
    source: Source
    observer: Observer
    begun: float = field(default_factory=time.monotonic)


class Admin:
    """The ASGI application. `hosts` are those that a Host header may name."""

    def __init__(self, state: State, token: str, hosts: Hosts) -> None:
        self._state = state
        self._token = token.encode()
        self._hosts = hosts
        self._routes: Mapping[str, Mapping[str, Callable[[dict[str, str]], JSON]]] = {
            "/health": {"GET": self._health},
            "/requests": {"GET": self._requests, "DELETE": self._clear},
            "/misses": {"GET": self._misses},
            "/conversations": {"DELETE": self._forget},
            "/reload": {"POST": self._reload},
        }

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Serve one HTTP request; its body is not read."""
        if scope["type"] != "http":
            return
        try:
            self._check(dict(scope["headers"]))
            found = self._answer(scope)
            reply = Reply.of_json(200, await found if inspect.isawaitable(found) else found, _SOURCE)
        except _Refused as refused:
            reply = Reply.of_json(refused.status, {"error": str(refused)}, _SOURCE)
            reply = Reply(reply.status, (*reply.headers, *refused.headers), reply.body, _SOURCE)
        except Exception as error:
            self._state.observer.trouble(f"The admin surface could not answer: {described(error)}")
            reply = Reply.of_json(500, {"error": "aimyproxy met an unexpected error; its terminal says more"}, _SOURCE)
        await send_reply(reply, send)

    def _check(self, headers: Mapping[bytes, bytes]) -> None:
        if not self._hosts.own(headers.get(b"host", b"").decode("latin-1")):
            problem = "The Host header has to name the address that the admin surface listens on, with its port."
            raise _Refused(421, problem)
        scheme, _, given = headers.get(b"authorization", b"").partition(b" ")
        if not hmac.compare_digest(given.strip(), self._token) or scheme.lower() != b"bearer":
            problem = "Send the header Authorization: Bearer TOKEN, with the token that replay printed or was given."
            raise _Refused(401, problem, ("www-authenticate", "Bearer"))

    def _answer(self, scope: Scope) -> JSON:
        path, method = scope["path"], scope["method"]
        if path.startswith("/requests/"):
            if method != "GET":
                raise _Refused(405, f"{method} is not possible here.", ("allow", "GET"))
            _allow(_query(scope["query_string"]))
            return self._request(path.removeprefix("/requests/"))
        methods = self._routes.get(path)
        if methods is None:
            known = ", ".join([*self._routes, "/requests/NUMBER"])
            raise _Refused(404, f"There is no {path} here; there are {known}.")
        if method not in methods:
            raise _Refused(405, f"{method} is not possible here.", ("allow", ", ".join(methods)))
        return methods[method](_query(scope["query_string"]))

    def _health(self, query: dict[str, str]) -> JSON:
        _allow(query)
        state = self._state
        index = state.replayer.index
        return {
            "status": "ok",
            "recording": state.recording,
            "exchanges": index.exchanges,
            "mocks": index.mocks,
            "events": len(index.events),
            "requests": state.journal.total,
            "misses": state.missed.total,
            "conversations": len(state.replayer.conversations),
            "uptime_s": round(time.monotonic() - state.begun, 1),
        }

    def _requests(self, query: dict[str, str]) -> JSON:
        _allow(query, *_FILTERS)
        found = self._state.journal.entries(
            query.get("event"),
            query.get("user"),
            missed=_one_of(query, "missed", _TRUTH),
            after=_number(query, "after", 0),
        )
        limit = _number(query, "limit", len(found))
        # Who goes on from a number must not miss what came next; else the latest matter.
        shown = found[:limit] if "after" in query else found[max(0, len(found) - limit) :]
        return {"total": self._state.journal.total, "requests": [document(entry) for entry in shown]}

    def _request(self, number: str) -> JSON:
        for entry in self._state.journal.entries():
            if str(entry.number) == number:
                return document(entry)
        raise _Refused(404, f"There is no request {number}, or it is kept no more.")

    def _clear(self, query: dict[str, str]) -> JSON:
        _allow(query)
        self._state.journal.clear()
        self._state.missed.clear()
        return {}

    def _misses(self, query: dict[str, str]) -> JSON:
        _allow(query)
        missed = self._state.missed
        ranked = [(one.latest, one.count) for one in missed.ranked()]
        shown = [{"event": miss.event, "count": count, "latest": miss.document()} for miss, count in ranked]
        return {"misses": shown, "others": missed.others}

    def _forget(self, query: dict[str, str]) -> JSON:
        _allow(query, "user")
        return {"forgotten": self._state.replayer.conversations.forget(query.get("user"))}

    async def _reload(self, query: dict[str, str]) -> JSON:
        _allow(query)
        state = self._state
        try:
            # In a thread: the bot shall not wait for a long recording.
            index = await asyncio.to_thread(state.source.reload, lambda index: setattr(state.replayer, "index", index))
        except LOADING_ERRORS as error:
            raise _Refused(422, f"{error} What was good before stays in use.") from None
        return {"loaded": index.summary(), "warnings": index.warnings}


def document(entry: Entry) -> dict[str, JSON]:
    """An entry of the journal as JSON."""
    response = entry.response
    return {
        "number": entry.number,
        "at": entry.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "event": entry.event,
        "conversation": entry.conversation and list(entry.conversation),
        "request": request_document(kept_request(entry.request)),
        "response": response and response_document(replace(response, headers=kept_headers(response.headers))),
        "source": entry.source,
        "milliseconds": round(entry.milliseconds, 3),
        "miss": entry.miss and entry.miss.document(),
    }


def _query(raw: bytes) -> dict[str, str]:
    pairs = parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True)
    query = dict(pairs)
    if len(query) < len(pairs):
        raise _Refused(400, "A parameter is given twice.")
    return query


def _allow(query: dict[str, str], *names: str) -> None:
    for name in query:
        if name not in names:
            raise _Refused(400, f"{name!r} is no parameter here; there are: {', '.join(names) or 'none'}.")


def _number(query: dict[str, str], name: str, default: int) -> int:
    value = query.get(name, str(default))
    if not (value.isascii() and value.isdecimal() and len(value) < 16):
        raise _Refused(400, f"{name} has to be a number, not {value!r}.")
    return int(value)


def _one_of(query: dict[str, str], name: str, values: Mapping[str, bool]) -> bool | None:
    value = query.get(name)
    if value is None:
        return None
    if value not in values:
        raise _Refused(400, f"{name} has to be {' or '.join(values)}, not {value!r}.")
    return values[value]
