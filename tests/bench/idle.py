"""Connections that are opened and left: `uv run python -m tests.bench.idle --connections 10000`.

Tells what they cost record (memory, open files, processor time while they idle) and how long a request takes meanwhile.
"""

from __future__ import annotations

import argparse
import os
import resource
import socket
import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from tests.processes import Upstream, aimyproxy, answer, answering, listening_port, post


def main() -> None:
    """Open, look, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=int, default=10_000)
    wanted = parser.parse_args().connections
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory() as folder, Upstream(answering(answer(b"{}"))) as upstream, ExitStack() as bots:
        given = ["--target", upstream.url, "--listen", "127.0.0.1:0", "--recordings", folder]
        with aimyproxy("record", "shop", *given, fork=False) as process:
            port, files = listening_port(process), Path(f"/proc/{process.process.pid}/fd")
            post(port, b"{}")
            before, begun = megabytes(process.process.pid), time.perf_counter()
            for _ in range(wanted):
                bots.enter_context(socket.create_connection(("127.0.0.1", port), timeout=60))
            opened = time.perf_counter() - begun
            milliseconds = [timed(port) for _ in range(50)]
            after, busy = megabytes(process.process.pid), processor_seconds(process.process.pid)
            time.sleep(5)
            busy = processor_seconds(process.process.pid) - busy
            print(
                f"{wanted:,} connections in {opened:.1f} s, of which {len(list(files.iterdir())):,} files are open: "
                f"{after - before:.0f} MB more than {before:.0f} MB ({(after - before) / wanted * 1000:.1f} kB each); "
                f"{busy / 5:.1%} of a processor while they idle; a request takes "
                f"{statistics.median(milliseconds):.1f} ms, at most {max(milliseconds):.1f} ms"
            )


def timed(port: int) -> float:
    """How many milliseconds a request on a connection of its own takes."""
    begun = time.perf_counter()
    assert post(port, b"{}").startswith(b"HTTP/1.1 200")
    return (time.perf_counter() - begun) * 1000


def megabytes(process: int) -> float:
    """The resident memory of a process."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1000


def processor_seconds(process: int) -> float:
    """How long a process has used a processor."""
    return sum(map(int, Path(f"/proc/{process}/stat").read_text().split()[13:15])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
