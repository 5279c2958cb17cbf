"""The folder of recordings: names, listing, creating, removing."""

from __future__ import annotations

import re
import shlex
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from aimyproxy.errors import InvalidName, RecordingExists, RecordingNotFound, StoreError
from aimyproxy.store.recording import EXCHANGES_FILE, Recording

_USUAL: Final = Path("recordings")
_NAME: Final = re.compile(r"[^\W_][\w.@-]{0,99}(?<!\.)")


@dataclass(slots=True)
class Overview:
    """What `list` tells of a recording. `first` and `last` are the moments of its exchanges, None where it has none."""

    name: str
    exchanges: int = 0
    failures: int = 0
    events: dict[str | None, int] = field(default_factory=dict)
    conversations: int = 0
    first: str | None = None
    last: str | None = None
    size: int = 0
    mocks: int = 0
    target: str | None = None


class RecordingsFolder:
    """All recordings, each in a folder of its name."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, name: str) -> Path:
        """The recording's folder, whether it exists or not; raises InvalidName."""
        if not _NAME.fullmatch(name):
            raise InvalidName(
                f"{name!r} can't be a recording's name: use up to 100 letters, digits, dots, dashes, "
                "underscores and @, beginning with a letter or a digit."
            )
        return self.root / name

    def arguments(self, name: str) -> str:
        """How a command that runs here names this recording: without `--recordings` where that is the default."""
        here = Path.cwd()
        root = self.root.relative_to(here) if self.root.is_relative_to(here) else self.root
        return name if root == _USUAL else shlex.join([name, "--recordings", str(root)])

    def exists(self, name: str) -> bool:
        """Whether there is a recording of this name; raises InvalidName."""
        return _is_recording(self.path(name))

    def names(self) -> list[str]:
        """The names of all recordings, sorted."""
        try:
            entries = (entry for entry in self.root.iterdir() if _NAME.fullmatch(entry.name))
            return sorted(entry.name for entry in entries if _is_recording(entry))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise StoreError(f"{self.root} can't be read: {error.strerror}.") from None

    def open(self, name: str) -> Recording:
        """The existing recording of this name; raises InvalidName and RecordingNotFound."""
        if not self.exists(name):
            known = ", ".join(self.names()) or "none"
            raise RecordingNotFound(f"There is no recording {name} in {self.root} (there: {known}).")
        return Recording(self.path(name))

    def open_or_create(self, name: str, target: str | None) -> tuple[Recording, bool]:
        """The recording of this name, and whether it had to be created; raises InvalidName and StoreError."""
        if self.exists(name):
            return Recording(self.path(name)), False
        try:
            return Recording.create(self.path(name), target), True
        except RecordingExists:
            # Another process was faster.
            return Recording(self.path(name)), False
        except OSError as error:
            raise StoreError(f"{self.path(name)} can't be created: {error.strerror}.") from None

    def remove(self, name: str) -> None:
        """Delete a recording and its mocks; raises InvalidName, RecordingNotFound and StoreError."""
        folder = self.open(name).folder
        if folder.is_symlink():
            raise StoreError(f"{folder} is a link to another folder: remove it, or what it leads to, yourself.")
        try:
            shutil.rmtree(folder)
        except OSError as error:
            raise StoreError(f"{folder} can't be removed: {error.strerror}.") from None

    def overview(self, name: str) -> Overview:
        """Count a recording's contents in one walk; raises BrokenFile where it is broken."""
        recording = self.open(name)
        result = Overview(name, target=recording.about().get("target"), mocks=len(recording.mocks.read()))
        result.size = sum(file.stat().st_size for file in recording.folder.iterdir() if file.is_file())
        conversations = set()
        for _, exchange in recording:
            result.exchanges += 1
            result.failures += exchange.failure is not None
            result.events[exchange.event] = result.events.get(exchange.event, 0) + 1
            if exchange.conversation:
                conversations.add(exchange.conversation)
            result.first = result.first or exchange.at
            result.last = exchange.at
        result.conversations = len(conversations)
        return result


def _is_recording(folder: Path) -> bool:
    try:
        (folder / EXCHANGES_FILE).lstat()
    except PermissionError:
        pass
    except OSError:
        return False
    # Whatever it is that is there: whoever opens it is told what is wrong.
    return True
