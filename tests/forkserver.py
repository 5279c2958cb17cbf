"""Real processes without their second of imports: forked from a process that has imported the product already.

`start` is what the tests call. `python -m tests.forkserver DESCRIPTOR` is the process to fork from; it ends when the
other end of its socket is closed.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import importlib
import json
import os
import pkgutil
import runpy
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

OPTIONS = {"env", "cwd", "umask"}
"""The options of `subprocess.Popen` that `start` knows, too."""

_ROOT = Path(__file__).parent.parent
_LARGEST_ORDER = 1_000_000
# Whoever reads the children's ends must see them end with the child: nobody else may hold them.
_STANDARD_STREAMS = (0, 1, 2)


class Process:
    """A forked process, with what the tests need of `subprocess.Popen`."""

    def __init__(self, pid: int, account: socket.socket, stdout: IO[str], stderr: IO[str]) -> None:
        self.pid = pid
        self.stdout = stdout
        self.stderr = stderr
        self.returncode: int | None = None
        self._account = account

    def poll(self) -> int | None:
        """The exit status, None while the process runs."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The exit status once the process has ended; negative for a signal. Raises subprocess.TimeoutExpired."""
        if self.returncode is None:
            self._account.settimeout(timeout)
            try:
                self.returncode = int(self._account.recv(16))
            except (TimeoutError, BlockingIOError):
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0) from None
            self._account.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal, unless the process has ended."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """End it without ado."""
        self.send_signal(signal.SIGKILL)


def start(
    module: str,
    *arguments: str,
    env: dict[str, str] | None = None,
    cwd: str | Path | None = None,
    umask: int = -1,
) -> Process:
    """`python -m module arguments`, its output piped to the caller."""
    order = {
        "module": module,
        "arguments": arguments,
        "environment": dict(os.environ if env is None else env),
        "folder": str(cwd or Path.cwd()),
        "umask": umask,
    }
    (out, out_end), (err, err_end) = os.pipe(), os.pipe()
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        descriptors = [0, out_end, err_end, theirs.fileno()]
        socket.send_fds(_server()[1], [json.dumps(order).encode()], descriptors)
    finally:
        theirs.close()
        os.close(out_end)
        os.close(err_end)
    pid = ours.recv(16)
    assert pid, "the fork server has ended; what it said stands above"
    return Process(int(pid), ours, os.fdopen(out, encoding="utf-8"), os.fdopen(err, encoding="utf-8"))


def stop() -> None:
    """End the process to fork from, if there is one; what was forked lives on."""
    if _server.cache_info().currsize:
        process, orders = _server()
        orders.close()
        process.wait()
        _server.cache_clear()


@functools.cache
def _server() -> tuple[subprocess.Popen[bytes], socket.socket]:
    """The process to fork from, one for each process that runs tests, and a connection to it."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _LARGEST_ORDER)
    with theirs:
        command = [sys.executable, "-m", "tests.forkserver", str(theirs.fileno())]
        return subprocess.Popen(command, pass_fds=[theirs.fileno()], cwd=_ROOT), ours


@dataclass
class _Order:
    """What to become, and the descriptors that came with it: standard streams, and where to report the end."""

    details: dict[str, Any]
    streams: list[int]
    account: int


def _serve(orders: socket.socket) -> _Order | None:
    """Fork for each order; returns in each forked process, with its order, and in this one, with None, at the end."""
    while True:
        data, descriptors, _, _ = socket.recv_fds(orders, _LARGEST_ORDER, 4)
        if not data:
            return None
        order = _Order(json.loads(data), descriptors[:3], descriptors[3])
        if os.fork() == 0:
            orders.close()
            if _fork_and_report(order):
                return order
            os._exit(0)
        for descriptor in descriptors:
            os.close(descriptor)


def _fork_and_report(order: _Order) -> bool:
    """True in a new process; in this one, which reports the other's end, False."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    if (pid := os.fork()) == 0:
        os.close(order.account)
        return True
    account = socket.socket(fileno=order.account)
    account.send(str(pid).encode())
    for descriptor in (*order.streams, *_STANDARD_STREAMS):
        with contextlib.suppress(OSError):
            os.close(descriptor)
    _, status = os.waitpid(pid, 0)
    with contextlib.suppress(OSError):
        account.send(str(os.waitstatus_to_exitcode(status)).encode())
    return False


def _become(order: _Order) -> None:
    """Run what was ordered, as a process that was just started would."""
    for stream, descriptor in zip(_STANDARD_STREAMS, order.streams, strict=True):
        os.dup2(descriptor, stream)
        os.close(descriptor)
    os.chdir(order.details["folder"])
    os.environ.clear()
    os.environ.update(order.details["environment"])
    if order.details["umask"] >= 0:
        os.umask(order.details["umask"])
    time.tzset()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    module = order.details["module"]
    if not hasattr(sys.modules.get(module), "__path__"):
        sys.modules.pop(module, None)
    sys.argv = ["", *order.details["arguments"]]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _import_everything() -> None:
    import aimyproxy

    for module in pkgutil.walk_packages(aimyproxy.__path__, "aimyproxy."):
        if module.name not in ("aimyproxy.__main__", "aimyproxy.pytest_plugin"):
            importlib.import_module(module.name)


def main(descriptor: str) -> None:
    """Import, and fork for whoever asks at the other end of the socket."""
    # Ctrl-C is for the tests, who then close their end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Nobody waits for those who wait.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    orders = socket.socket(fileno=int(descriptor))
    _import_everything()
    gc.collect()
    gc.freeze()
    if order := _serve(orders):
        _become(order)


if __name__ == "__main__":
    main(sys.argv[1])
