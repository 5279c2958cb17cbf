"""What goes out on a connection is gathered for the length of a turn of the event loop."""

from __future__ import annotations

import asyncio

from aimyproxy.mockserver.outgoing import Outgoing


class Transport:
    def __init__(self):
        self.done = []

    def write(self, data):
        self.done.append(data)

    def write_eof(self):
        self.done.append("eof")

    def close(self):
        self.done.append("closed")


def after(writing):
    """What a transport was told at once, and what at the end of the turn."""

    async def turn():
        transport = Transport()
        writing(Outgoing(transport))
        at_once = list(transport.done)
        await asyncio.sleep(0)
        return at_once, transport.done[len(at_once) :]

    return asyncio.run(turn())


def test_what_is_written_in_one_turn_leaves_together():
    """In its order; one system call for all of it."""
    assert after(lambda outgoing: [outgoing.write(one) for one in (b"a", b"b", b"c")]) == ([], [b"abc"])
    assert after(lambda outgoing: outgoing.write(b"a")) == ([], [b"a"])


def test_nothing_is_held_back_by_the_end():
    """What waits leaves before the connection ends, and once."""
    assert after(lambda outgoing: (outgoing.write(b"a"), outgoing.close())) == ([b"a", "closed"], [])
    assert after(lambda outgoing: (outgoing.write(b"a"), outgoing.write_eof())) == ([b"a", "eof"], [])


def test_much_does_not_wait():
    """Only what was sent tells whether the bot reads."""

    def writing(outgoing):
        outgoing.write(b"a" * 60_000)
        assert outgoing.waits
        outgoing.write(b"b" * 60_000)
        assert not outgoing.waits

    assert after(writing) == ([b"a" * 60_000 + b"b" * 60_000], [])
