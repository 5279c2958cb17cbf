"""Disks that refuse: the bot is served, what it was told waits, and is written when that works again."""

from __future__ import annotations

import fcntl
import json
import os
import re
import resource
import shutil
import subprocess
import sys
from contextlib import contextmanager, suppress

import pytest

from aimyproxy.store.recording import Recording
from tests.processes import Upstream, answer, answering, eventually, listening_port, post, running

ECHO = answer(b'{"greeting": "Hi"}')
ROOT = os.geteuid() == 0
# Rights mean nothing to root, unless it is without these capabilities.
PLAIN = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all"]


class Recorder:
    """A running `record`, asked event by event; `control` says which calls of its operating system fail."""

    def __init__(self, process, port, folder, control):
        self.process = process
        self.port = port
        self.folder = folder
        self.path = folder / "exchanges.json"
        self.control = control
        self.sent = []

    def ask(self, number=3):
        """Post so many requests, each with an event of its own; all have to be answered by the webhook."""
        for _ in range(number):
            self.sent.append(f"event{len(self.sent)}")
            assert self.post() == ECHO

    def post(self):
        return post(self.port, json.dumps({"action": self.sent[-1] if self.sent else "event"}).encode())

    def told(self, pattern):
        """How many lines of the terminal begin like this."""
        return sum(bool(re.match(pattern, line)) for line in self.process.stderr)

    def events(self):
        return [exchange.event for _, exchange in Recording(self.folder)]


@pytest.fixture(params=["1", "2"], ids=["alone", "workers"])
def workers(request):
    """How many processes forward; one writes in any case."""
    return request.param


@contextmanager
def recorder(folder, workers, *arguments, prefix=(), disk="near"):
    folder.mkdir(exist_ok=True)
    control = folder.parent / "control"
    control.write_text("")
    given = ["record", "shop", "--listen", "127.0.0.1:0", "--workers", workers]
    command = [*prefix, sys.executable, "-m", "tests.faulty_os", str(control), disk, *given]
    # Coverage's own data would not fit on such disks either.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    with Upstream(answering(ECHO)) as upstream:
        target = ["--target", upstream.url, "--recordings", str(folder)]
        with running([*command, *target, *arguments], env=environment) as process:
            yield Recorder(process, listening_port(process), folder / "shop", control)
    assert "Traceback" not in "\n".join(process.stderr)


@pytest.fixture
def disk(tmp_path):
    """A folder on a small file system of its own, where that can be mounted."""
    folder = tmp_path / "recordings"
    folder.mkdir()
    mounted = ROOT and sys.platform == "linux"
    if mounted:
        mounted = not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", folder], check=False
        ).returncode
    yield folder
    if mounted:
        subprocess.run(["umount", folder], check=True)


@contextmanager
def a_full_disk(recorder):
    filler = recorder.folder.parent / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(b"\0" * 512)
    # What is left of the page that the recording ends in.
    recorder.ask(20)
    yield
    filler.unlink()


@contextmanager
def a_limit_of_size(recorder):
    process = recorder.process.process.pid
    before = resource.prlimit(process, resource.RLIMIT_FSIZE, (recorder.path.stat().st_size + 700, -1))
    recorder.ask()
    yield
    resource.prlimit(process, resource.RLIMIT_FSIZE, before)


def a_failing_call(*what):
    @contextmanager
    def failing(recorder):
        recorder.control.write_text("\n".join(what))
        yield
        recorder.control.write_text("")

    return failing


@contextmanager
def no_rights(recorder):
    recorder.folder.chmod(0)
    yield
    recorder.folder.chmod(0o700)


@contextmanager
def a_file_in_the_folders_place(recorder):
    aside = recorder.folder.rename(recorder.folder.with_name("aside"))
    recorder.folder.touch()
    yield
    recorder.folder.unlink()
    aside.rename(recorder.folder)


@contextmanager
def a_broken_edit(recorder):
    whole = recorder.path.rename(recorder.path.with_name("whole"))
    recorder.path.write_text("no JSON at all")
    yield
    whole.rename(recorder.path)


@contextmanager
def a_lock_that_somebody_keeps(recorder):
    with recorder.path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


FAULTS = {
    "No space left": a_full_disk,
    "File too large": a_limit_of_size,
    "Read-only file system": a_failing_call("pwrite EROFS"),
    "Input/output error": a_failing_call("pwrite EIO"),
    "Permission denied": no_rights,
    "Not a directory": a_file_in_the_folders_place,
    "not valid JSON": a_broken_edit,
    "has been locked by another process": a_lock_that_somebody_keeps,
}


@pytest.mark.skipif(sys.platform != "linux", reason="limits of another process are Linux's")
def test_what_a_disk_refuses_is_held_and_written_when_it_works_again(disk, workers):
    """One recorder meets them all: every request is answered, and in the end everything is there, in its order."""
    faults = dict(FAULTS)
    if not os.path.ismount(disk):
        faults.pop("No space left")
    with recorder(disk, workers, prefix=PLAIN if ROOT and shutil.which("setpriv") else ()) as one:
        for count, (said, fault) in enumerate(faults.items(), 1):
            with fault(one):
                one.ask()
                one.process.wait_for(f"NOT RECORDED: .*{said}")
            eventually(lambda count=count: one.told("Recording works again") == count, f"the end of {said}")
            one.ask(1)
            assert one.told("NOT RECORDED") == count
        assert one.process.stop() == 0
    assert one.events() == one.sent
    assert one.told(r" +\+1 ") == len(faults)


def test_a_file_that_goes_or_changes_costs_nothing(tmp_path, workers):
    """Removed, replaced by another one, rewritten by another process: what comes then is added to what is there."""
    with recorder(tmp_path / "recordings", workers) as one:
        one.ask()
        one.path.unlink()
        one.ask()
        assert one.events() == one.sent[3:]
        shutil.rmtree(one.folder)
        one.ask()
        assert one.events() == one.sent[6:]
        other = Recording.create(tmp_path / "other", None)
        other.path.replace(one.path)
        one.ask()
        assert one.events() == one.sent[9:]
        Recording(one.folder).remove([2, 3])
        one.ask()
        assert one.events() == [one.sent[9], *one.sent[12:]]
        assert one.process.stop() == 0
    assert one.told("NOT") == 0
    assert one.path.stat().st_mode & 0o777 == 0o600


def test_what_is_not_flushed_is_flushed_later(tmp_path, workers):
    """The bot is served, the exchanges are in the file, and the terminal says that they are not safe yet."""
    with recorder(tmp_path / "recordings", workers) as one:
        one.control.write_text("fsync EIO")
        one.ask()
        one.process.wait_for("NOT SAFE: .*can't be flushed to the disk: Input/output error")
        one.ask()
        one.control.write_text("")
        one.process.wait_for("What is recorded is safe on the disk again")
        one.ask()
        one.control.write_text("fsync EIO")
        one.ask()
        assert one.process.stop() == 1
    assert one.events() == one.sent
    assert "A power failure may take what was recorded last" in one.process.stderr[-1]


def test_there_is_an_end_to_what_is_held(tmp_path, workers):
    """Then exchanges are lost and counted; the bot is served, and the status says that something is missing."""
    with recorder(tmp_path / "recordings", workers, "--hold", "0.002") as one:
        one.control.write_text("pwrite ENOSPC")
        one.ask(20)
        eventually(lambda: one.told(r" +\+") + one.told(" LOST ") == 20, "a line for each")
        held, lost = one.told(r" +\+"), one.told(" LOST ")
        assert held > 2
        assert lost > 2
        assert one.told("There is no room for more") == 1
        one.control.write_text("")
        one.process.wait_for(f"Recording works again; {held} exchanges that waited are in the file")
        one.ask(1)
        one.control.write_text("pwrite ENOSPC")
        one.ask(2)
        assert one.process.stop() == 1
    assert one.events() == [*one.sent[:held], one.sent[20]]
    assert one.process.stderr[-1] == f"Error: {lost + 2} exchanges could not be recorded; the bot was served."
    assert one.told(rf"Recorded {held + 1} of 23 exchanges \(0 failed\)") == 1


@pytest.mark.parametrize("disk", ["near", "far"])
def test_a_disk_that_does_not_answer_keeps_nobody_waiting(tmp_path, workers, disk):
    """A write that never returns is a fault as any other: the bot is served, and all is written when it does."""
    with recorder(tmp_path / "recordings", workers, disk=disk) as one:
        one.ask()
        one.control.write_text("pwrite HANG")
        one.ask()
        one.process.wait_for("NOT RECORDED: .* was not written for 1.25 s: its disk doesn't answer")
        one.control.write_text("")
        one.process.wait_for("Recording works again; 3 exchanges that waited are in the file")
        one.ask()
        assert one.process.stop() == 0
    assert one.events() == one.sent
    assert one.told(r" +\+") == 3


@pytest.mark.parametrize("fault", ["pwrite ENOSPC", "fsync EIO"])
def test_strict_stops_serving(tmp_path, workers, fault):
    """The bot gets a 503, the user a sentence, and the status says that something is missing."""
    with recorder(tmp_path / "recordings", workers, "--strict") as one:
        one.ask()
        one.control.write_text(fault)
        while (got := one.post()) == ECHO:
            pass
        assert got.startswith(b"HTTP/1.1 503 ")
        assert "serves nothing that it doesn't record" in json.loads(got.partition(b"\r\n\r\n")[2])["error"]
        assert one.process.finished() == 1
    assert one.events()[:3] == one.sent
    assert one.process.stderr[-1].startswith("Error: Stopped, as --strict asks: ")
    assert "The bot got a 503" in one.process.stderr[-1]
