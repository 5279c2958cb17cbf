"""Connections that are opened and left: `uv run python -m tests.bench.idle --connections 10000`.

For record and replay, with one worker and with two, it tells how many stay open, which were closed for others, what they
cost (memory, processor time while they idle), and how long a bot's request takes while they come and when they are there.
"""

from __future__ import annotations

import argparse
import os
import resource
import select
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from aimyproxy.sockets import most_connections
from tests.processes import Upstream, aimyproxy, answer, answering, listening_port, post

if TYPE_CHECKING:
    from collections.abc import Iterator

_ASKED = b'{"action": "start", "userId": "u1", "channelType": "telegram", "name": "Anna"}'
_SECONDS_OF_REST = 5.0


def main() -> None:
    """Open, look, and print; or, with --open, be who opens."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=int, default=10_000)
    parser.add_argument("--open", type=int, metavar="PORT", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if arguments.open:
        open_and_leave(arguments.open, arguments.connections)
        return
    print(f"{most_connections():,} connections may stay open in a process.")
    for command in ("record", "replay"):
        for workers in ("1", "2"):
            with serving(command, workers) as (process, port):
                measure(f"{command} --workers {workers}", process, port, arguments.connections)


@contextmanager
def serving(command: str, workers: str) -> Iterator[tuple[int, int]]:
    """The command's process id and its port."""
    with tempfile.TemporaryDirectory() as folder, Upstream(answering(answer(b"{}"))) as upstream:
        what = ["record", "shop", "--recordings", folder, "--target", upstream.url]
        if command == "replay":
            what = ["replay", "pizza"]
        with aimyproxy(*what, "--listen", "127.0.0.1:0", "--workers", workers, fork=False) as process:
            yield process.process.pid, listening_port(process)


def measure(name: str, process: int, port: int, wanted: int) -> None:
    """Have so many connections opened, and one more, and print what came of it."""
    for _ in range(20):
        timed(port)
    before = megabytes(process)
    command = [sys.executable, "-m", "tests.bench.idle", "--open", str(port), "--connections", str(wanted)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as opener:
        assert opener.stdin
        assert opener.stdout
        opened, meanwhile = while_it_speaks(opener, port)
        left = [timed(port) for _ in range(50)]
        after, busy = megabytes(process), processor_seconds(process)
        time.sleep(_SECONDS_OF_REST)
        busy = processor_seconds(process) - busy
        opener.stdin.close()
        closed = opener.stdout.read().strip()
    print(
        f"{name}: {opened}; {after - before:.0f} MB more than {before:.0f} MB "
        f"({(after - before) / wanted * 1000:.1f} kB each); {busy / _SECONDS_OF_REST:.1%} of a processor while they "
        f"idle; a request takes {told(meanwhile)} while they come and {told(left)} then. {closed}"
    )


def while_it_speaks(opener: subprocess.Popen[str], port: int) -> tuple[str, list[float]]:
    """What the opener says when all are open, and how long requests took until then."""
    said: list[str] = []
    assert opener.stdout
    reading = threading.Thread(target=lambda: said.append(opener.stdout.readline().strip()))
    reading.start()
    took = [timed(port)]
    while reading.is_alive():
        took.append(timed(port))
    return said[0], took


def open_and_leave(port: int, wanted: int) -> None:
    """Open connections, say so, and tell in the end which were closed; one more comes first."""
    begun = time.perf_counter()
    left = [socket.create_connection(("127.0.0.1", port), timeout=60) for _ in range(wanted)]
    took = time.perf_counter() - begun
    time.sleep(1)
    print(f"{wanted:,} connections in {took:.1f} s, {described(left)}", flush=True)
    sys.stdin.read()
    left.append(socket.create_connection(("127.0.0.1", port), timeout=60))
    time.sleep(1)
    print(f"After one more: {described(left)}")


def described(left: list[socket.socket]) -> str:
    """How many are open, and how many of those that came first were closed."""
    poll = select.poll()
    for one in left:
        poll.register(one, select.POLLIN)
    gone = {descriptor for descriptor, _ in poll.poll(0)}
    closed = [number for number, one in enumerate(left, 1) if one.fileno() in gone]
    which = f" ({len(closed):,} closed, of the first {closed[-1]:,})" if closed else " (none closed)"
    return f"{len(left) - len(closed):,} open{which}"


def timed(port: int) -> float:
    """How many milliseconds a request on a connection of its own takes."""
    begun = time.perf_counter()
    assert post(port, _ASKED).startswith(b"HTTP/1.1 200")
    return (time.perf_counter() - begun) * 1000


def told(milliseconds: list[float]) -> str:
    """The median and the most."""
    return f"{statistics.median(milliseconds):.1f} ms (at most {max(milliseconds):.0f})"


def family(process: int) -> list[int]:
    """A process and all that it started."""
    found = [process]
    for one in found:
        for children in Path(f"/proc/{one}/task").glob("*/children"):
            found += map(int, children.read_text().split())
    return found


def megabytes(process: int) -> float:
    """The resident memory of a process and those that it started."""
    return (
        sum(int(Path(f"/proc/{one}/status").read_text().partition("VmRSS:")[2].split()[0]) for one in family(process))
        / 1000
    )


def processor_seconds(process: int) -> float:
    """How long a process, and those that it started, used a processor."""
    ticks = (sum(map(int, Path(f"/proc/{one}/stat").read_text().split()[13:15])) for one in family(process))
    return sum(ticks) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
