"""The admin surface: what a test suite or a person may ask and tell a running replay, on a port of its own.

    GET    /health              {"status": "ok", "recording": "shop", "exchanges": 75, "mocks": 1, "events": 8,
                                 "requests": 12, "misses": 1, "refused": 0, "conversations": 3, "uptime_s": 41.5};
                                where what is forwarded is recorded, `status` and more as that of a record, and 503
                                while that is not well
    GET    /metrics             counts and times for Prometheus
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
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from aimyproxy.admin.surface import HEALTH, Refused, Reply
from aimyproxy.documents import request_document, response_document
from aimyproxy.keeping import wellbeing
from aimyproxy.mockserver.messages import kept_headers, kept_request
from aimyproxy.mockserver.source import LOADING_ERRORS

if TYPE_CHECKING:
    from aimyproxy.admin.metrics import Metrics
    from aimyproxy.admin.surface import Asked, Routes
    from aimyproxy.answering.journal import Entry, Journal
    from aimyproxy.answering.missed import MissedEvents
    from aimyproxy.answering.replayer import Replayer
    from aimyproxy.jsonvalue import JSON
    from aimyproxy.keeping.keeper import Keeper
    from aimyproxy.mockserver.source import Source

_TRUTH: Final = {"true": True, "false": False}
_FILTERS: Final = ("event", "user", "missed", "after", "limit")


@dataclass(frozen=True, slots=True)
class State:
    """What the admin surface looks at and changes. `recording` is the name; `keeper` records what is forwarded."""

    recording: str
    replayer: Replayer
    journal: Journal
    missed: MissedEvents
    source: Source
    metrics: Metrics
    keeper: Keeper | None = None
    begun: float = field(default_factory=time.monotonic)


class Admin:
    """What the admin surface of a replay answers."""

    def __init__(self, state: State) -> None:
        self._state = state

    @property
    def routes(self) -> Routes:
        """By path and method."""
        return {
            HEALTH: {"GET": self._health},
            "/metrics": {"GET": self._metrics},
            "/requests": {"GET": self._requests, "DELETE": self._clear},
            "/requests/": {"GET": self._request},
            "/misses": {"GET": self._misses},
            "/conversations": {"DELETE": self._forget},
            "/reload": {"POST": self._reload},
        }

    def _metrics(self, asked: Asked) -> Reply:
        asked.allow()
        return self._state.metrics.page()

    def _health(self, asked: Asked) -> Reply:
        asked.allow()
        state = self._state
        index = state.replayer.index
        keeper = {} if state.keeper is None else wellbeing.state_of(state.keeper)
        found = {
            "status": "ok",
            **keeper,
            "recording": state.recording,
            "exchanges": index.exchanges,
            "mocks": index.mocks,
            "events": len(index.events),
            "requests": state.journal.total,
            "misses": state.missed.total,
            "refused": state.metrics.refusals,
            "conversations": len(state.replayer.conversations),
            "uptime_s": round(time.monotonic() - state.begun, 1),
        }
        return Reply.of_json(200 if found["status"] in ("ok", "recording") else 503, found)

    def _requests(self, asked: Asked) -> JSON:
        asked.allow(*_FILTERS)
        found = self._state.journal.entries(
            asked.query.get("event"),
            asked.query.get("user"),
            missed=asked.one_of("missed", _TRUTH),
            after=asked.number("after", 0),
        )
        limit = asked.number("limit", len(found))
        # Who goes on from a number must not miss what came next; else the latest matter.
        shown = found[:limit] if "after" in asked.query else found[max(0, len(found) - limit) :]
        return {"total": self._state.journal.total, "requests": [document(entry) for entry in shown]}

    def _request(self, asked: Asked) -> JSON:
        asked.allow()
        for entry in self._state.journal.entries():
            if str(entry.number) == asked.part:
                return document(entry)
        raise Refused(404, f"There is no request {asked.part}, or it is kept no more.")

    def _clear(self, asked: Asked) -> JSON:
        asked.allow()
        self._state.journal.clear()
        self._state.missed.clear()
        return {}

    def _misses(self, asked: Asked) -> JSON:
        asked.allow()
        missed = self._state.missed
        ranked = [(one.latest, one.count) for one in missed.ranked()]
        shown = [{"event": miss.event, "count": count, "latest": miss.document()} for miss, count in ranked]
        return {"misses": shown, "others": missed.others}

    def _forget(self, asked: Asked) -> JSON:
        asked.allow("user")
        return {"forgotten": self._state.replayer.conversations.forget(asked.query.get("user"))}

    async def _reload(self, asked: Asked) -> JSON:
        asked.allow()
        state = self._state
        try:
            # In a thread: the bot shall not wait for a long recording.
            index = await asyncio.to_thread(state.source.reload, lambda index: setattr(state.replayer, "index", index))
        except LOADING_ERRORS as error:
            raise Refused(422, f"{error} What was good before stays in use.") from None
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
