"""Answers that come late, in drops, broken or not at all."""

from __future__ import annotations

import asyncio
import time

import pytest

from aimyproxy.answering.faults import Fault, Faults
from aimyproxy.answering.latency import Latency, Waits
from aimyproxy.mockserver.faulty import Trouble, reply_to, without_body
from aimyproxy.mockserver.messages import Reply

REPLY = Reply(201, (("content-type", "text/html"), ("x", "1")), b'{"a": "0123456789 0123456789"}', "exact; exchange=1")


class Line:
    """A connection that keeps what is sent over it, each part with the time at which it was."""

    def __init__(self):
        self.parts = []
        self.begun = time.monotonic()

    async def send(self, data):
        self.parts.append((data, time.monotonic() - self.begun))


def sent(fault, reply, trouble=None):
    line = Line()
    asyncio.run((trouble or Trouble(slow_seconds=0.1)).send(fault, reply, b"head", line))
    return line.parts


@pytest.mark.parametrize(
    ("kind", "status", "types", "is_empty"),
    [
        ("garbage", 200, ["text/html"], False),
        ("empty", 200, ["text/html"], True),
        ("503", 503, ["application/json"], False),
        ("slow", 201, ["text/html"], False),
    ],
)
def test_what_is_sent_in_the_place_of_an_answer(kind, status, types, is_empty):
    """It says of itself that it is a fault."""
    reply = reply_to(Fault(kind), REPLY)
    assert (reply.status, reply.source, not reply.body) == (status, f"fault; kind={kind}", is_empty)
    assert [value for name, value in reply.headers if name == "content-type"] == types
    assert (reply.body == REPLY.body) == (kind == "slow")


@pytest.mark.parametrize("body", [b"1", b"{}", b"x" * 21, b"x" * 1999])
def test_a_slow_answer_takes_as_long_whatever_its_size(body):
    """The head first, then all of the body, in parts."""
    (head, _), *parts = sent(Fault("slow"), Reply(200, (), body, ""))
    assert head == b"head"
    assert b"".join(data for data, _ in parts) == body
    assert 1 <= len(parts) <= 20
    assert parts[-1][1] >= 0.09


def test_a_slow_answer_without_a_body_comes_late():
    """There is nothing to drip."""
    [(head, when)] = sent(Fault("slow"), Reply(204, (), b"", ""))
    assert (head, when >= 0.09) == (b"head", True)


@pytest.mark.parametrize(("status", "method", "body"), [(204, "POST", b""), (304, "GET", b""), (200, "HEAD", b"")])
def test_some_replies_have_no_body(status, method, body):
    """HTTP says so."""
    assert without_body(Reply(status, (), b"recorded", ""), method).body == body
    assert without_body(Reply(200, (), b"recorded", ""), "POST").body == b"recorded"


def test_nothing_waits_once_the_server_goes():
    """Neither for a latency nor for what is slow."""

    async def all_of_it():
        trouble = Trouble(Latency.parse("1000s"), slow_seconds=1000)
        waiting = asyncio.create_task(trouble.pause(trouble.delay("start", None, Waits())))
        await asyncio.sleep(0)
        trouble.stop()
        await waiting
        return trouble

    assert len(sent(Fault("slow"), REPLY, asyncio.run(all_of_it()))) > 2


def test_a_mock_that_says_how_long_it_takes_is_right():
    """Also where it says: no time at all."""
    trouble = Trouble(Latency.parse("1000s"))
    assert [trouble.delay("start", given, Waits()) for given in (0, 1, None)] == [0, 0.001, 1000]


def test_how_long_an_event_waits_depends_on_no_other_event():
    """A run can be repeated, though the bot's requests came in another order."""

    def paused(events):
        trouble = Trouble(Latency.parse("1..9s"), seed=3)
        times = [trouble.delay(event, None, Waits()) for event in events]
        return [seconds for event, seconds in zip(events, times, strict=True) if event == "pay"]

    assert paused(["pay", "pay", "pay"]) == paused(["pay", "start", "start", "pay", "x", "pay"])


def test_the_seed_of_the_run_is_that_of_a_mocks_fault():
    """Where no other faults are on."""
    own = Fault("500", 0.5)
    struck = [[bool(Trouble(seed=seed).strike("pay", own)) for seed in range(50)] for _ in range(2)]
    assert struck[0] == struck[1]
    assert set(struck[0]) == {True, False}
    assert struck[0] == [bool(Faults((), seed).strike("pay", own)) for seed in range(50)]
