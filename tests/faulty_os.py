"""`python -m tests.faulty_os CONTROL DISK …`: aimyproxy on an operating system whose calls fail while a file says so.

The control file holds lines such as `pwrite ENOSPC`; while it does, `os.pwrite` raises that error. `pwrite HANG` keeps
it from returning. DISK says whose disk recordings are on: `near`, this machine's, or `far`, another one's.
"""

from __future__ import annotations

import errno
import os
import sys
import time
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def asked(name: str, control: Path) -> str:
    """How that call has to fail now; "" where it hasn't."""
    lines = (line.split() for line in control.read_text().splitlines())
    return next((how for failing_name, how in lines if failing_name == name), "")


def failing(name: str, control: Path) -> Callable[..., Any]:
    """The call of that name, with the errors that the control file asks for."""
    original = getattr(os, name)

    @wraps(original)
    def call(*arguments: Any, **options: Any) -> Any:
        while how := asked(name, control):
            if how != "HANG":
                code = getattr(errno, how)
                raise OSError(code, os.strerror(code))
            time.sleep(0.01)
        return original(*arguments, **options)

    return call


if __name__ == "__main__":
    for name in ("pwrite", "fsync", "link", "replace"):
        setattr(os, name, failing(name, Path(sys.argv[1])))

    from aimyproxy.cli import run
    from aimyproxy.keeping import keeper

    keeper.is_local = lambda _: sys.argv[2] == "near"
    sys.exit(run(sys.argv[3:]))
