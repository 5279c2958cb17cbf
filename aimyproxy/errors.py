"""Every error that a user can meet: one sentence that says what failed, where, and what to do."""

from __future__ import annotations

from pathlib import Path

EXIT_OK = 0
EXIT_DIFFERENT = 1
EXIT_TROUBLE = 2
EXIT_INTERRUPTED = 130


class AimyproxyError(Exception):
    """The root of the tree; `str()` is the sentence that the user reads, `exit_status` how the command ends."""

    exit_status = EXIT_TROUBLE


class InvalidName(AimyproxyError):
    """A recording's name that could leave its folder or confuse a shell."""


class RecordingNotFound(AimyproxyError):
    """There is no recording of that name."""


class RecordingExists(AimyproxyError):
    """A new recording was wanted under a name that is taken."""


class ExchangeNotFound(AimyproxyError):
    """The recording has no exchange of that id."""


class StoreError(AimyproxyError):
    """The operating system refused to read or write a recording."""


class BrokenFile(AimyproxyError):
    """A file that can't be understood; `line` and `column` count from 1 and are 0 where unknown."""

    def __init__(self, path: Path, problem: str, *, line: int = 0, column: int = 0, advice: str = "") -> None:
        place = f"{path}:{line}:{column}" if line else str(path)
        super().__init__(f"{place}: {problem}." + (f" {advice}" if advice else ""))
        self.path = path
        self.problem = problem
        self.line = line
        self.column = column


class NewerFormat(AimyproxyError):
    """A recording that a later version of aimyproxy wrote."""


class InvalidJSON(AimyproxyError):
    """JSON typed by a person that does not parse; `line` and `column` count from 1."""

    def __init__(self, problem: str, line: int, column: int) -> None:
        super().__init__(f"{problem} at line {line} column {column}")
        self.problem = problem
        self.line = line
        self.column = column


class InvalidDocument(AimyproxyError):
    """Valid JSON that is not an exchange or a mock; the message names the member at fault."""


class InvalidOption(AimyproxyError):
    """An option whose value can't work (a bad URL, a bad address, a path that is no JSONPath)."""


class ListenError(AimyproxyError):
    """The address can't be listened on."""


class TargetError(AimyproxyError):
    """The webhook can't be reached, or answered in a way that stops the run."""


class RecordingIncomplete(AimyproxyError):
    """The bot was served, but some exchanges could not be written; the command ends with status 1."""

    exit_status = EXIT_DIFFERENT


def described(error: BaseException) -> str:
    """An unexpected error for the terminal: what it is, and where it came from."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    place = f" ({Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno})" if trace else ""
    return f"{type(error).__name__}: {error}{place}"


class WorkerError(AimyproxyError):
    """The processes that share the work can't be started."""
