"""A mock webhook inside a test: a recording replayed by a thread of the test's own process.

    with aimyproxy.replay("shop") as mock:
        my_bot.webhook = mock.url
        my_bot.order("Маргарита")
        [order] = mock.requests(event="order")
        assert order.variables["pizza"] == "Маргарита"

What goes wrong while it serves, and what nothing answers, is logged by the logger `aimyproxy`.
"""

from __future__ import annotations

import itertools
import json
import logging
import threading
from collections.abc import Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, get_args
from weakref import WeakValueDictionary

from aimyproxy import jsonvalue
from aimyproxy.answering.conversations import Conversations
from aimyproxy.answering.faults import Fault, Faults
from aimyproxy.answering.fresh import Dice
from aimyproxy.answering.latency import Latency
from aimyproxy.answering.mocks import Mock
from aimyproxy.answering.serving import AFTER_LAST, MATCHES, Serving
from aimyproxy.diff.wording import plural
from aimyproxy.errors import InvalidDocument, InvalidJSON, InvalidOption
from aimyproxy.mockserver.account import entry_line, entry_lines
from aimyproxy.mockserver.background import in_background
from aimyproxy.mockserver.onmiss import Empty, Explain
from aimyproxy.mockserver.server import Settings, mock_server
from aimyproxy.store.folder import RecordingsFolder
from aimyproxy.store.redacted import redactor_of
from aimyproxy.wording import printable

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Iterator

    from aimyproxy.answering.journal import Entry
    from aimyproxy.answering.misses import Miss
    from aimyproxy.answering.serving import AfterLast, Match
    from aimyproxy.guard import Refusal
    from aimyproxy.jsonvalue import JSON
    from aimyproxy.mockserver.onmiss import OnMiss
    from aimyproxy.mockserver.server import MockServer

WhenMissed: TypeAlias = Literal["error", "empty", "forward"]
"""What the bot gets where nothing answers: an explanation with status 404, `{}`, or what the target says."""

_GRACE_SECONDS: Final = 1
_MOST_ENTRIES: Final = 20
_log: Final = logging.getLogger("aimyproxy")
_numbers: Final = itertools.count(1)
_known: Final[WeakValueDictionary[int, MockWebhook]] = WeakValueDictionary()


class AddedMock:
    """A mock that a test has added; `id` is the one in the answer's source (`mock -1`), and below zero."""

    def __init__(self, identity: int, remove: Callable[[], None]) -> None:
        self.id = identity
        self._remove = remove

    def remove(self) -> None:
        """Let it answer no more; a second time does nothing."""
        self._remove()


class MockWebhook:
    """A recording that answers in the place of its webhook; all its methods may be called from any thread.

    `url` is where the bot, or the code that calls the webhook, has to connect to; `name` is the recording's.
    """

    def __init__(self, name: str, server: MockServer) -> None:
        self.name = name
        self.url = server.url
        self._server = server
        self._lock = threading.Lock()
        self._mocks: dict[int, Mock] = {}
        # The mocks of the file are numbered from 1 upwards.
        self._last_id = 0
        _known[next(_numbers)] = self

    def __repr__(self) -> str:
        return f"<MockWebhook {self.name} {self.url}>"

    @property
    def total(self) -> int:
        """How many requests it got, those before a `reset` included."""
        return self._server.journal.total

    def requests(self, event: str | None = None, user: str | None = None) -> list[Entry]:
        """What it was asked and what it answered, in order: all, or only of this event, or of this user (`userId`).

        The latest 1,000 are kept, or fewer where they are larger than 64 MB together. An entry has `event`,
        `variables`, `conversation`, `request`, `response` (None where the bot got none), `status`, `source` (as in
        `learned #17`), `miss`, `at`, `number` and `milliseconds`.
        """
        return self._server.journal.entries(event, user)

    def misses(self) -> list[Miss]:
        """Why the requests that neither a mock nor the recording answered were not, and what would help, in order."""
        return [entry.miss for entry in self._server.journal.entries(missed=True) if entry.miss]

    def add(
        self,
        event: str | None,
        answer: JSON = ...,
        *,
        when: Mapping[str, JSON] | None = None,
        merge: bool = False,
        status: int | None = None,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] | None = None,
        delay_ms: float | None = None,
        text: str | None = None,
        fault: str | None = None,
    ) -> AddedMock:
        """Answer the event this way from now on. The recording's files stay as they are.

        An added mock wins over those of the file that have as many conditions, and over those added before.

        Args:
            event: the event's name, or None for requests that are no bot's.
            answer: the variables to answer with, or any JSON; strings with `{{` are templates.
            when: JSONPaths with what has to stand there, as in mocks.json: `{"$.channelType": "vk"}`.
            merge: whether the answer is laid over the one that replay would have given without this mock.
            status: the HTTP status, 200 unless given.
            headers: HTTP headers, by name or as pairs of name and value.
            delay_ms: how many milliseconds the answer takes.
            text: a text to answer with instead of JSON.
            fault: "timeout", "reset", "slow", "garbage", "empty" or a status, for all requests or a share: "500:30%".

        Raises:
            InvalidDocument: there can't be such a mock; the sentence names the argument at fault.
        """
        given = {
            "when": None if when is None else dict(when),
            "merge": merge or None,
            "status": status,
            "headers": None if headers is None else _pairs(headers),
            "delay_ms": delay_ms,
            "text": text,
            "fault": fault,
        }
        document = {"event": event, **{name: value for name, value in given.items() if value is not None}}
        return self._add(_as_json(document if answer is ... else {**document, "answer": answer}))

    def reset(self) -> None:
        """Forget the requests, where the conversations stand, and the added mocks: as if it had just been started."""
        with self._lock:
            self._mocks.clear()
            self._server.replayer.overlay(())
            self._server.replayer.conversations = Conversations()
            self._server.missed.clear()
            self._server.journal.clear()

    def report(self, after: int = 0) -> str:
        """What it was asked and what it answered, for people; only of the requests numbered above `after`."""
        entries = self._server.journal.entries(after=after)
        if not entries:
            return f"{self.url} was asked nothing."
        asked = f"{self.url} was asked {plural(len(entries), 'time')}"
        latest = entries[-_MOST_ENTRIES:]
        heading = f"{asked}:" if latest == entries else f"{asked}, the latest {_MOST_ENTRIES}:"
        return "\n".join([heading, *(line for entry in latest for line in entry_lines(entry))])

    def _add(self, document: JSON) -> AddedMock:
        with self._lock:
            identity = self._last_id - 1
            self._mocks[identity] = Mock.parse(identity, document)
            self._last_id = identity
            self._server.replayer.overlay(tuple(self._mocks.values()))
        return AddedMock(identity, lambda: self._remove(identity))

    def _remove(self, identity: int) -> None:
        with self._lock:
            if self._mocks.pop(identity, None) is not None:
                self._server.replayer.overlay(tuple(self._mocks.values()))


@contextmanager
def replay(
    name: str,
    *,
    recordings: str | os.PathLike[str] = "recordings",
    match: Match = "learned",
    on_miss: WhenMissed = "error",
    target: str | None = None,
    listen: tuple[str, int] = ("127.0.0.1", 0),
    after_last: AfterLast = "last",
    fresh: bool = False,
    latency: str = "none",
    faults: Iterable[tuple[str, str]] = (),
    seed: int = 1,
) -> Iterator[MockWebhook]:
    """A mock webhook that replays the recording `name` of the folder `recordings` until the context ends.

    The options are those of `aimyproxy replay`; `faults` are pairs of event (or `*`) and fault. Port 0 picks a free
    one. Entering the context waits until the bot can connect, leaving it until the last answer is sent, a second at
    most. Edits of the recording's files are picked up; the recording itself is never changed.

    Raises:
        RecordingNotFound, InvalidName: there is no such recording.
        BrokenFile, NewerFormat, StoreError: it can't be read.
        ListenError: the address can't be listened on.
        InvalidOption: an option has no meaning.
    """
    _check("match", match, MATCHES)
    _check("after_last", after_last, AFTER_LAST)
    folder = RecordingsFolder(Path(recordings))
    recording = folder.open(name)
    settings = Settings(
        listen,
        match,
        arguments=folder.arguments(name),
        serving=Serving(after_last, Dice() if fresh else None),
        latency=Latency.parse(latency),
        faults=Faults([(event, Fault.parse(fault)) for event, fault in faults], seed),
        seed=seed,
        grace=_GRACE_SECONDS,
        listen_option="listen",
        redactor=redactor_of(recording),
    )
    missed = _on_miss(on_miss, target)
    try:
        with mock_server(settings, recording, missed, _Log()) as server, in_background(server):
            for warning in server.replayer.index.warnings:
                _log.warning("%s", warning)
            # Kept here while it runs, for `reports`; afterwards it is as long as the test has it.
            webhook = MockWebhook(name, server)
            yield webhook
    finally:
        recording.close()


def totals() -> dict[int, int]:
    """How many requests each mock webhook of this process has got, by a number that is its own."""
    return {number: webhook.total for number, webhook in _known.items()}


def reports(since: Mapping[int, int]) -> list[tuple[str, str]]:
    """The names and reports of the mock webhooks that were asked something, or started, since the `totals` of then."""
    return [
        (webhook.name, webhook.report(since.get(number, 0)))
        for number, webhook in sorted(_known.items())
        if webhook.total > since.get(number, -1)
    ]


class _Log:
    """Tells the program's log of what the server does."""

    def served(self, entry: Entry) -> None:
        """A request was answered."""
        if entry.miss and entry.source == "miss" and entry.status == 404:
            _log.warning("%s", printable(f"{entry.miss.reason} {entry.miss.suggestion}"))
        elif _log.isEnabledFor(logging.DEBUG):
            _log.debug("%s", entry_line(entry))

    def refused(self, refusal: Refusal) -> None:
        """Nobody is: there is no guard here."""

    def news(self, message: str) -> None:
        """Something went well that the user wants to know of."""
        _log.info("%s", message)

    def trouble(self, message: str) -> None:
        """Something went wrong, and the server goes on."""
        _log.warning("%s", printable(message))


def _check(option: str, value: str, among: tuple[str, ...]) -> None:
    if value not in among:
        raise InvalidOption(f"{option} has to be one of {', '.join(among)}, not {value!r}.")


def _on_miss(choice: WhenMissed, target: str | None) -> OnMiss:
    _check("on_miss", choice, get_args(WhenMissed))
    if choice != "forward":
        if target is not None:
            raise InvalidOption('target is for on_miss="forward"; leave it out, or choose that.')
        return Explain() if choice == "error" else Empty()
    if target is None:
        raise InvalidOption('on_miss="forward" needs target, the real webhook\'s URL.')

    from aimyproxy.mockserver.forward import Forward
    from aimyproxy.target import Target

    return Forward(Target.parse(target))


def _pairs(headers: Mapping[str, str] | Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return list(headers.items() if isinstance(headers, Mapping) else headers)


def _as_json(document: Mapping[str, Any]) -> JSON:
    """The document as it would come out of a file: a copy, of JSON only."""
    try:
        return jsonvalue.loads_edited(json.dumps(document, allow_nan=False))
    except (TypeError, ValueError, RecursionError, InvalidJSON) as error:
        raise InvalidDocument(f"a mock has to be JSON: {error}") from None
