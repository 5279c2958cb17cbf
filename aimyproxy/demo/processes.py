"""The processes that the demo starts: every one of them ends with it, whatever happens."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Final

from aimyproxy.errors import AimyproxyError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import FrameType

_START_WITHIN_S: Final = 20.0
_STOP_WITHIN_S: Final = 10.0
_RUN_WITHIN_S: Final = 60.0
_POLL_S: Final = 0.01
_LAST_LINES: Final = 30
_ENDING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StepFailed(AimyproxyError):
    """A command of the demo did not do what it should; the message holds the command and what it printed."""

    def __init__(self, command: str, problem: str, output: str) -> None:
        lines = output.strip().splitlines()
        shown = "".join(f"\n  {line}" for line in lines[-_LAST_LINES:])
        super().__init__(f"`{command}` {problem}." + (f" It printed:{shown}" if lines else " It printed nothing."))


class Server:
    """A process that listens on a port of loopback; a context within which it runs.

    `command` is what the user would type, `arguments` what Python is really given. Entering waits until the port
    accepts connections; leaving sends SIGINT and waits for the end, which has to be of status 0.

    Raises:
        StepFailed: on entering, it did not come up; on leaving, it went down too early, too late or badly.
    """

    def __init__(self, command: str, arguments: Sequence[str], port: int) -> None:
        self.command = command
        self._arguments = arguments
        self._port = port

    def __enter__(self) -> Server:
        with ExitStack() as cleaning:
            # A file and no pipe: nobody reads while it runs, and a full pipe would stop it.
            self._output = cleaning.enter_context(tempfile.TemporaryFile())
            with _signals_held():
                self._process = _start(self._arguments, self._output.fileno(), subprocess.STDOUT)
                cleaning.callback(self._end)
            self._wait_until_it_listens()
            self._cleaning = cleaning.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        with self._cleaning:
            self._leave(error)

    def _leave(self, error: BaseException | None) -> None:
        early = self._process.poll()
        status = self._end()
        if early is not None and (error is None or isinstance(error, AimyproxyError)):
            # Why it went down tells more than what followed from that.
            raise self._failed(f"ended with status {early} in the middle of its work") from error
        if error is None and status != 0:
            raise self._failed(f"ended with status {status} instead of 0")

    def _wait_until_it_listens(self) -> None:
        deadline = time.monotonic() + _START_WITHIN_S
        while not _accepts(self._port):
            status = self._process.poll()
            if status is not None:
                raise self._failed(f"ended with status {status} instead of listening")
            if time.monotonic() > deadline:
                raise self._failed(f"did not listen within {_START_WITHIN_S:g} s")
            time.sleep(_POLL_S)

    def _end(self) -> int:
        try:
            self._process.send_signal(signal.SIGINT)
            return self._process.wait(_STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            return -signal.SIGKILL
        finally:
            self._process.kill()
            self._process.wait()

    def _failed(self, problem: str) -> StepFailed:
        self._output.seek(0)
        return StepFailed(self.command, problem, self._output.read().decode(errors="replace"))


def run_command(command: str, arguments: Sequence[str], expected_status: int) -> str:
    """Run Python with the arguments; returns its standard output.

    Raises:
        StepFailed: it ended with another status than expected, or took more than a minute.
    """
    with ExitStack() as cleaning:
        with _signals_held():
            process = cleaning.enter_context(_start(arguments, subprocess.PIPE, subprocess.PIPE))
            cleaning.callback(process.kill)
        try:
            output, errors = process.communicate(timeout=_RUN_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            printed = b"".join(process.communicate()).decode(errors="replace")
            raise StepFailed(command, f"took more than {_RUN_WITHIN_S:g} s", printed) from None
    if process.returncode != expected_status:
        problem = f"ended with status {process.returncode} instead of {expected_status}"
        raise StepFailed(command, problem, (output + errors).decode(errors="replace"))
    return output.decode(errors="replace")


def free_port() -> int:
    """A port of loopback that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end what runs within as Ctrl-C does: by a KeyboardInterrupt, which cleans up."""
    with _handled_by(signal.default_int_handler):
        yield


@contextmanager
def _signals_held() -> Iterator[None]:
    """Let signals take effect at the end: a process that is just starting has nobody yet who could end it."""
    held: list[int] = []
    with _handled_by(lambda number, _: held.append(number)):
        yield
    if held:
        signal.raise_signal(held[0])


@contextmanager
def _handled_by(handler: Callable[[int, FrameType | None], object]) -> Iterator[None]:
    before = {number: signal.signal(number, handler) for number in _ENDING}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


def _start(arguments: Sequence[str], output: int, errors: int) -> subprocess.Popen[bytes]:
    # The arguments are our own, no user's text, and no shell reads them.
    return subprocess.Popen(  # noqa: S603 - our own command, and no shell
        [sys.executable, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=errors,
        env=_environment(),
        # A session of its own, or a Ctrl-C would reach it before us, and it would complain on its own.
        start_new_session=True,
    )


def _environment() -> dict[str, str]:
    """Ours, without options that were meant for the demo alone, and with output that we can decode."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AIMYPROXY_")}
    return {**kept, "PYTHONUTF8": "1"}


def _accepts(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False
