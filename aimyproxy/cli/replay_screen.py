"""What the user sees of a replay, on standard error."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from aimyproxy.answering.missed import MissedEvents
from aimyproxy.cli import jsonlog
from aimyproxy.cli.exposure import warn_of_listening
from aimyproxy.cli.output import counted, event_column, say, user_column
from aimyproxy.cli.refusals import Refusals
from aimyproxy.wording import printable, shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aimyproxy.answering.faults import Faults
    from aimyproxy.answering.journal import Entry
    from aimyproxy.exchange import Exchange
    from aimyproxy.guard import Refusal
    from aimyproxy.mockserver.server import MockServer
    from aimyproxy.redaction.redactor import Redactor

_MOST_EVENTS: Final = 20
_FINE: Final = frozenset({"exact", "learned", "conversation", "guess", "usual"})
"""Where answers come from that are never worth a line of their own."""


@dataclass(frozen=True, slots=True)
class About:
    """What a server that has begun says of itself: where it is, and what will answer.

    `failing` is whether faults are on, `unknown` the events that have some and are not in the recording.
    """

    url: str
    admin_url: str
    summary: str
    warnings: Sequence[str]
    failing: bool
    unknown: Sequence[str]

    @classmethod
    def of(cls, server: MockServer, faults: Faults | None) -> About:
        """What there is to say of this server."""
        index = server.replayer.index
        unknown = sorted(faults.events - index.events) if faults else ()
        failing = index.failing or (faults is not None and faults.given)
        return cls(server.url, server.admin_url, index.summary(), index.warnings, failing, unknown)


@dataclass(slots=True)
class Tally:
    """What a screen has counted: answers by source, misses, and requests that were refused."""

    sources: Counter[str] = field(default_factory=Counter)
    missed: MissedEvents = field(default_factory=MissedEvents)
    refusals: Refusals = field(default_factory=Refusals)

    def merge(self, other: Tally) -> None:
        """Count what the other one counted, too."""
        self.sources.update(other.sources)
        self.missed.merge(other.missed)
        self.refusals.merge(other.refusals)


class Screen:
    """Tells of what a replay does, and of what becomes of the exchanges that it forwards.

    `tally` is what it has counted.
    """

    def __init__(self, name: str, *, quiet: bool = False, redactor: Redactor | None = None) -> None:
        self._redactor = redactor
        self._name = name
        self._quiet = quiet
        self.tally = Tally()

    def listening(self, about: About) -> None:
        """Say where the bot has to connect to, and what will answer it."""
        text = f"Listening on {about.url}, replaying {self._name}: {about.summary}. Ctrl-C stops."
        say(text, kind="started", about=lambda: {"url": about.url, "recording": self._name})
        warn_of_listening(about.url)
        for warning in about.warnings:
            self.trouble(warning)

    def served(self, entry: Entry) -> None:
        """One line a request: time, event, user, status, source, milliseconds; some more where it stays unanswered."""
        source = entry.source
        kind = source.partition(" ")[0]
        self.tally.sources[kind] += 1
        if self._quiet and kind in _FINE:
            return
        if entry.miss and source != "forward":
            self.tally.missed.add(entry.miss)
        colour = _colour(entry)
        if colour or not self._quiet:
            missed = entry.miss.lines() if entry.miss and entry.source == "miss" else ()
            details = [self._shown(f"  {line}") for line in missed]
            shown = self._named(entry)
            say(self._shown(entry_line(shown)), colour, "answer", lambda: jsonlog.about_answer(shown), details)

    def _named(self, entry: Entry) -> Entry:
        """The entry as the recording would name its event and user."""
        if self._redactor is None:
            return entry
        event = entry.event and self._redactor.text(entry.event)
        return replace(entry, event=event, conversation=self._redactor.conversation(entry.conversation))

    def _shown(self, text: str) -> str:
        return printable(self._redactor.text(text) if self._redactor else text)

    def refused(self, refusal: Refusal) -> None:
        """A request was refused."""
        self.tally.refusals.add(refusal)

    def news(self, message: str) -> None:
        """Something that the user waits for happened."""
        say(message, "green", "news")

    def trouble(self, message: str) -> None:
        """Something went wrong, and replay goes on."""
        say(self._shown(message), "red", "trouble")

    def recorded(self, identity: int, _exchange: Exchange) -> None:
        """What was forwarded is in the file."""
        if not self._quiet:
            self.news(f"Recorded as exchange {identity}.")

    def held(self, number: int, _exchange: Exchange) -> None:
        """What was forwarded waits in memory."""
        if not self._quiet:
            say(f"Waits to be recorded, as the last of {number:,}.", "yellow", "trouble")

    def lost(self, number: int, _exchange: Exchange) -> None:
        """What was forwarded is recorded nowhere."""
        say(f"LOST, as the last of {number:,}.", "red", "trouble")

    def summary(self, recorded: int) -> None:
        """How the requests of this run were answered, and what would help with those that were not.

        `recorded` is how many exchanges of what was forwarded are in the recording.
        """
        total = self.tally.sources.total()
        sources = ", ".join(f"{count} {source}" for source, count in self.tally.sources.most_common())
        text = f"Stopped after {counted(total, 'request')}" + (f": {sources}." if sources else ".")
        about = {"requests": total, "recorded": recorded, "sources": dict(self.tally.sources)}
        say(text, kind="summary", about=lambda: about)
        self.tally.refusals.summary()
        if recorded:
            say(f"Recorded {counted(recorded, 'exchange')} of what was forwarded.")
        if self.tally.missed.total:
            self._unanswered()

    def _unanswered(self) -> None:
        ranked = self.tally.missed.ranked()
        lines = []
        for one in ranked[:_MOST_EVENTS]:
            event = one.latest.event if one.latest.event is not None else "(no event)"
            event = shortened(event)
            lines.append(self._shown(f"  {event}, {_times(one.count)}. {one.latest.suggestion}"))
        others = self.tally.missed.others + sum(one.count for one in ranked[_MOST_EVENTS:])
        if others:
            lines.append(f"  other events, {_times(others)}.")
        say("Unanswered:", details=lines)


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"


def _colour(entry: Entry) -> str | None:
    unreachable = entry.source == "forward" and (entry.status or 0) >= 500
    if unreachable or entry.source == "error" or " failed: " in entry.source:
        return "red"
    return "yellow" if entry.source == "miss" or entry.source.startswith("fault ") else None


@lru_cache(maxsize=8)
def _clock(second: int) -> str:
    return datetime.fromtimestamp(second).astimezone().strftime("%H:%M:%S")


def entry_line(entry: Entry) -> str:
    """What was served, in one line."""
    event = entry.event if entry.event is not None else f"{entry.request.method} {entry.request.path}"
    user = entry.conversation[2] if entry.conversation else "-"
    parts = [
        _clock(int(entry.moment)),
        event_column(event),
        user_column(user),
        str(entry.status or "---"),
        f"{entry.source:<17}",
        f"{entry.milliseconds:>6.1f} ms",
    ]
    return "  ".join(parts)
