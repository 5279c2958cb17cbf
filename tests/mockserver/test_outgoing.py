"""What goes out on a connection is gathered for the length of a turn of the event loop."""

from __future__ import annotations

import asyncio

from aimyproxy.mockserver.outgoing import Outgoing, Turn


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
        writing(Outgoing(transport, Turn()))
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


def test_one_connection_that_fails_is_nothing_to_the_others():
    """What waits on those leaves all the same, and what they say later, too."""

    class Broken(Transport):
        def write(self, _):
            raise RuntimeError("a bug")

    async def turns():
        turn, told, sound = Turn(), [], Transport()
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(str(context["exception"])))
        for one in (Broken(), sound, Broken()):
            Outgoing(one, turn).write(b"a")
        for _ in range(4):
            await asyncio.sleep(0)
        Outgoing(sound, turn).write(b"b")
        await asyncio.sleep(0)
        return told, sound.done

    assert asyncio.run(turns()) == (["a bug", "a bug"], [b"a", b"b"])
