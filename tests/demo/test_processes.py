"""What the demo starts ends with it."""

from __future__ import annotations

import os
import signal
import socket
import sys
from typing import TYPE_CHECKING, Any

import pytest

from aimyproxy.demo import processes
from aimyproxy.demo.processes import Server, StepFailed, ended_by_signals, free_port, run_command
from aimyproxy.errors import TargetError
from tests.processes import eventually

if TYPE_CHECKING:
    from pathlib import Path

LISTEN = """
import os, signal, socket, sys
port, pid_file = int(sys.argv[1]), sys.argv[2]
listener = socket.create_server(("127.0.0.1", port))
open(pid_file, "w").write(str(os.getpid()))
print("I listen", flush=True)
"""
SERVE = LISTEN + "signal.sigwait([signal.SIGINT])\nsys.exit(int(sys.argv[3]))"
SERVE_BRIEFLY = LISTEN + "listener.accept(); listener.accept(); sys.exit(9)"
NEVER_STOP = LISTEN + "signal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: signal.pause()"
BLOCKED = "import signal; signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])\n"


@pytest.fixture
def port() -> int:
    return free_port()


def server(program: str, port: int, folder: Path, status: int = 0) -> Server:
    arguments = ["-c", BLOCKED + program, str(port), str(folder / "pid"), str(status)]
    return Server("serve something", arguments, port)


def assert_gone(folder: Path) -> None:
    with pytest.raises(ProcessLookupError):
        os.kill(int((folder / "pid").read_text()), 0)


def test_a_server_runs_within_its_context(port: int, tmp_path: Path) -> None:
    """It accepts connections from the beginning of the context, and is gone at its end."""
    with server(SERVE, port, tmp_path):
        socket.create_connection(("127.0.0.1", port)).close()
    assert_gone(tmp_path)


def test_a_server_that_ends_badly_fails_the_step(port: int, tmp_path: Path) -> None:
    """A status other than 0 after SIGINT is told, with the command and its output."""
    problem = r"`serve something` ended with status 5 instead of 0\. It printed:\n  I listen"
    with pytest.raises(StepFailed, match=problem), server(SERVE, port, tmp_path, status=5):
        pass
    assert_gone(tmp_path)


def test_a_server_that_does_not_start_fails_the_step(port: int, tmp_path: Path) -> None:
    """One that ends before it listens is told with its status."""
    problem = r"ended with status 4 instead of listening\. It printed nothing\."
    with pytest.raises(StepFailed, match=problem), server("raise SystemExit(4)", port, tmp_path):
        pass


def test_a_server_that_does_not_listen_in_time_is_ended(
    port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that runs but does not listen is ended after a while."""
    monkeypatch.setattr(processes, "_START_WITHIN_S", 0.5)
    deaf = LISTEN.replace("listener =", "listener = None if True else") + "signal.sigwait([signal.SIGINT])"
    with pytest.raises(StepFailed, match=r"did not listen within 0\.5 s"), server(deaf, port, tmp_path):
        pass
    if (tmp_path / "pid").exists():
        assert_gone(tmp_path)


def test_a_server_that_ends_early_explains_what_follows(port: int, tmp_path: Path) -> None:
    """Where the bot's calls failed since the server went down, the server's end is what is told."""

    def talk() -> None:
        with server(SERVE_BRIEFLY, port, tmp_path) as early:
            socket.create_connection(("127.0.0.1", port)).close()
            eventually(lambda: early._process.poll() is not None, "its end")
            raise TargetError("The bot can't reach it.")

    with pytest.raises(StepFailed, match="ended with status 9 in the middle of its work") as caught:
        talk()
    assert isinstance(caught.value.__cause__, TargetError)


def test_a_server_that_ignores_the_signal_is_killed(port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that does not stop is killed, and the step fails."""
    monkeypatch.setattr(processes, "_STOP_WITHIN_S", 0.2)
    with pytest.raises(StepFailed, match="ended with status -9"), server(NEVER_STOP, port, tmp_path):
        pass
    assert_gone(tmp_path)


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError, TargetError])
def test_errors_end_the_server_and_pass(port: int, tmp_path: Path, error: type[BaseException]) -> None:
    """Whatever goes wrong within, the server is gone and the error is the same."""
    with pytest.raises(error), server(SERVE, port, tmp_path, status=5):
        raise error
    assert_gone(tmp_path)


def test_a_command_gives_its_standard_output() -> None:
    """What goes to standard error is not part of it."""
    program = "import sys; print('ответ'); print('progress', file=sys.stderr); sys.exit(1)"
    assert run_command("x", ["-c", program], expected_status=1) == "ответ\n"


def test_a_command_with_another_status_fails_the_step() -> None:
    """Both outputs are in the message."""
    program = "import sys; print('ответ'); print('trouble', file=sys.stderr); sys.exit(1)"
    with pytest.raises(StepFailed, match=r"`do it` ended with status 1 instead of 0\. It printed:\n  ответ\n  trouble"):
        run_command("do it", ["-c", program], expected_status=0)


def test_a_command_that_hangs_fails_the_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that takes too long is killed."""
    monkeypatch.setattr(processes, "_RUN_WITHIN_S", 0.5)
    with pytest.raises(StepFailed, match=r"took more than 0\.5 s\. It printed:\n  so far"):
        run_command("x", ["-c", "import signal; print('so far', flush=True); signal.pause()"], expected_status=0)


def test_options_of_the_demo_are_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """AIMYPROXY_… variables don't reach the commands, everything else does."""
    monkeypatch.setenv("AIMYPROXY_RECORD_TARGET", "http://elsewhere")
    monkeypatch.setenv("SOMETHING_ELSE", "kept")
    program = "import os; print([name for name in os.environ if name.startswith(('AIMYPROXY_', 'SOMETHING_'))])"
    assert run_command("x", ["-c", program], expected_status=0) == "['SOMETHING_ELSE']\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_signals_interrupt(number: signal.Signals) -> None:
    """A signal that would end the process raises KeyboardInterrupt, and is itself again afterwards."""
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt), ended_by_signals():
        signal.raise_signal(number)
    assert signal.getsignal(number) is before


def test_python_is_this_one() -> None:
    """Commands run in the Python that runs the demo."""
    assert run_command("x", ["-c", "import sys; print(sys.executable)"], 0).strip() == sys.executable


def test_a_signal_while_a_process_starts_ends_it_too(
    port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C between a process's start and our knowing of it leaves no process behind."""
    started = []

    def interrupted(*arguments: Any) -> Any:
        started.append(start(*arguments))
        signal.raise_signal(signal.SIGINT)
        return started[-1]

    start = processes._start
    monkeypatch.setattr(processes, "_start", interrupted)
    with pytest.raises(KeyboardInterrupt), ended_by_signals(), server(SERVE, port, tmp_path):
        pass
    with pytest.raises(KeyboardInterrupt), ended_by_signals():
        run_command("x", ["-c", "import signal; signal.pause()"], expected_status=0)
    assert all(process.returncode is not None for process in started)
    assert len(started) == 2
