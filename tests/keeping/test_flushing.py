from __future__ import annotations

from types import SimpleNamespace

import pytest

from aimyproxy.keeping import flushing
from aimyproxy.keeping.flushing import Flusher


class Disk:
    """A disk whose flushes take these seconds, on a clock of its own; it writes down when they begin."""

    def __init__(self, monkeypatch, seconds):
        self.now = 100.0
        self.begun = []
        self._seconds = iter(seconds)
        monkeypatch.setattr(flushing, "time", SimpleNamespace(monotonic=lambda: self.now))

    def sync(self):
        self.begun.append(self.now)
        self.now += next(self._seconds)

    def is_set(self):
        return False

    def wait(self, seconds):
        """As an event's that is set when all flushes are done; that takes so long."""
        self.now += seconds
        return len(self.begun) == 5


class Listener:
    def __init__(self):
        self.told = []

    def trouble(self, message):
        self.told.append(message)

    news = trouble


@pytest.mark.parametrize("took", [0.0, 0.1, 0.49])
def test_what_is_written_waits_half_a_second_at_most_for_its_flush(monkeypatch, took):
    """They begin every half second, however long they take."""
    disk = Disk(monkeypatch, [took] * 5)
    Flusher(disk, Listener(), 0.5).work(disk)
    assert disk.begun == pytest.approx([100.5, 101.0, 101.5, 102.0, 102.5])


def test_after_a_flush_that_takes_long_comes_the_next_at_once(monkeypatch):
    """What was written meanwhile has waited long enough."""
    disk = Disk(monkeypatch, [3.0, 0.2, 7.0, 0.1, 0.0])
    Flusher(disk, Listener(), 0.5).work(disk)
    assert disk.begun == pytest.approx([100.5, 103.5, 104.0, 111.0, 111.5])


def test_it_is_busy_while_the_disk_is(monkeypatch):
    """And not when that has failed."""
    disk = Disk(monkeypatch, [])
    flusher = Flusher(disk, Listener(), 0.5)
    seen = []

    def sync():
        seen.append(flusher.busy)
        raise OSError

    monkeypatch.setattr(disk, "sync", sync)
    flusher.flush()
    assert (seen, flusher.busy) == ([True], False)


def test_trouble_is_told_once_until_it_is_over(monkeypatch):
    """And why."""
    disk, listener = Disk(monkeypatch, [0.0]), Listener()
    flusher = Flusher(disk, listener, 0.5)
    with monkeypatch.context() as failing:
        failing.setattr(disk, "sync", lambda: 1 // 0)
        flusher.flush()
        flusher.flush()
    assert flusher.reason == "integer division or modulo by zero"
    flusher.flush()
    assert flusher.reason == ""
    assert listener.told == [
        "NOT SAFE: integer division or modulo by zero A power failure may take what was recorded last.",
        "What is recorded is safe on the disk again.",
    ]
