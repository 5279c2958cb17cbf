"""The log for collectors: one JSON object a line, in the place of the lines for people.

Each has `at` (ISO 8601, UTC), `level` (`info`, `warning` or `error`), `kind`, and `message`, the line as people read
it; `details` has the lines that belong to it. An `error` is what failed or is lost, for good or until it is over; a
`warning` what may be wrong, takes long or waits. Some kinds have more:

    started     url, and `target` of a record, `recording` of both
    exchange    a record's: id (null where it isn't in the file), recorded (`recorded`, `held`, `lost`), event, channel,
                user, status, failure (the kind of it), total_ms, upstream_ms, slow
    answer      a replay's: number, event, channel, user, status, source, milliseconds, missed
    refused     reason and count: the first of each reason; at the end, `reasons` with how many of each
    admin       url: where the admin surface is
    summary     a record's: recorded, failed, conversations, events; a replay's: requests, recorded, sources
    left_out    count: so many lines were not read in time, and are gone
    error       status: why the command ends, and with which exit status

What else is said is a `warning`, `trouble` (once, until it is over), `news` (it is over, or a file was picked up), or a
`note`. Names stay; there may be more of them.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from aimyproxy.wording import printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aimyproxy.answering.journal import Entry
    from aimyproxy.exchange import Exchange

_LEVELS: Final = {"red": "error", "yellow": "warning"}


def spelled(text: str, colour: str | None, kind: str, about: Mapping[str, Any], details: Sequence[str] = ()) -> str:
    """The object of a line that people would read in this colour; in any encoding, it is one line."""
    known = {
        "at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "level": _LEVELS.get(colour or "", "info"),
        "kind": kind,
        "message": text.strip(),
        **about,
    }
    if details:
        known["details"] = [line.strip() for line in details]
    # Whatever JSON leaves as it is, lone surrogates and what confuses a terminal, it can escape.
    return printable(json.dumps(known, ensure_ascii=False))


def about_exchange(identity: int | None, recorded: str, exchange: Exchange, *, slow: bool) -> dict[str, Any]:
    """What a line of the kind `exchange` has."""
    channel, _, user = exchange.conversation or (None, None, None)
    return {
        "id": identity,
        "recorded": recorded,
        "event": exchange.event,
        "channel": channel,
        "user": user,
        "status": exchange.response.status if exchange.response else None,
        "failure": exchange.failure.kind if exchange.failure else None,
        "total_ms": exchange.timing.total_ms,
        "upstream_ms": exchange.timing.upstream_ms,
        "slow": slow,
    }


def about_answer(entry: Entry) -> dict[str, Any]:
    """What a line of the kind `answer` has."""
    channel, _, user = entry.conversation or (None, None, None)
    return {
        "number": entry.number,
        "event": entry.event,
        "channel": channel,
        "user": user,
        "status": entry.status,
        "source": entry.source,
        "milliseconds": round(entry.milliseconds, 3),
        "missed": entry.miss is not None,
    }
