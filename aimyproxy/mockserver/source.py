"""Where the index comes from: the recording's files, watched for edits while they are served."""

from __future__ import annotations

import gc
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, TypeAlias

from aimyproxy import garbage
from aimyproxy.answering.background import Hints
from aimyproxy.answering.index import Index
from aimyproxy.answering.mocks import Mock
from aimyproxy.errors import AimyproxyError, InvalidDocument

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from aimyproxy.answering.serving import Match
    from aimyproxy.mockserver.app import Observer
    from aimyproxy.store.hintsfile import HintsFile
    from aimyproxy.store.mocksfile import MocksFile
    from aimyproxy.store.recording import Recording

_POLL_SECONDS: Final = 0.25
# Of the time, at most a quarter goes into rebuilding the index of a recording that grows all the time.
_REST: Final = 3
_LEARNING_SECONDS: Final = 0.5
"""How long at most an edit waits until its index has learned what the one before had."""
_READING_SECONDS: Final = 0.001
_BREATH_SECONDS: Final = 0.003
"""A quarter of the time goes into reading on; a request waits for it a millisecond at most."""
_MANY: Final = 10_000
_SMALL: Final = 1_000_000
"""Up to so many bytes, reading all exchanges takes less time than importing what glances at them."""

LOADING_ERRORS: Final = (AimyproxyError, OSError, ValueError, RecursionError)
"""What loading files that a person edits may raise."""

Stamp: TypeAlias = tuple[tuple[int, int, int] | None, ...]
"""What tells an edited file from an unedited one: time of change in ns, size and inode; None where there is no file."""


def load(recording: Recording, match: Match) -> Index:
    """The index of a recording as it is now.

    Raises:
        BrokenFile: one of its files can't be understood; it says where.
        StoreError: the operating system refused to read it.
        NewerFormat: a later version of aimyproxy wrote it.
    """
    with garbage.not_looked_for():
        mocks, hints = read_mocks(recording.mocks), read_hints(recording.hints)
        if recording.size() <= _SMALL:
            return Index.build(recording, mocks, match, hints)
        from aimyproxy.store.held import HeldRecording, NotInLines

        try:
            return Index.of(HeldRecording(recording), mocks, match, hints)
        except NotInLines:
            return Index.build(recording, mocks, match, hints)


@contextmanager
def _giving_way() -> Iterator[None]:
    """What takes seconds in one thread makes the others wait only a tenth of the usual time for each of their turns."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(usual / 10)
    try:
        yield
    finally:
        sys.setswitchinterval(usual)


def read_hints(file: HintsFile) -> dict[str, Hints]:
    """What a person knows of deciding paths, by event.

    Raises:
        BrokenFile: a hint says what no hint can mean, at the line and the column where its event stands.
    """
    return {event: _hints(file, event, members) for event, members in file.read().items()}


def _hints(file: HintsFile, event: str, members: dict[str, list[str]]) -> Hints:
    try:
        return Hints.parse(members.get("pin", []), members.get("forbid", []))
    except InvalidDocument as error:
        raise file.broken(event, str(error)) from None


def read_mocks(file: MocksFile) -> list[Mock]:
    """The mocks of the file, in its order.

    Raises:
        BrokenFile: a mock says what no mock can mean, at the line and the column where it stands.
        StoreError: the operating system refused to read it.
    """
    return [_mock(file, identity, document) for identity, document in file.read()]


def _mock(file: MocksFile, identity: int, document: object) -> Mock:
    try:
        return Mock.parse(identity, document)
    except InvalidDocument as error:
        raise file.broken(identity, str(error)) from None


class Source:
    """Loads a recording's index, and in a thread of its own loads it again whenever its files change.

    A file that breaks is reported once, and the index stays as it was; so is its repair.
    """

    def __init__(self, recording: Recording, match: Match = "learned") -> None:
        self._recording = recording
        self._match = match
        self._paths = (recording.path, recording.mocks.path, recording.hints.path)
        self._loaded = self._stamp()
        # A file that was just half written looks broken: only what stays broken is reported.
        self._suspected: Stamp | None = None
        self._reported: Stamp | None = None
        # Who began to load before an edit must not be done after who loads the edit.
        self._loading = threading.Lock()
        self.index = load(recording, match)
        self._read_on: tuple[Index | None, Iterator[None]] = (None, iter(()))
        self._warned = set(self.index.warnings)

    @contextmanager
    def watching(self, take: Callable[[Index], None], observer: Observer) -> Iterator[None]:
        """A context in which `take` is called with each new index, from another thread."""
        stop = threading.Event()
        thread = threading.Thread(target=self._watch, args=(stop, take, observer), name="watch", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def _watch(self, stop: threading.Event, take: Callable[[Index], None], observer: Observer) -> None:
        told = ""
        while not stop.is_set():
            try:
                self._watch_on(stop, take, observer)
            except Exception as error:  # no files or memory left, say: when there are again, edits count again
                if told != (told := f"Edits can't be looked for now ({error}); that is tried again and again."):
                    observer.trouble(told)
                stop.wait(_POLL_SECONDS)

    def _watch_on(self, stop: threading.Event, take: Callable[[Index], None], observer: Observer) -> None:
        took = 0.0
        # Not at once: the first request is not to wait for this either.
        if not stop.wait(_POLL_SECONDS):
            with garbage.not_looked_for(), _giving_way():
                self.index.prepare()
        while not self._rest(stop, max(_POLL_SECONDS, took * _REST)):
            begun = time.monotonic()
            self.poll(take, observer)
            took = time.monotonic() - begun

    def _rest(self, stop: threading.Event, seconds: float) -> bool:
        """Wait so long, and read meanwhile what nobody has asked for yet; returns whether to stop.

        A little at a time: requests wait for what this thread does.
        """
        deadline = time.monotonic() + seconds
        for _ in self._unread():
            left = deadline - time.monotonic()
            if left <= 0 or stop.wait(min(_BREATH_SECONDS, left)):
                break
        return stop.wait(max(0.0, deadline - time.monotonic()))

    def _unread(self) -> Iterator[None]:
        """Read what the index has not read yet; pauses now and then, and goes on where it was when called again."""
        index = self.index
        if self._read_on[0] is not index:
            self._read_on = index, index.read_on()
        began = time.perf_counter()
        for _ in self._read_on[1]:
            if time.perf_counter() - began > _READING_SECONDS:
                if index.exchanges > _MANY:
                    # What was read stays: looking for garbage in it would stop everybody again and again.
                    gc.freeze()
                yield
                began = time.perf_counter()

    def reload(self, take: Callable[[Index], None]) -> Index:
        """Load the files now, changed or not, and give the index to `take`; from any thread.

        Raises:
            the LOADING_ERRORS, and then the index stays as it was.
        """
        with self._loading:
            stamp = self._stamp()
            index = load(self._recording, self._match)
            self.index = index
            self._loaded, self._reported, self._suspected = stamp, None, None
            take(index)
        return index

    def poll(self, take: Callable[[Index], None], observer: Observer) -> None:
        """Look once whether the files changed, and load them if so; from any thread."""
        with self._loading:
            self._poll(take, observer)
            self._warn(observer)

    def _warn(self, observer: Observer) -> None:
        """Tell what is wrong with the index, as far as it is new: some of it shows only when it is read."""
        warnings = self.index.warnings
        for warning in warnings:
            if warning not in self._warned:
                observer.trouble(warning)
        self._warned = set(warnings)

    def _poll(self, take: Callable[[Index], None], observer: Observer) -> None:
        stamp = self._stamp()
        if stamp == (self._reported or self._loaded):
            return
        try:
            index = self._load(stamp)
        except LOADING_ERRORS as error:
            self._failed(stamp, error, observer)
            return
        if learned := self.index.learned:
            # So that requests don't wait for what was learned before, nor edits for all of it.
            with garbage.not_looked_for():
                index.prepare(_for_a_while(sorted(learned)))
        self.index = index
        take(index)
        self._succeeded(stamp, observer)

    def _load(self, stamp: Stamp) -> Index:
        """The index of the files as they are now; quickly where the exchanges are the same."""
        exchanges, *_ = stamp
        if exchanges == self._loaded[0]:
            mocks, hints = read_mocks(self._recording.mocks), read_hints(self._recording.hints)
            with garbage.not_looked_for():
                index = self.index.edited(mocks, hints)
            if index is not None:
                return index
        return load(self._recording, self._match)

    def _failed(self, stamp: Stamp, error: Exception, observer: Observer) -> None:
        if stamp != self._suspected:
            self._suspected = stamp
            return
        self._reported = stamp
        observer.trouble(f"{error} What was good before stays in use.")

    def _succeeded(self, stamp: Stamp, observer: Observer) -> None:
        repaired = "Repaired: " if self._reported else "Picked up an edit: "
        self._loaded, self._reported, self._suspected = stamp, None, None
        observer.news(f"{repaired}{self.index.summary()}.")

    def _stamp(self) -> Stamp:
        return tuple(_stamp_of(path) for path in self._paths)


def _for_a_while(events: Iterable[str]) -> Iterator[str]:
    deadline = time.monotonic() + _LEARNING_SECONDS
    for event in events:
        if time.monotonic() > deadline:
            return
        yield event


def _stamp_of(path: Path) -> tuple[int, int, int] | None:
    try:
        about = path.stat()
    except OSError:
        return None
    return about.st_mtime_ns, about.st_size, about.st_ino
