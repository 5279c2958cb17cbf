"""A subject's processes: started in a session of their own, measured in /proc, frozen while others are measured.

Linux only. Nothing is left behind: leaving the context kills the whole session.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_TICKS = os.sysconf("SC_CLK_TCK")
_SESSION, _USER_TIME, _WAITED_SYSTEM_TIME = 3, 11, 14  # in /proc/PID/stat, counted behind the name
PATIENCE = 20.0
"""Seconds that a subject has to end by itself."""


class Group:
    """A running command with all the processes that it started; `log` is where its output goes."""

    def __init__(self, command: list[str], folder: Path) -> None:
        self.log = folder / "log"
        self.started = time.perf_counter()
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=folder, start_new_session=True
            )

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    def cpu(self) -> float:
        """Seconds of CPU that its processes have used up to now, those that have ended included."""
        return sum(sum(map(int, stat[_USER_TIME : _WAITED_SYSTEM_TIME + 1])) for _, stat in self._members()) / _TICKS

    def peak(self) -> float:
        """Megabytes that its processes had at most, each at its own time; what they share counts for each."""
        return sum(peak(identity) for identity, _ in self._members())

    def freeze(self) -> None:
        """Let it stand still, so that what it still has to do can't disturb the measuring of others."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def stop(self) -> int | None:
        """End it as Ctrl-C does; its exit status, or None where it had to be killed."""
        self.thaw()
        self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            return None
        finally:
            self.kill()

    def kill(self) -> None:
        self._signal(signal.SIGKILL)
        self.process.wait()

    def said(self) -> str:
        """The last line of its output."""
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return lines[-1][:200] if lines else "it said nothing"

    def _signal(self, number: int) -> None:
        # Not to the process group alone: a child may have made a group of its own.
        for identity, _ in self._members():
            with suppress(ProcessLookupError):
                os.kill(identity, number)

    def _members(self) -> list[tuple[int, list[str]]]:
        """Process ids, and the fields of /proc/PID/stat behind the name, of all in its session."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with suppress(OSError):
                    stat = (entry / "stat").read_text().rpartition(")")[2].split()
                    if int(stat[_SESSION]) == self.process.pid:
                        found.append((int(entry.name), stat))
        return found


def peak(identity: int | str = "self") -> float:
    """Megabytes that a process has had at most since it began its program."""
    with suppress(OSError):
        for line in Path(f"/proc/{identity}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return 0.0


@contextmanager
def running(command: list[str], folder: Path) -> Iterator[Group]:
    """The command, running; killed with all that it started when the context is left."""
    group = Group(command, folder)
    try:
        yield group
    finally:
        group.kill()
