from __future__ import annotations

import threading

import pytest

from aimyproxy.mockserver.background import in_background


class Server:
    """Starts, and goes on until it is stopped, or until something is wrong."""

    def __init__(self, before=None, after=None):
        self.before = before
        self.after = after
        self.running = False
        self.stopping = threading.Event()

    def run(self, started):
        if self.before:
            raise self.before
        self.running = True
        started()
        self.stopping.wait(30)
        self.running = False
        if self.after:
            raise self.after

    def stop(self):
        self.stopping.set()


def test_it_serves_within_the_context():
    """From before it is entered until after it is left, in another thread."""
    server = Server()
    threads = threading.active_count()
    with in_background(server):
        assert server.running
        assert threading.active_count() == threads + 1
    assert not server.running
    assert threading.active_count() == threads


def test_what_keeps_it_from_starting_is_raised():
    """As it is, and the context is not entered."""
    error = SystemExit(3)
    with pytest.raises(SystemExit) as raised, in_background(Server(before=error)):
        pytest.fail("entered")
    assert raised.value is error


def test_what_ended_it_is_raised_on_leaving():
    """It must not go unnoticed."""
    error = MemoryError()
    with pytest.raises(MemoryError) as raised, in_background(Server(after=error)):
        pass
    assert raised.value is error


def test_what_failed_in_the_context_passes_through():
    """Whatever became of the server."""
    server = Server(after=MemoryError())
    with pytest.raises(ZeroDivisionError), in_background(server):
        raise ZeroDivisionError
    assert not server.running
