"""`python -m tests.faulty_os CONTROL …`: aimyproxy on an operating system whose calls fail while a file says so.

The control file holds lines such as `pwrite ENOSPC`; while it does, `os.pwrite` raises that error.
"""

from __future__ import annotations

import errno
import os
import sys
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def failing(name: str, control: Path) -> Callable[..., Any]:
    """The call of that name, with the errors that the control file asks for."""
    original = getattr(os, name)

    @wraps(original)
    def call(*arguments: Any, **options: Any) -> Any:
        for line in control.read_text().splitlines():
            failing_name, number = line.split()
            if failing_name == name:
                code = getattr(errno, number)
                raise OSError(code, os.strerror(code))
        return original(*arguments, **options)

    return call


if __name__ == "__main__":
    for name in ("pwrite", "fsync", "link", "replace"):
        setattr(os, name, failing(name, Path(sys.argv[1])))

    from aimyproxy.cli import run

    sys.exit(run(sys.argv[2:]))
