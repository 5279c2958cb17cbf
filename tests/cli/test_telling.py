from __future__ import annotations

import os
import subprocess
import sys
import threading

from aimyproxy.cli.telling import Teller

LINES = [f"line {number}" for number in range(500)]


def test_all_lines_are_written_in_their_order():
    """Also those that came just before the end."""
    written = []
    teller = Teller(written.append, str)
    with teller.running():
        for line in LINES:
            teller.put(line)
    assert b"".join(written).decode().splitlines() == LINES


def test_a_line_that_comes_alone_is_written_at_once():
    """It doesn't wait for the next one, nor for the end."""
    written = threading.Event()
    teller = Teller(lambda _: written.set(), str)
    with teller.running():
        teller.put("alone")
        assert written.wait(30)


def test_nobody_waits_for_a_reader_and_what_was_left_out_is_counted():
    """`put` returns at once; when it is read again, the lines that were kept come, and how many were not."""
    reading, blocked, written = threading.Event(), threading.Event(), []

    def write(text):
        blocked.set()
        reading.wait(30)
        written.append(text.decode())

    teller = Teller(write, "{} lines are left out".format, most=3)
    with teller.running():
        teller.put("first")
        assert blocked.wait(30)
        for line in LINES:
            teller.put(line)
        reading.set()
    assert written == ["first\n", "line 0\nline 1\nline 2\n497 lines are left out\n"]


def test_who_never_reads_does_not_keep_a_process_from_ending():
    """More than a pipe holds is said to a standard error that nobody reads, and Python ends all the same."""
    code = (
        "from aimyproxy.cli import output, telling\n"
        "telling._PATIENCE = 0.1\n"
        "with output.saying_aside():\n"
        "    for number in range(3000): output.say('x' * 100, 'red')\n"
    )
    read, write = os.pipe()
    try:
        assert subprocess.run([sys.executable, "-c", code], check=False, stderr=write, timeout=60).returncode == 0
        os.close(write)
        write = -1
        with os.fdopen(read, "rb", closefd=False) as pipe:
            lines = pipe.read().splitlines()
        # A pipe is no terminal: nothing is coloured.
        assert lines[:500] == [b"x" * 100] * 500
    finally:
        os.close(read)
        if write >= 0:
            os.close(write)
