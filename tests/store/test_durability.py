"""What is written anew outlives a power failure: bytes are flushed before a name leads to them, then names are."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path

import pytest

from aimyproxy.redaction.rules import Rules
from aimyproxy.store.afterwards import redact
from aimyproxy.store.keyfile import KEY_FILE, KeyFile
from aimyproxy.store.recording import Recording
from tests.builders import exchange


@dataclass
class Disk:
    """What has reached it, by what the operating system is asked for."""

    flushed: dict[int, tuple[int, int]] = field(default_factory=dict)
    named: set[str] = field(default_factory=set)
    """Folders in which names have changed since they were flushed."""
    early: list[str] = field(default_factory=list)
    """Names that led to bytes that were not flushed."""
    asked: list[str] = field(default_factory=list)

    def fsync(self, descriptor):
        status = os.fstat(descriptor)
        if stat.S_ISDIR(status.st_mode):
            self.named.discard(str(Path(f"/dev/fd/{descriptor}").resolve()))
        else:
            self.flushed[status.st_ino] = status.st_size, status.st_mtime_ns

    def replace(self, source, target):
        status = Path(source).stat()
        if self.flushed.get(status.st_ino) != (status.st_size, status.st_mtime_ns):
            self.early.append(str(target))
        self._appears(target)

    link = replace

    def mkdir(self, path, _mode=0o777):
        self._appears(path)

    def open(self, path, flags, _mode=0o777, **_):
        if flags & os.O_CREAT and not Path(path).exists():
            self._appears(path)

    def _appears(self, path):
        self.named.add(str(Path(path).parent.resolve()))


@pytest.fixture
def disk(monkeypatch):
    """Watches what is done in the test."""
    watching = Disk()

    def watched(name):
        original = getattr(os, name)

        @wraps(original)
        def call(*arguments, **options):
            watching.asked.append(name)
            getattr(watching, name)(*arguments, **options)
            return original(*arguments, **options)

        return call

    for name in ("fsync", "replace", "link", "mkdir", "open"):
        monkeypatch.setattr(os, name, watched(name))
    return watching


def put_in_another_place(recording):
    recording.path.rename(recording.path.with_name("aside"))
    recording.append(exchange())


def torn(recording):
    recording.close()
    with recording.path.open("ab") as file:
        file.write(b',\n"9": {"at": "20')
    assert Recording(recording.folder).open_for_append()


CHANGES = {
    "an exchange is replaced": lambda recording: recording.replace(2, exchange()),
    "an exchange is removed": lambda recording: recording.remove([1]),
    "all is redacted": lambda recording: redact(recording, Rules(personal=True)),
    "a mock is added": lambda recording: recording.mocks.add({"event": "start", "answer": {}}),
    "hints are kept": lambda recording: recording.hints.write({"start": {"pin": ["$.name"]}}),
    "a key is made": lambda recording: KeyFile(recording.folder / KEY_FILE).made(),
    "the file was removed": put_in_another_place,
    "the file ends in torn bytes": torn,
    "a recording is made": lambda recording: Recording.create(recording.folder.with_name("new"), None),
}


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="asks /proc which folder is flushed")
@pytest.mark.parametrize("change", CHANGES)
def test_what_is_done_is_on_the_disk(tmp_path, disk, change):
    """When it returns."""
    recording = Recording.create(tmp_path / "shop", None)
    recording.append(exchange())
    recording.append(exchange())
    recording.sync()
    disk.asked.clear()
    CHANGES[change](recording)
    assert "fsync" in disk.asked
    assert disk.early == []
    assert disk.named == set()
    recording.close()
