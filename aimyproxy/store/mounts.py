"""What kind of disk a folder is on."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

_MOUNTS: Final = Path("/proc/self/mountinfo")
_LOCAL: Final = re.compile("bcachefs|btrfs|exfat|ext[234]|f2fs|jfs|ntfs3|overlay|ramfs|reiserfs|tmpfs|vfat|xfs|zfs")


def is_local(folder: Path) -> bool:
    """Whether a folder is on a disk of this machine; true also where the system doesn't say.

    Others (NFS, SMB, whatever a program of its own serves) may not answer for minutes, and hold up all who ask.
    """
    try:
        kind = kind_of(folder.resolve(), _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape"))
    except (OSError, LookupError):
        return True
    return _LOCAL.fullmatch(kind) is not None


def kind_of(folder: Path, mounts: str) -> str:
    """The kind of file system that an absolute path is on, by Linux's table `mountinfo`; raises LookupError."""
    kinds: dict[Path, str] = {}
    for line in mounts.splitlines():
        place, _, about = line.partition(" - ")
        # Blanks and the like are spelled in octal.
        name = re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), place.split(" ")[4])
        kinds[Path(name)] = about.split(" ")[0]
    nearest = next((one for one in (folder, *folder.parents) if one in kinds), folder)
    return kinds[nearest]
