"""What the user sees of a recording in progress, on standard error."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from aimyproxy.cli import jsonlog
from aimyproxy.cli.exposure import warn_of_listening, warn_of_rights
from aimyproxy.cli.output import counted, exchange_line, say, say_set_aside
from aimyproxy.cli.refusals import Refusals
from aimyproxy.wording import printable, shortened

if TYPE_CHECKING:
    from aimyproxy.exchange import Exchange
    from aimyproxy.guard import Refusal
    from aimyproxy.store.recording import Recording
    from aimyproxy.store.redacting import Redacting

_MOST_COUNTED: Final = 100_000
"""Events and conversations that the summary tells apart: bounds memory, whoever calls."""


_MOST_NAMED: Final = 100


class Screen:
    """Tells of a recording while it grows; `slow` is in seconds. No message shows what `redacting` knows as secret."""

    def __init__(self, recording: Recording, slow: float) -> None:
        self._recording = recording
        self._slow_ms = slow * 1000
        self._events: Counter[str] = Counter()
        self._conversations: set[tuple[str | None, ...]] = set()
        self._failures = 0
        self._troubles: Counter[str] = Counter()
        self._told: set[str] = set()
        self._refusals = Refusals()
        self.listened = False
        self.redacting: list[Redacting] = []

    def opened(self, created: bool) -> None:
        """Say what the exchanges will be added to, and repair the file where a crash left it torn."""
        set_aside = self._recording.open_for_append()
        name, path = self._recording.name, self._recording.path
        if set_aside:
            say_set_aside(path, set_aside)
        if created:
            say(f"New recording {name} in {path.parent}.")
        else:
            say(f"Recording {name} exists: appending to its {counted(len(self._recording), 'exchange')}.")
        warn_of_rights(self._recording)

    def listening(self, host: str, port: int, target: str, *, tls: bool) -> None:
        """Say where the bot has to connect to."""
        self.listened = True
        shown = f"[{host}]" if ":" in host else host
        url = f"{'https' if tls else 'http'}://{shown}:{port}"
        text = f"Listening on {url}, forwarding to {target}. Ctrl-C stops."
        say(text, kind="started", about=lambda: {"url": url, "target": target, "recording": self._recording.name})
        warn_of_listening(url)

    def recorded(self, identity: int, exchange: Exchange) -> None:
        """One line an exchange: number, time, channel, user, event, status, milliseconds, effect."""
        self._tell(str(identity), exchange, "recorded", identity)

    def held(self, number: int, exchange: Exchange) -> None:
        """The line of an exchange that waits in memory: how many do stands in its id's place."""
        self._tell(f"+{number}", exchange, "held")

    def lost(self, _number: int, exchange: Exchange) -> None:
        """The line of an exchange that is nowhere else."""
        self._tell("LOST", exchange, "lost")

    def _tell(self, place: str, exchange: Exchange, recorded: str, identity: int | None = None) -> None:
        self._events[exchange.event or "-" if len(self._events) < _MOST_COUNTED else "others"] += 1
        self._failures += exchange.failure is not None
        if exchange.conversation and len(self._conversations) < _MOST_COUNTED:
            self._conversations.add(exchange.conversation)
        slow = exchange.timing.total_ms > self._slow_ms
        failed = exchange.failure or recorded == "lost"
        colour = "red" if failed else "yellow" if slow or recorded == "held" else None
        say(
            f"{place:>5} {exchange_line(exchange)}" + (f"  SLOW, above {self._slow_ms / 1000:g} s" if slow else ""),
            colour,
            "exchange",
            lambda: jsonlog.about_exchange(identity, recorded, exchange, slow=slow),
        )

    def refused(self, refusal: Refusal) -> None:
        """A request was refused."""
        self._refusals.add(refusal)

    def news(self, message: str) -> None:
        """Something that was wrong is over; if it comes again, that is told again."""
        self._told.clear()
        say(message, "green", "news")

    def trouble(self, message: str) -> None:
        """Tell each trouble once, and how often it came at the end."""
        for redacting in self.redacting:
            message = redacting.text(message)
        if message not in self._troubles and len(self._troubles) >= _MOST_COUNTED:
            return
        self._troubles[message] += 1
        if message not in self._told:
            self._told.add(message)
            say(message, "red", "trouble")

    def summary(self, total: int) -> None:
        """What this run has added: so many exchanges."""
        seen = self._events.total()
        recorded = counted(total, "exchange") if total == seen else f"{total:,} of {counted(seen, 'exchange')}"
        events = ", ".join(f"{shortened(event)} {count}" for event, count in self._events.most_common(8))
        say(
            f"Recorded {recorded} ({self._failures} failed) of "
            f"{counted(len(self._conversations), 'conversation')} into {self._recording.path}"
            + (f": {printable(events)}." if events else "."),
            kind="summary",
            about=lambda: self._about(total),
        )
        self._refusals.summary()
        for message, count in self._troubles.items():
            if count > 1:
                say(f"{count} times: {message}", "red", "trouble")

    def _about(self, recorded: int) -> dict[str, object]:
        conversations = len(self._conversations)
        return {
            "recorded": recorded,
            "failed": self._failures,
            "conversations": conversations,
            "events": dict(self._events.most_common(_MOST_NAMED)),
        }


class Behind:
    """Tells of a recording that grows beside another one: no line for each exchange, but trouble and its end."""

    def __init__(self, screen: Screen) -> None:
        self.trouble = screen.trouble
        self.news = screen.news

    def recorded(self, identity: int, exchange: Exchange) -> None:
        """Nothing is shown."""

    held = lost = recorded
