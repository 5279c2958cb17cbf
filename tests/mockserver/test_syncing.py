from __future__ import annotations

import threading

from aimyproxy.errors import StoreError
from aimyproxy.mockserver.syncing import syncing
from tests.mockserver.observers import Remembering
from tests.processes import eventually


class Disk:
    def __init__(self, *errors):
        self.errors = list(errors)
        self.synced = 0

    def sync(self):
        self.synced += 1
        if self.errors:
            raise StoreError(self.errors.pop(0))


def test_appends_reach_the_disk_while_more_come():
    """Again and again, and no more once the context ends."""
    disk, threads = Disk(), threading.active_count()
    with syncing(disk, Remembering(), 0.001):
        eventually(lambda: disk.synced > 2, "the disk")
    assert threading.active_count() == threads


def test_a_disk_that_refuses_is_told_once_for_each_reason():
    """And asked again."""
    disk, observer = Disk("full", "full", "gone", "full"), Remembering()
    with syncing(disk, observer, 0.001):
        eventually(lambda: disk.synced > 5, "the disk")
    assert observer.bad == ["full", "gone"]
