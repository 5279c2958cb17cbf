"""Who may read what is written, where the user's umask would let everybody."""

from __future__ import annotations

import os
import stat

import pytest

from aimyproxy.store.folder import RecordingsFolder
from aimyproxy.store.recording import Recording
from tests.builders import exchange


@pytest.fixture(autouse=True)
def permissive():
    """A umask that takes no right away."""
    before = os.umask(0)
    yield
    os.umask(before)


def rights(root):
    """Of the folder and all that is below it."""
    return {path.relative_to(root).as_posix(): stat.S_IMODE(path.stat().st_mode) for path in (root, *root.rglob("*"))}


def test_all_that_a_recording_writes_is_its_owners(tmp_path):
    """Folders made on the way, exchanges, mocks, hints, rewritten files, and what a crash left."""
    root = tmp_path / "deep" / "recordings"
    recording, _ = RecordingsFolder(root).open_or_create("shop", None)
    recording.append(exchange())
    recording.close()
    with recording.path.open("ab") as file:
        file.truncate(file.tell() - 3)
        file.write(b',\n"2": {"at"')
    recording = Recording(root / "shop")
    assert recording.open_for_append() is not None
    recording.append(exchange())
    recording.remove([1])
    recording.mocks.add({"event": "start", "answer": {}})
    recording.hints.write({"start": {"pin": ["$.name"]}})
    recording.close()
    found = rights(tmp_path / "deep")
    torn = [path for path in found if ".torn-" in path]
    files = ["exchanges.json", "mocks.json", "hints.json"]
    assert found == {
        **dict.fromkeys((".", "recordings", "recordings/shop"), 0o700),
        **dict.fromkeys([*(f"recordings/shop/{name}" for name in files), *torn], 0o600),
    }
    assert len(torn) == 1


def test_a_recording_that_was_removed_while_it_grows_is_made_anew_for_its_owner(tmp_path):
    """Its folder, too."""
    recording = Recording.create(tmp_path / "shop", None)
    recording.append(exchange())
    recording.path.unlink()
    recording.folder.rmdir()
    recording.append(exchange())
    recording.close()
    assert rights(tmp_path / "shop") == {".": 0o700, "exchanges.json": 0o600}


def test_rights_that_a_person_gave_stay_when_a_file_is_rewritten(tmp_path):
    """No wider and no narrower."""
    recording = Recording.create(tmp_path / "shop", None)
    recording.append(exchange())
    recording.append(exchange())
    recording.path.chmod(0o640)
    recording.remove([1])
    recording.mocks.add({"event": "start", "answer": {}})
    recording.mocks.path.chmod(0o644)
    recording.mocks.add({"event": "start", "answer": {}})
    recording.close()
    assert rights(tmp_path / "shop") == {".": 0o700, "exchanges.json": 0o640, "mocks.json": 0o644}


def test_others_read_where_both_the_folder_and_a_file_let_them(tmp_path):
    """One of the two is not enough."""
    recording = Recording.create(tmp_path / "shop", None)
    assert not recording.others_may_read()
    recording.path.chmod(0o644)
    assert not recording.others_may_read()
    recording.folder.chmod(0o755)
    assert recording.others_may_read()
    recording.path.chmod(0o600)
    assert not recording.others_may_read()
