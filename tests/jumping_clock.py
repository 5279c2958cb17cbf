"""`python -m tests.jumping_clock …`: aimyproxy where the clock jumps by an hour or two at every look."""

from __future__ import annotations

import itertools
import sys
import time

_HOUR = 3600.0
_jumps = itertools.cycle([-_HOUR, 2 * _HOUR, -2 * _HOUR])
_time = time.time

if __name__ == "__main__":
    time.time = lambda: _time() + next(_jumps)

    from aimyproxy.cli import run

    sys.exit(run(sys.argv[1:]))
