"""Answers that come late, in drops, broken or not at all."""

from __future__ import annotations

import asyncio
import time

import pytest
import uvicorn
from uvicorn.server import ServerState

from aimyproxy.answering.faults import Fault, Faults
from aimyproxy.answering.latency import Latency, Waits
from aimyproxy.mockserver.faulty import Protocol, Trouble, reply_to
from aimyproxy.mockserver.messages import Reply
from tests.processes import request_bytes

REPLY = Reply(201, (("content-type", "text/html"), ("x", "1")), b'{"a": "0123456789 0123456789"}', "exact; exchange=1")


def sent(fault, reply, trouble=None):
    """What the server is told to send, each message with the time at which it was."""
    messages, begun = [], time.monotonic()

    async def send(message):
        messages.append((message, time.monotonic() - begun))

    asyncio.run((trouble or Trouble(slow_seconds=0.1)).send(fault, reply, {}, None, send))
    return messages


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
    """The head first, with the whole length; then all of the body, in parts."""
    (head, _), *parts = sent(Fault("slow"), Reply(200, (), body, ""))
    assert dict(head["headers"])[b"content-length"] == b"%d" % len(body)
    assert b"".join(message["body"] for message, _ in parts) == body
    assert len(parts) - 1 == min(len(body), len(parts) - 1) <= 20
    assert [bool(message.get("more_body")) for message, _ in parts] == [True] * (len(parts) - 1) + [False]
    assert parts[-1][1] >= 0.09


@pytest.mark.parametrize("reply", [Reply(204, (), b"", ""), Reply(200, (), b"", "")])
def test_a_slow_answer_without_a_body_comes_late(reply):
    """There is nothing to drip."""
    messages = sent(Fault("slow"), reply)
    assert [message["type"] for message, _ in messages] == ["http.response.start", "http.response.body"]
    assert messages[0][1] >= 0.09


def test_nothing_waits_once_the_server_goes():
    """Neither for a latency nor for what is slow."""

    async def all_of_it():
        trouble = Trouble(Latency.parse("1000s"), slow_seconds=1000)
        waiting = asyncio.create_task(trouble.wait("start", None, Waits()))
        await asyncio.sleep(0)
        trouble.stop()
        await waiting
        return trouble

    assert len(sent(Fault("slow"), REPLY, asyncio.run(all_of_it()))) > 2


def test_a_mock_that_says_how_long_it_takes_is_right():
    """Also where it says: no time at all."""
    trouble = Trouble(Latency.parse("1000s"))
    asyncio.run(trouble.wait("start", 0, Waits()))
    asyncio.run(trouble.wait("start", 1, Waits()))


def test_how_long_an_event_waits_depends_on_no_other_event(monkeypatch):
    """A run can be repeated, though the bot's requests came in another order."""

    def paused(events):
        trouble, times = Trouble(Latency.parse("1..9s"), seed=3), []

        async def pause(seconds):
            times.append(seconds)

        monkeypatch.setattr(trouble, "_pause", pause)
        for event in events:
            asyncio.run(trouble.wait(event, None, Waits()))
        return [seconds for event, seconds in zip(events, times, strict=True) if event == "pay"]

    assert paused(["pay", "pay", "pay"]) == paused(["pay", "start", "start", "pay", "x", "pay"])


def test_the_seed_of_the_run_is_that_of_a_mocks_fault():
    """Where no other faults are on."""
    own = Fault("500", 0.5)
    struck = [[bool(Trouble(seed=seed).strike("pay", own)) for seed in range(50)] for _ in range(2)]
    assert struck[0] == struck[1]
    assert set(struck[0]) == {True, False}
    assert struck[0] == [bool(Faults((), seed).strike("pay", own)) for seed in range(50)]


def test_the_connection_is_in_reach_of_the_application():
    """With the installed uvicorn, for each request of a connection."""
    seen = []

    async def app(scope, _receive, send):
        (found,) = scope["extensions"].values()
        seen.append(found["transport"])
        if len(seen) == 2:
            found["transport"].abort()
            return
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def asked_twice():
        config = uvicorn.Config(app, http=Protocol, lifespan="off", log_config=None, log_level="critical")
        config.load()
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: Protocol(config=config, server_state=ServerState(), app_state={}), "127.0.0.1", 0
        )
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(request_bytes(b"{}"))
        first = await reader.readuntil(b"\r\n\r\n")
        writer.write(request_bytes(b"{}"))
        rest = await reader.read()
        writer.close()
        server.close()
        return first, rest

    first, rest = asyncio.run(asked_twice())
    assert first.startswith(b"HTTP/1.1 204")
    assert rest == b""
    assert seen[0] is seen[1]
    assert seen[0].get_extra_info("socket") is not None
