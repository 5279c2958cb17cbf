"""`replay --workers`: several processes that answer, and one that tells the user of all of them."""

from __future__ import annotations

import tempfile
import threading
from collections import Counter
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from aimyproxy.answering.fresh import Dice
from aimyproxy.cli.output import saying_aside, spell_lines
from aimyproxy.cli.redaction import secrets_told
from aimyproxy.cli.replay_screen import About, Screen, Tally
from aimyproxy.mockserver import standings
from aimyproxy.mockserver.server import mock_server_among_others
from aimyproxy.mockserver.workers import Workers
from aimyproxy.sockets import listening_socket
from aimyproxy.store.folder import RecordingsFolder

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

    from aimyproxy.cli.miss_options import Missing
    from aimyproxy.mockserver.server import Settings
    from aimyproxy.mockserver.workers import Channel
    from aimyproxy.redaction.redactor import Redactor

_SECONDS: Final = 0.5
"""How often a worker says what it has counted; one that is killed takes with it what it counted since."""


@dataclass(frozen=True, slots=True)
class Job:
    """What each worker does: replay the recording `name` of the folder `root`. The rest is as on the command line."""

    root: Path
    name: str
    settings: Settings
    missing: Missing
    quiet: bool
    log_format: str


@dataclass(frozen=True, slots=True)
class _Told:
    """What a worker has the other process say: `news` or `trouble`."""

    kind: str
    message: str


@dataclass(frozen=True, slots=True)
class _Counted:
    """All that a worker has counted."""

    tally: Tally


def run(workers: int, job: Job, screen: Screen, started: Callable[[About], None]) -> None:
    """Replay with so many processes until a signal ends it; `started` is called once the bot can connect.

    Raises:
        ListenError: the address can't be listened on.
        WorkerError: the workers can't begin; it says why.
    """
    settings = job.settings
    with (
        listening_socket(*settings.listen, settings.listen_option) as listening,
        tempfile.TemporaryDirectory(prefix="aimyproxy-") as folder,
    ):
        if settings.guard:
            settings.guard.count_in(Path(folder))
        table = Path(folder) / "conversations"
        standings.create(table)
        Workers(workers, work, (job, listening, table), _Desk(screen, started)).run()


class _Desk:
    """Hears the workers. What all of them notice, as an edit of the recording, is said once."""

    def __init__(self, screen: Screen, started: Callable[[About], None]) -> None:
        self._screen = screen
        self._tallies: dict[int, Tally] = {}
        self._started: Callable[[About], None] | None = started
        self._said: Counter[_Told] = Counter()
        self._by_worker: dict[int, Counter[_Told]] = {}

    def heard(self, worker: int, said: Any) -> None:
        """A worker says something."""
        if isinstance(said, _Counted):
            self._tallies[worker] = said.tally
        elif isinstance(said, _Told):
            self._tell(self._by_worker.setdefault(worker, Counter()), said)
        elif self._started:
            self._started(said)
            self._started = None

    def ended(self, worker: int) -> None:
        """A worker has ended: what another one counts in its place comes on top."""
        self._screen.tally.merge(self._tallies.pop(worker, Tally()))

    def trouble(self, message: str) -> None:
        """Something is wrong with a worker."""
        self._screen.trouble(message)

    def _tell(self, known: Counter[_Told], told: _Told) -> None:
        known[told] += 1
        if known[told] > self._said[told]:
            self._said[told] += 1
            (self._screen.news if told.kind == "news" else self._screen.trouble)(told.message)


class _WorkersScreen(Screen):
    """Shows each answer, and has the other process say what more there is."""

    def __init__(self, job: Job, channel: Channel, redactor: Redactor | None) -> None:
        super().__init__(job.name, quiet=job.quiet, redactor=redactor)
        self._channel = channel

    def news(self, message: str) -> None:
        """Something that the user waits for happened."""
        self._channel.say(_Told("news", message))

    def trouble(self, message: str) -> None:
        """Something went wrong, and replay goes on."""
        self._channel.say(_Told("trouble", self._redactor.text(message) if self._redactor else message))


def work(channel: Channel, job: Job, listening: socket.socket, table: Path) -> None:
    """All that a worker does, until a signal ends it or nobody hears it any more."""
    from aimyproxy.cli.replay_command import redactor_for

    spell_lines(job.log_format)
    settings = job.settings
    if settings.serving.dice:
        # Each has its own, or what is fresh would be the same in all of them.
        settings = replace(settings, serving=replace(settings.serving, dice=Dice()))
    recording = RecordingsFolder(job.root).open(job.name)
    redactor = redactor_for(recording, secrets_told(settings.guard, job.missing.target))
    settings = replace(settings, redactor=redactor)
    screen = _WorkersScreen(job, channel, redactor)
    missed = job.missing.on_miss()
    with (
        saying_aside(),
        mock_server_among_others(settings, recording, missed, screen, listening, table) as server,
        _counting(screen, channel),
    ):
        channel.when_alone(server.stop)
        server.run(lambda: channel.say(About.of(server, settings.faults)))
    recording.close()


@contextmanager
def _counting(screen: _WorkersScreen, channel: Channel) -> Iterator[None]:
    """A context in which what the screen counts is said, now and then and at the end."""
    stop = threading.Event()

    def say_it() -> None:
        while not stop.wait(_SECONDS):
            # While it is being spelled, another thread may count: then the next time will do.
            with suppress(RuntimeError):
                channel.say(_Counted(screen.tally))

    thread = threading.Thread(target=say_it, name="counting", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        channel.say(_Counted(screen.tally))
