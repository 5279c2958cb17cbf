"""A mock webhook inside a test: a recording replayed by a thread of the test's own process.

    with aimyproxy.replay("shop") as mock:
        my_bot.webhook = mock.url
        my_bot.order("Маргарита")
        [order] = mock.requests(event="order")
        assert order.variables["pizza"] == "Маргарита"

What goes wrong while it serves is logged by the logger `aimyproxy`.
"""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from aimyproxy.answering.conversations import Conversations
from aimyproxy.answering.faults import Fault, Faults
from aimyproxy.answering.fresh import Dice
from aimyproxy.answering.index import Serving
from aimyproxy.answering.latency import Latency
from aimyproxy.answering.mocks import Mock
from aimyproxy.errors import InvalidOption
from aimyproxy.mockserver import onmiss
from aimyproxy.mockserver.server import MockServer, Settings, mock_server
from aimyproxy.store.folder import RecordingsFolder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from aimyproxy.answering.index import AfterLast, Match
    from aimyproxy.answering.journal import Entry
    from aimyproxy.answering.misses import Miss
    from aimyproxy.jsonvalue import JSON

_LOGGER: Final = logging.getLogger("aimyproxy")
_NOTHING: Final[Any] = object()


class _Log:
    """The server's observer: its news go to the logger."""

    def served(self, entry: Entry) -> None:
        _LOGGER.debug("%s: %s, %s", entry.event, entry.status, entry.source)

    def news(self, message: str) -> None:
        _LOGGER.info(message)

    def trouble(self, message: str) -> None:
        _LOGGER.warning(message)


class Added:
    """A mock that a test has added; `id` is the one in the answer's source (`mock -1`)."""

    def __init__(self, webhook: MockWebhook, mock: Mock) -> None:
        self._webhook = webhook
        self.mock = mock

    @property
    def id(self) -> int:
        """Below zero: those of mocks.json count up from 1."""
        return self.mock.identity

    def remove(self) -> None:
        """Let it answer no more; a second time does nothing."""
        self._webhook.discard(self)


class MockWebhook:
    """A running mock webhook; `url` is where the bot has to send its requests, `name` the recording's."""

    def __init__(self, name: str, server: MockServer) -> None:
        self.name = name
        self.url = server.url
        self._server = server
        self._added: list[Added] = []
        self._count = 0

    def requests(self, event: str | None = None, user: str | None = None) -> list[Entry]:
        """What was asked and answered, in order; only of this event and of this user (`userId`), where given.

        The latest 1,000 are kept. An entry has `event`, `variables`, `conversation`, `request`, `response` (None
        where the bot got none), `status`, `source` (`learned #17`), `miss`, `at`, `number` and `milliseconds`.
        """
        return self._server.journal.entries(event, user)

    def misses(self) -> list[Miss]:
        """The explanations of the requests that nothing answered, in order; `str` of one tells what would help."""
        return [entry.miss for entry in self._server.journal.entries(missed=True) if entry.miss]

    def add(
        self,
        event: str | None,
        answer: JSON = _NOTHING,
        *,
        when: Mapping[str, JSON] | None = None,
        text: str | None = None,
        status: int | None = None,
        headers: Sequence[tuple[str, str]] | None = None,
        delay_ms: float | None = None,
        fault: str | None = None,
        merge: bool = False,
    ) -> Added:
        """Answer an event (None: what is no bot's request) with this from now on; nothing is written to the recording.

        The members mean what they mean in mocks.json. What is added wins over mocks of the file with as many
        conditions, and what is added later over what was added before.

        Raises:
            InvalidDocument: it would be no mock; the sentence names the member.
        """
        given: dict[str, JSON] = {"when": when and dict(when), "text": text, "status": status}
        given |= {"delay_ms": delay_ms, "fault": fault}
        document = {"event": event} | {name: value for name, value in given.items() if value is not None}
        if answer is not _NOTHING:
            document["answer"] = answer
        if headers is not None:
            document["headers"] = [list(pair) for pair in headers]
        if merge:
            document["merge"] = True
        added = Added(self, Mock.parse(-self._count - 1, document))
        self._count += 1
        self._added.append(added)
        self._overlay()
        return added

    def discard(self, added: Added) -> None:
        """Take a mock back that was added."""
        if added in self._added:
            self._added.remove(added)
            self._overlay()

    def reset(self) -> None:
        """As at the start: no requests, conversations at their beginning, nothing added."""
        self._server.journal.clear()
        self._server.missed.clear()
        self._server.replayer.conversations = Conversations()
        self._added.clear()
        self._overlay()

    def _overlay(self) -> None:
        self._server.replayer.overlay([added.mock for added in self._added])


@contextmanager
def replay(
    name: str,
    *,
    recordings: Path | str = "recordings",
    match: Match = "learned",
    on_miss: Literal["error", "empty", "forward"] = "error",
    target: str | None = None,
    listen: tuple[str, int] = ("127.0.0.1", 0),
    after_last: AfterLast = "last",
    fresh: bool = False,
    latency: str = "none",
    faults: Sequence[tuple[str, str]] = (),
    seed: int = 1,
) -> Iterator[MockWebhook]:
    """A mock webhook that replays the recording `name` of the folder `recordings` until the context ends.

    The options are those of `aimyproxy replay`; `faults` are pairs of event (or `*`) and fault. Port 0 picks a free
    one. Edits of the recording's files are picked up; the recording itself is never changed.

    Raises:
        RecordingNotFound: there is no such recording.
        BrokenFile, NewerFormat, StoreError: it can't be read.
        ListenError: the address can't be listened on.
        InvalidOption: an option has no meaning.
    """
    settings = Settings(
        listen,
        match,
        arguments=name,
        serving=Serving(after_last, Dice() if fresh else None),
        latency=Latency.parse(latency),
        faults=Faults([(event, Fault.parse(fault)) for event, fault in faults], seed),
        seed=seed,
    )
    recording = RecordingsFolder(Path(recordings)).open(name)
    with mock_server(settings, recording, _missing(on_miss, target), _Log()) as server, _running(server):
        yield MockWebhook(name, server)


@contextmanager
def _running(server: MockServer) -> Iterator[None]:
    """The server runs in a thread of its own."""
    started = threading.Event()
    failed: list[BaseException] = []

    def serve() -> None:
        try:
            server.run(started.set)
        except BaseException as error:
            failed.append(error)
        finally:
            started.set()

    thread = threading.Thread(target=serve, name="aimyproxy", daemon=True)
    thread.start()
    started.wait()
    try:
        if failed:
            raise failed[0]
        yield
    finally:
        server.stop()
        thread.join()


def _missing(choice: str, target: str | None) -> onmiss.OnMiss:
    if (choice == "forward") != (target is not None):
        raise InvalidOption("on_miss='forward' and target belong together: give both or neither.")
    if target is None:
        return onmiss.Empty() if choice == "empty" else onmiss.Explain()

    from aimyproxy.mockserver.forward import Forward
    from aimyproxy.target import Target

    return Forward(Target.parse(target))
