"""Standard error for lines that must not keep anybody waiting: a thread writes them, as fast as they are read."""

from __future__ import annotations

import os
import sys
import threading
from collections import deque
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_MOST: Final = 10_000
"""Lines that wait to be written; beyond that they are left out, and counted."""

_PAUSE: Final = 0.05
_PATIENCE: Final = 2.0


class Teller:
    """Writes lines in their order, several at once where they come fast; `put` never waits and never fails.

    `write` gets bytes of whole lines and may wait as long as it likes; `word` makes the line that says how many were
    left out. What was not read when the context `running` ends gets two more seconds.
    """

    def __init__(self, write: Callable[[bytes], None], word: Callable[[int], str], most: int = _MOST) -> None:
        self._write = write
        self._word = word
        self._most = most
        self._lines: deque[str] = deque()
        self._left_out = 0
        self._news = threading.Event()
        self._end = threading.Event()

    def put(self, line: str) -> None:
        """Have this line written soon; from any thread."""
        if len(self._lines) >= self._most:
            self._left_out += 1
            return
        self._lines.append(line)
        if not self._news.is_set():
            self._news.set()

    @contextmanager
    def running(self) -> Iterator[None]:
        """A context in which the lines are written."""
        # A daemon: where nobody reads, it may never get to its end.
        thread = threading.Thread(target=self._work, name="teller", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._end.set()
            self._news.set()
            thread.join(_PATIENCE)

    def _work(self) -> None:
        while not self._end.is_set():
            self._news.wait()
            self._news.clear()
            self._write_all()
            self._end.wait(_PAUSE)
        self._write_all()

    def _write_all(self) -> None:
        lines = [self._lines.popleft() for _ in range(len(self._lines))]
        left_out, self._left_out = self._left_out, 0
        if left_out:
            lines.append(self._word(left_out))
        if lines:
            self._write("".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace"))


def to_standard_error(word: Callable[[int], str]) -> Teller:
    """A teller for this process's standard error; where that is closed, the lines go nowhere."""
    if sys.stderr is None:  # Python found it closed
        return Teller(lambda _: None, word)
    plain = not sys.stderr.isatty()
    try:
        descriptor = sys.stderr.fileno()
    except OSError:  # no file, but an object in its place
        return Teller(lambda text: click.echo(text, err=True, nl=False), word)

    def write(text: bytes) -> None:
        # Not through `sys.stderr`: whoever waits inside of it keeps Python from ending.
        rest = memoryview(click.unstyle(text.decode()).encode() if plain else text)
        with suppress(OSError):
            while rest:
                rest = rest[os.write(descriptor, rest) :]

    return Teller(write, word)
