"""Who may read what the commands write, where the user's umask would let everybody."""

from __future__ import annotations

import os
import stat

import pytest


@pytest.fixture(autouse=True)
def permissive(root):
    """A umask that takes no right away."""
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_a_report_is_its_owners_unless_its_file_was_there(aimyproxy, shop, tmp_path):
    """It quotes what users said."""
    there = tmp_path / "there.json"
    there.touch()
    there.chmod(0o644)
    status, _, _ = aimyproxy("diff", "shop", "shop", "--output", tmp_path / "new.html", "--output", there)
    assert status == 0
    assert (mode(tmp_path / "new.html"), mode(there)) == (0o600, 0o644)
    assert there.stat().st_size


def test_a_draft_is_its_owners(aimyproxy, shop, editor):
    """Kept because it is no JSON."""
    editor("{", "{{")
    status, _, err = aimyproxy("edit", "shop", 1)
    assert (status, "What you typed is kept there" in err) == (2, True)
    assert mode(shop.folder / "draft-1.json") == 0o600


def test_what_commands_leave_in_a_recording_is_its_owners(aimyproxy, shop):
    """Mocks and hints."""
    assert aimyproxy("mock", "shop", "start", "--answer", "{}")[0] == 0
    assert aimyproxy("explain", "shop", "start", "--pin", "$.name")[0] == 0
    modes = {path.name: mode(path) for path in shop.folder.iterdir()}
    assert modes == dict.fromkeys(("exchanges.json", "mocks.json", "hints.json"), 0o600)
