"""`python -m tests.forked`: aimyproxy commands one after another, each in a process that need not import anything.

Reads a JSON array of arguments a line, and writes the process's id and, at its end, its exit status (`-9` for a kill).
"""

from __future__ import annotations

import json
import os
import sys

if __name__ == "__main__":
    import aimyproxy.cli
    import aimyproxy.cli.record_command
    import aimyproxy.cli.record_screen
    import aimyproxy.proxy.server

    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            os._exit(aimyproxy.cli.run(json.loads(line)))
        print(child, flush=True)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)
