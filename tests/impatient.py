"""`python -m tests.impatient SECONDS …`: aimyproxy with so much patience for bots that send slowly."""

from __future__ import annotations

import sys

from aimyproxy.proxy import limits

if __name__ == "__main__":
    limits.IDLE_SECONDS = limits.BODY_SECONDS = float(sys.argv[1])

    from aimyproxy.cli import run

    sys.exit(run(sys.argv[2:]))
