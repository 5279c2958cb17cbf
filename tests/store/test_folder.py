from __future__ import annotations

from pathlib import Path

import pytest

from aimyproxy.errors import StoreError
from aimyproxy.store.folder import RecordingsFolder
from aimyproxy.store.recording import Recording


@pytest.mark.parametrize(
    ("root", "arguments"),
    [
        ("recordings", "shop"),
        ("{here}/recordings", "shop"),
        ("{here}/other", "shop --recordings other"),
        ("other", "shop --recordings other"),
        ("{here}2/recordings", "shop --recordings {here}2/recordings"),
        ("my recordings", "shop --recordings 'my recordings'"),
    ],
)
def test_a_recording_is_named_as_a_command_would_have_to(tmp_path, monkeypatch, root, arguments):
    """Shortly, where the command runs in the same folder."""
    monkeypatch.chdir(tmp_path)
    here = tmp_path.as_posix()
    assert RecordingsFolder(Path(root.format(here=here))).arguments("shop") == arguments.format(here=here)


def test_a_link_is_not_removed_as_what_it_leads_to(tmp_path):
    """The recording elsewhere stays, and so does the link."""
    Recording.create(tmp_path / "elsewhere" / "shop", None).close()
    root = tmp_path / "recordings"
    root.mkdir()
    (root / "shop").symlink_to(tmp_path / "elsewhere" / "shop")
    with pytest.raises(StoreError, match="is a link to another folder"):
        RecordingsFolder(root).remove("shop")
    assert (tmp_path / "elsewhere" / "shop" / "exchanges.json").exists()
