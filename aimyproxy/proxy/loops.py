"""The event loop that record runs on, and the signals that end it."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """What makes the quickest loop there is; None for asyncio's own."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def ending() -> tuple[signal.Signals, ...]:
    """The signals that end a run in order: SIGINT, SIGTERM, and SIGHUP (the terminal is gone) unless it is ignored."""
    ignored = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    return (signal.SIGINT, signal.SIGTERM) if ignored else (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def stop_signals() -> Iterator[asyncio.Event]:
    """A context with an event that those signals set. After it they are ignored: the process is about to end."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    numbers = ending()
    for number in numbers:
        loop.add_signal_handler(number, stop.set)
    try:
        yield stop
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
            # Who signals twice (as `timeout` does) must not cut off what is still to be written.
            signal.signal(number, signal.SIG_IGN)
