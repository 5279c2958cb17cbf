"""A mock server beside the program that started it, in a thread of its own."""

from __future__ import annotations

import threading
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aimyproxy.mockserver.server import MockServer


@contextmanager
def in_background(server: MockServer) -> Iterator[None]:
    """A context in which the server serves: from before it is entered until after it is left.

    What ends the server before its time is raised: on entering, or on leaving unless the context failed by itself.
    """
    started: Future[None] = Future()
    ended: Future[None] = Future()
    # A daemon: a context that nobody leaves must not keep the program from ending.
    thread = threading.Thread(target=_run, args=(server, started, ended), name="aimyproxy", daemon=True)
    thread.start()
    try:
        wait((started, ended), return_when=FIRST_COMPLETED)
        if started.done():
            yield
    finally:
        server.stop()
        thread.join()
    ended.result()


def _run(server: MockServer, started: Future[None], ended: Future[None]) -> None:
    try:
        server.run(lambda: started.set_result(None))
    except BaseException as error:  # whatever it is, the other thread is where somebody sees it
        ended.set_exception(error)
    else:
        ended.set_result(None)
