"""A long run through record and through replay: memory and open files have to stay flat.

`uv run python -m tests.bench.soak --requests 1000000`: so many requests through each, over connections that are closed
now and then, from a thousand users. Memory (resident) and open files of the process are looked at all the time; the
first fifth of the requests is warm-up. Ends with status 1 where memory then grows by more than a tenth, files are left
open, or anything is answered wrongly or not recorded.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.processes import Running, aimyproxy, answer, listening_port, request_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SAMPLE = Path(__file__).parents[2] / "recordings"
USERS = 1_000
CONNECTIONS = 16
PER_CONNECTION = 200
WARM_UP = 0.2
MOST_GROWTH = 0.1
SPARE_FILES = 2 * CONNECTIONS + 8


@dataclass
class Watched:
    """What was seen of a process: resident megabytes and open files, by the requests that were answered."""

    pid: int
    seen: list[tuple[int, float, int]] = field(default_factory=list)

    def look(self, answered: int) -> None:
        """Look once."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        resident = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
        files = len(list(Path(f"/proc/{self.pid}/fd").iterdir()))
        self.seen.append((answered, int(resident.split()[1]) / 1000, files))

    def verdict(self, requests: int) -> tuple[str, bool]:
        """The figures in words, and whether they are flat."""
        behind = [one for one in self.seen if one[0] >= requests * WARM_UP]
        begin, highest = behind[0][1], max(memory for _, memory, _ in behind)
        growth, files = highest / begin - 1, max(files for _, _, files in behind) - behind[0][2]
        told = (
            f"memory {begin:.1f} MB after the warm-up, {highest:.1f} MB at most ({growth:+.1%}), {behind[-1][1]:.1f} MB "
            f"at the end; open files {behind[0][2]} and {files:+d} at most"
        )
        return told, growth <= MOST_GROWTH and files <= SPARE_FILES


class Upstream(asyncio.Protocol):
    """A webhook that echoes nothing and takes no time."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport, self._data = transport, b""

    def data_received(self, data: bytes) -> None:
        self._data += data
        head, found, body = self._data.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0) if found else 0
        if found and len(body) >= length:
            self._data = b""
            self._transport.write(answer(b'{"greeting": "Hi", "total": 1180.5}'))


@contextmanager
def upstream() -> Iterator[str]:
    """The webhook, in a thread of its own; yields its URL."""
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(loop.create_server(Upstream, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


def recorded_requests() -> Iterator[bytes]:
    """Endlessly: the events of a pizza shop, from a thousand users."""
    number = 0
    while True:
        number += 1
        user = f"telegram-40112-pizza-{number % USERS}"
        channel = {"channelType": "telegram", "channelId": "40112-pizza-tg1", "userId": user}
        variables = {"action": f"event{number % 7}", **channel, "order": {"qty": number % 5}, "text": "x" * 300}
        yield request_bytes(json.dumps(variables).encode())


def sample_requests() -> Iterator[bytes]:
    """Endlessly: what the sample recording holds, and what it has no answer for."""
    from aimyproxy.store.recording import Recording

    bodies = [json.dumps(exchange.request.body.value).encode() for _, exchange in Recording(SAMPLE / "pizza")]
    unknown = [json.dumps({"action": "unknown", "userId": f"u{number}"}).encode() for number in range(5)]
    while True:
        yield from map(request_bytes, (*bodies, *unknown))


async def talk(port: int, requests: Iterator[bytes], total: int, watched: Watched) -> int:
    """Send so many requests over several connections; returns how many were answered."""
    answered, left = 0, total

    async def one_bot() -> None:
        nonlocal answered, left
        while left > 0:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            for _ in range(PER_CONNECTION):
                if left <= 0:
                    break
                left -= 1
                writer.write(next(requests))
                head = await reader.readuntil(b"\r\n\r\n")
                length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
                await reader.readexactly(int(length))
                answered += head.startswith((b"HTTP/1.1 200 ", b"HTTP/1.1 404 "))
            writer.close()

    async def look() -> None:
        while True:
            watched.look(answered)
            await asyncio.sleep(0.5)

    looking = asyncio.create_task(look())
    await asyncio.gather(*(one_bot() for _ in range(CONNECTIONS)))
    looking.cancel()
    watched.look(answered)
    return answered


def soaked(name: str, process: Running, requests: Iterator[bytes], total: int, problem: Callable[[], str]) -> bool:
    """Run one command's soak, and print what came of it; whether all is well."""
    watched, begun, port = Watched(process.process.pid), time.perf_counter(), listening_port(process)
    answered = asyncio.run(talk(port, requests, total, watched))
    seconds = time.perf_counter() - begun
    process.stop()
    figures, flat = watched.verdict(total)
    wrong = problem() or ("" if answered == total else f"{total - answered} were answered otherwise")
    print(
        f"{name}: {total:,} requests in {seconds:.0f} s ({total / seconds:,.0f}/s): {figures}{'; ' + wrong if wrong else ''}"
    )
    return flat and not wrong


def soaked_record(total: int, folder: Path) -> bool:
    """Through record, before a webhook in a thread of this process."""
    from aimyproxy.store.recording import Recording

    def problem() -> str:
        kept = sum(1 for _ in Recording(folder / "shop").documents())
        return "" if kept == total else f"{kept:,} are recorded"

    with upstream() as url:
        with aimyproxy(
            "record", "shop", "--target", url, "--listen", "127.0.0.1:0", "--recordings", folder, fork=False
        ) as process:
            return soaked("record", process, recorded_requests(), total, problem)


def soaked_replay(total: int) -> bool:
    """Through replay, of the sample recording."""
    with aimyproxy("replay", "pizza", "--listen", "127.0.0.1:0", "--recordings", SAMPLE, fork=False) as process:
        return soaked("replay", process, sample_requests(), total, lambda: "")


def main() -> None:
    """Soak both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--only", choices=["record", "replay"])
    arguments = parser.parse_args()
    well = True
    if arguments.only != "replay":
        with tempfile.TemporaryDirectory() as folder:
            well &= soaked_record(arguments.requests, Path(folder))
    if arguments.only != "record":
        well &= soaked_replay(arguments.requests)
    sys.exit(0 if well else 1)


if __name__ == "__main__":
    main()
