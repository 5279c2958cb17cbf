from __future__ import annotations

from pathlib import Path

import pytest

from aimyproxy.store.folder import RecordingsFolder


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
