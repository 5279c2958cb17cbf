from __future__ import annotations

from pathlib import Path

import pytest

from aimyproxy.store import mounts

TABLE = """\
22 1 259:1 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p1 rw
23 22 0:21 / /proc rw,nosuid shared:2 - proc proc rw
36 22 0:45 / /srv rw,relatime shared:20 - nfs4 nas:/export rw,vers=4.2,hard
37 36 0:46 / /srv/on\\040top rw - tmpfs tmpfs rw
38 22 0:47 / /home/me/bucket rw,nosuid - fuse.sshfs me@there: rw
39 22 0:48 / /over rw - tmpfs tmpfs rw
40 39 0:49 / /over rw - cifs //nas/share rw
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/", "ext4"),
        ("/home/me/recordings/shop", "ext4"),
        ("/home/me/bucket", "fuse.sshfs"),
        ("/home/me/bucket/shop", "fuse.sshfs"),
        ("/home/me/bucketful", "ext4"),
        ("/srv/shop", "nfs4"),
        ("/srv/on top/shop", "tmpfs"),
        ("/over/shop", "cifs"),
    ],
)
def test_the_nearest_mount_says_what_kind_it_is(folder, kind):
    """Of several at one place the last, which hides the others."""
    assert mounts.kind_of(Path(folder), TABLE) == kind


@pytest.mark.parametrize(("folder", "local"), [("/recordings", True), ("/srv", False), ("/home/me/bucket", False)])
def test_disks_of_other_machines_are_told_from_our_own(tmp_path, monkeypatch, folder, local):
    """So are those that a program serves."""
    table = tmp_path / "mountinfo"
    table.write_text(TABLE)
    monkeypatch.setattr(mounts, "_MOUNTS", table)
    assert mounts.is_local(Path(folder)) is local


@pytest.mark.parametrize("table", [None, "", "no such table"])
def test_where_the_system_does_not_say_it_is_ours(tmp_path, monkeypatch, table):
    """Or says what nobody understands."""
    path = tmp_path / "mountinfo"
    if table is not None:
        path.write_text(table)
    monkeypatch.setattr(mounts, "_MOUNTS", path)
    assert mounts.is_local(tmp_path)
