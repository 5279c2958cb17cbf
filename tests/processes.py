"""Real processes for end-to-end tests: started on free ports, watched line by line, never left behind."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tests import forkserver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PATIENCE = 60.0
"""Seconds after which a test gives up on a process."""


def eventually(condition: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
    """The first true value of the condition; fails the test when that takes too long."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := condition():
            return value
        threading.Event().wait(0.01)
    raise AssertionError(f"waited {seconds} s in vain for {what}")


class Running:
    """A process whose output is collected line by line.

    Where Python is to run one of our modules, it is forked, ready, from a process that has imported all of them, unless
    `fork` is false or an option (`subprocess.Popen`'s) asks for more than that can do.
    """

    def __init__(self, command: list[str], *, fork: bool = True, **options: Any) -> None:
        self.process: subprocess.Popen[str] | forkserver.Process
        if fork and command[:2] == [sys.executable, "-m"] and options.keys() <= forkserver.OPTIONS:
            self.process = forkserver.start(*command[2:], **options)
        else:
            self.process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8", **options
            )
        self.stdout: list[str] = []
        self.stderr: list[str] = []
        self._readers = [
            threading.Thread(target=self._collect, args=(stream, lines), daemon=True)
            for stream, lines in ((self.process.stdout, self.stdout), (self.process.stderr, self.stderr))
        ]
        for reader in self._readers:
            reader.start()

    @staticmethod
    def _collect(stream: Any, lines: list[str]) -> None:
        with stream:
            for line in stream:
                lines.append(line.rstrip("\n"))

    def wait_for(self, pattern: str) -> re.Match[str]:
        """The first match of the pattern in a line of either stream."""

        def look() -> re.Match[str] | None:
            for line in [*self.stdout, *self.stderr]:
                if found := re.search(pattern, line):
                    return found
            if self.process.poll() is not None and not any(reader.is_alive() for reader in self._readers):
                raise AssertionError(f"ended with {self.process.returncode}: {self.stdout} {self.stderr}")
            return None

        return eventually(look, f"{pattern!r} in {self.stdout} {self.stderr}")

    def stop(self, number: int = signal.SIGINT) -> int:
        """Send a signal and return the exit status; all output is collected then."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.finished()

    def finished(self) -> int:
        """Wait for the end of the process; its exit status."""
        try:
            status = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"did not end: {self.stdout} {self.stderr}") from None
        for reader in self._readers:
            reader.join()
        return status


@contextmanager
def running(command: list[str], **options: Any) -> Iterator[Running]:
    """The process, killed at the end if it still runs."""
    process = Running(command, **options)
    try:
        yield process
    finally:
        process.stop(signal.SIGKILL)


@contextmanager
def aimyproxy(*arguments: Any, **options: Any) -> Iterator[Running]:
    """A running `aimyproxy` command."""
    with running([sys.executable, "-m", "aimyproxy", *map(str, arguments)], **options) as process:
        yield process


def run(*arguments: Any, **options: Any) -> Running:
    """An `aimyproxy` command that has ended."""
    with aimyproxy(*arguments, **options) as process:
        process.finished()
        return process


@contextmanager
def webhook(version: int = 1, port: int = 0) -> Iterator[str]:
    """The sample webhook in a process of its own; yields its URL."""
    command = [sys.executable, "-m", "aimyproxy.demo.webhook", "--port", str(port), "--version", str(version)]
    with running(command) as process:
        yield process.wait_for(r"http://[\d.:]+").group()


def listening_port(process: Running) -> int:
    """The port that a record or replay command says it listens on."""
    return int(process.wait_for(r"https?://[\d.]+:(\d+)")[1])


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Upstream:
    """A webhook of raw bytes: each connection is given to `behave`, request by request."""

    def __init__(self, behave: Callable[[socket.socket, bytes], bool | None], port: int = 0) -> None:
        self._behave = behave
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/bot"
        self.requests: list[bytes] = []
        self.ended: list[bytes] = []
        """The requests behind which it has closed the connection."""
        self._connections: list[socket.socket] = []
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def __enter__(self) -> Upstream:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._connections:
            connection.close()
        self._thread.join()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._connections.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        request = b""
        try:
            while request := read_message(connection):
                self.requests.append(request)
                if not self._behave(connection, request):
                    break
        except OSError:
            pass
        finally:
            connection.close()
            self.ended.append(request)


def read_message(connection: socket.socket) -> bytes:
    """One HTTP message with a Content-Length or chunks, as bytes; empty where the peer has closed."""
    data = b""
    while b"\r\n\r\n" not in data:
        if not (more := connection.recv(65536)):
            return data
        data += more
    head, _, rest = data.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: *(\d+)", head)
    chunked = re.search(rb"(?i)transfer-encoding: *chunked", head)
    empty = re.match(rb"HTTP/1.1 (204|304) ", head)
    body = bytearray(rest)
    while not empty and ((length and len(body) < int(length[1])) or (chunked and not body.endswith(b"0\r\n\r\n"))):
        if not (more := connection.recv(65536)):
            break
        body += more
    return head + b"\r\n\r\n" + body


def answer(body: bytes, *headers: bytes, status: bytes = b"200 OK") -> bytes:
    """An HTTP response with a Content-Length, as bytes."""
    lines = [b"HTTP/1.1 " + status, b"Content-Length: %d" % len(body), *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def answering(*responses: bytes) -> Callable[[socket.socket, bytes], bool]:
    """A behaviour: these responses in turn, the last one for ever; connections are kept alive."""
    remaining = list(responses)

    def behave(connection: socket.socket, _: bytes) -> bool:
        connection.sendall(remaining.pop(0) if len(remaining) > 1 else remaining[0])
        return True

    return behave


def post(port: int, body: bytes, path: str = "/", headers: bytes = b"") -> bytes:
    """What the server answers to one POST on a connection of its own, as bytes."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        connection.sendall(request_bytes(body, path, headers))
        return read_message(connection)


def request_bytes(body: bytes, path: str = "/", headers: bytes = b"") -> bytes:
    """A POST as bytes."""
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n".encode()
    return head + headers + b"\r\n" + body
