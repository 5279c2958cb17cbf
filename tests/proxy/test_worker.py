from __future__ import annotations

import asyncio
import os

import pytest

from aimyproxy.guard import OPEN_PROXY
from aimyproxy.proxy import worker
from aimyproxy.proxy.frames import Frame, Frames, Kind
from aimyproxy.proxy.worker import Link
from tests.builders import exchange


class Writer:
    """What a link sends over."""

    def __init__(self):
        self.sent = b""
        self.closing = False

    def write(self, data):
        self.sent += data

    def is_closing(self):
        return self.closing

    def frames(self):
        return list(Frames().feed(self.sent))


@pytest.fixture
def ended(monkeypatch):
    """Ends of this process that did not happen."""
    statuses = []
    monkeypatch.setattr(os, "_exit", statuses.append)
    return statuses


@pytest.mark.parametrize("end", [asyncio.StreamReader.feed_eof, lambda reader: reader.set_exception(BrokenPipeError())])
def test_an_exchange_is_kept_when_the_other_side_says_so(ended, end):
    """Its id comes back, None where it isn't recorded; where the other side ends, so does the worker."""

    async def scene():
        link, reader = Link(writer := Writer()), asyncio.StreamReader()
        hearing = asyncio.create_task(link.hear(reader))
        keeping = [asyncio.create_task(link.keep(exchange())) for _ in range(2)]
        await asyncio.sleep(0)
        reader.feed_data(bytes(Frame(Kind.NOT_KEPT, 2)) + bytes(Frame(Kind.KEPT, 1, b"17")) + bytes(Frame(Kind.STOP)))
        assert await asyncio.gather(*keeping) == [17, None]
        assert link.stop.is_set()
        assert ended == []
        end(reader)
        await hearing
        assert [(frame.kind, frame.number) for frame in writer.frames()] == [(Kind.EXCHANGE, 1), (Kind.EXCHANGE, 2)]

    asyncio.run(scene())
    assert ended == [1]


def test_what_has_no_stored_form_is_told_without_it(monkeypatch):
    """The other side counts it; the bot is served when that has it."""

    def fail(_):
        raise ValueError("a secret")

    monkeypatch.setattr(worker, "stored", fail)

    async def scene():
        link, reader = Link(writer := Writer()), asyncio.StreamReader()
        keeping = asyncio.create_task(link.keep(exchange()))
        await asyncio.sleep(0)
        assert writer.frames() == [Frame(Kind.EXCHANGE, 1)]
        hearing = asyncio.create_task(link.hear(reader))
        reader.feed_data(bytes(Frame(Kind.NOT_KEPT, 1)))
        assert await keeping is None
        hearing.cancel()

    asyncio.run(scene())


def test_at_the_end_nothing_is_said_any_more():
    """Though something happens in a connection that is being closed."""
    link = Link(writer := Writer())
    link.refused(OPEN_PROXY)
    link.served(5, exchange())
    link.ready("127.0.0.1", 80)
    writer.closing = True
    link.trouble("late")
    assert [frame.kind for frame in writer.frames()] == [Kind.REFUSED, Kind.SERVED, Kind.READY]
