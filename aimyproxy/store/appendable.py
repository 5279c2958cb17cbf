"""The appendable file for writers: appends of constant cost from several processes, repair of what a crash left."""

from __future__ import annotations

import fcntl
import os
import threading
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Protocol, cast

from aimyproxy.errors import RecordingExists, RecordingNotFound, StoreError
from aimyproxy.store import atomic, damage, files, lines, whole
from aimyproxy.store.snapshot import Snapshot, examine

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from aimyproxy.jsonvalue import JSON

_UNKNOWN: Final = (-1, -1)
_PIECE: Final = 1024 * 1024


class Busy(Exception):
    """Another thread or process is writing at this moment."""


class Outdated(Exception):
    """The file is described otherwise than when what was to be appended was made; nothing was."""


class Attendant(Protocol):
    """Who looks after what belongs to a file; called from several threads."""

    def accept(self, about: dict[str, JSON]) -> None:
        """See what describes the file, where others changed it; raises what keeps from appending, Outdated say."""

    def restore(self) -> None:
        """Put back what belongs beside the file, as far as it is missing; raises StoreError."""


class AppendableFile:
    """An existing file, open for appending; several objects and several processes may append to one file.

    Opening it repairs what a crash left: `set_aside` then names the file that keeps the torn bytes (None where there
    were none). Safe to use from several threads.
    """

    def __init__(self, path: Path, attendant: Attendant | None = None) -> None:
        self.path = path
        self.attendant = attendant
        self._accepted: dict[str, JSON] | None = None
        # Path.stat() spells its path anew for every append.
        self._name = str(path)
        self.set_aside: Path | None = None
        self._mutex = threading.RLock()
        self._transactions = 0
        self._owner = 0
        self._descriptor = -1
        self._inode = -1
        self._about: dict[str, JSON] | None = None
        self._known = _UNKNOWN
        self._end = 0
        self._last_id = 0
        self._empty = True
        self._dirty = False
        self._safe = 0
        self._suspect = False
        with self.transaction():
            pass

    def append(self, documents: Sequence[bytes], *, wait: bool = True) -> list[int]:
        """Write JSON objects (encoded, without line breaks) behind the others; returns their ids.

        All of them are in the file when this returns, or none is. Without `wait` it is Busy rather than late.

        Raises:
            StoreError: nothing could be written (a full disk, say); the file is as it was.
            Busy: somebody else is writing, and `wait` is false.
            Outdated: so says the attendant.
        """
        # Not `with transaction()`: a generator's context costs as much as two of the system calls.
        self._enter(wait=wait)
        try:
            if self._accepted is not self._about:
                self._accept()
            first = self._last_id + 1
            parts = [
                lines.line(identity, document, first=self._empty and identity == first)
                for identity, document in enumerate(documents, first)
            ]
            text = b"".join((*parts, lines.CLOSER))
            self._write_over_closer(text)
            self._end += len(text) - len(lines.CLOSER)
            self._last_id += len(documents)
            self._empty = self._empty and not documents
            self._dirty = True
            self._known = _state(os.fstat(self._descriptor))
            return list(range(first, first + len(documents)))
        finally:
            self._leave()

    def rewrite(self, documents: Iterable[tuple[int, JSON]], about: dict[str, JSON] | None = None) -> None:
        """Replace all documents (and what describes them, if given), in line form.

        Readers and appenders see the old file or the new one, whole.

        Raises:
            StoreError: the file is as it was.
        """
        with self.transaction():
            whole.replace(self.path, (self._about or {}) if about is None else about, documents)
            # Whoever waits for the old file's lock finds a new file under the name, and so do we.
            self._let_go()
            self._take()

    def _accept(self) -> None:
        if self.attendant is not None:
            self.attendant.accept(self._about or {})
        self._accepted = self._about

    @contextmanager
    def transaction(self, *, wait: bool = True) -> Iterator[None]:
        """Keep every other writer out, for reading, changing and rewriting in one go; Busy instead of waiting."""
        self._enter(wait=wait)
        try:
            yield
        finally:
            self._leave()

    def _enter(self, *, wait: bool) -> None:
        if not self._mutex.acquire(blocking=wait):
            raise Busy
        self._transactions += 1
        self._owner = threading.get_ident()
        if self._transactions > 1:
            return
        try:
            self._take(wait=wait)
        except OSError as error:
            self._leave()
            raise StoreError(f"{self.path} can't be used: {error.strerror}.") from None
        except BaseException:
            self._leave()
            raise

    def _leave(self) -> None:
        self._transactions -= 1
        try:
            if self._transactions == 0 and self._descriptor >= 0:
                fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        finally:
            self._mutex.release()

    def snapshot(self) -> Snapshot:
        """The file as it is now; inside a transaction of this thread too, whose lock a reader would wait for."""
        return Snapshot(self.path, lock=not (self._transactions and self._owner == threading.get_ident()))

    def sync(self) -> None:
        """Force what was appended onto the disk; returns at once where nothing was."""
        with self._mutex:
            if not self._dirty or self._descriptor < 0:
                return
            try:
                copy = os.dup(self._descriptor)
            except OSError as error:
                raise self._not_flushed(error) from None
            self._dirty = False
            start, end, inode = self._safe, self._end, self._inode
        try:
            # Outside the mutex: a slow disk must not hold up the next append.
            if self._suspect:
                _write_again(copy, start, end)
            os.fsync(copy)
        except OSError as error:
            self._dirty = self._suspect = True
            raise self._not_flushed(error) from None
        finally:
            os.close(copy)
        if inode == self._inode:
            self._safe, self._suspect = end, False

    def _not_flushed(self, error: OSError) -> StoreError:
        return StoreError(f"{self.path} can't be flushed to the disk: {error.strerror}.")

    def close(self) -> None:
        """Flush and let go of the file."""
        try:
            self.sync()
        finally:
            with self._mutex:
                self._let_go()

    def _take(self, *, wait: bool = True) -> None:
        """Hold the lock of the file that is under the name now, and know where its documents end."""
        while True:
            if self._descriptor < 0:
                self._descriptor = self._open()
                self._inode = os.fstat(self._descriptor).st_ino
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError:
                raise Busy from None
            # One look at the name tells both, what file is there and in which state it is.
            status = self._status()
            if status is not None and status.st_ino == self._inode:
                break
            self._let_go()
        if _state(status) != self._known:
            self._look_again()

    def _open(self) -> int:
        self._known = _UNKNOWN
        try:
            return files.opened(self.path, os.O_RDWR)
        except FileNotFoundError:
            if self._about is None:
                raise RecordingNotFound(f"{self.path} does not exist.") from None
        except OSError as error:
            raise StoreError(f"{self.path} can't be opened for writing: {error.strerror}.") from None
        # Removed under our hands: what comes from now on is kept all the same.
        with suppress(RecordingExists, OSError, StoreError):
            atomic.make_folder(self.path.parent)
            if self.attendant is not None:
                self.attendant.restore()
            whole.create(self.path, self._about)
        return self._open()

    def _status(self) -> os.stat_result | None:
        """What is under the name now; None where nothing is."""
        try:
            return os.stat(self._name)  # noqa: PTH116 - at each append, and a Path takes longer
        except FileNotFoundError:
            return None

    def _let_go(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1

    def _look_again(self) -> None:
        layout = examine(self._descriptor, self.path)
        self._about = layout.about
        if layout.tail is None:
            whole.check_foreign(layout.foreign, self.path)
            self.rewrite(cast("dict[int, JSON]", layout.whole).items())
            return
        tail = layout.tail
        if self._known == _UNKNOWN:
            # A person may have put lines in another order, or the power failed; later, others only append.
            found = damage.walked(self._descriptor, layout.start, tail)
            self._last_id, tail = found.highest, found.tail
            self._safe, self._suspect = tail.end, False
        self._end, self._last_id = tail.end, max(self._last_id, tail.last_id)
        self._empty = self._end == layout.start
        if not tail.closed:
            self._repair(tail)
        self._known = _state(os.fstat(self._descriptor))

    def _repair(self, tail: lines.Tail) -> None:
        try:
            if unfinished := tail.unfinished:
                moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
                self.set_aside = self.path.with_name(f"{self.path.name}.torn-{moment}")
                atomic.write_synced(self.set_aside, [unfinished])
                atomic.sync_folder(self.path.parent)
            self._restore_closer()
            os.fsync(self._descriptor)
        except OSError as error:
            raise StoreError(f"{self.path} ends in a torn line and can't be repaired: {error.strerror}.") from None

    def _write_over_closer(self, text: bytes) -> None:
        try:
            written = os.pwrite(self._descriptor, text, self._end)
            while written < len(text):
                # Why there was no room for all of it, the next call tells.
                written += os.pwrite(self._descriptor, text[written:], self._end + written)
        except OSError as error:
            # The closing brackets' own bytes are on the disk already: putting them back needs no space.
            with suppress(OSError):
                self._restore_closer()
            self._known = _UNKNOWN
            raise StoreError(f"{self.path} can't be written: {error.strerror}.") from None

    def _restore_closer(self) -> None:
        os.pwrite(self._descriptor, lines.CLOSER, self._end)
        os.ftruncate(self._descriptor, self._end + len(lines.CLOSER))


def _write_again(descriptor: int, start: int, end: int) -> None:
    """Write these bytes over themselves: after a flush that failed, the kernel takes them for safe."""
    for position in range(start, end, _PIECE):
        os.pwrite(descriptor, os.pread(descriptor, min(_PIECE, end - position), position), position)


def _state(status: os.stat_result) -> tuple[int, int]:
    return status.st_size, status.st_mtime_ns
