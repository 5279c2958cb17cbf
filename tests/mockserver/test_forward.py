from __future__ import annotations

import asyncio
import gzip
import json
import threading
from contextlib import suppress

from aimyproxy.exchange import Body, Request
from aimyproxy.mockserver.forward import Forward
from aimyproxy.target import Target
from tests.processes import Upstream, answer, answering, free_port


def forward(url, request=None, raw=b"{}", timeout=10.0):
    request = request or Request("POST", "/", (), Body())

    async def ask():
        forwarding = Forward(Target.parse(url), timeout)
        try:
            return await forwarding.reply(request, raw, None)
        finally:
            await forwarding.close()

    return asyncio.run(ask())


def test_the_target_gets_what_the_bot_sent_and_the_bot_what_the_target_answered():
    """Method, path, headers and the very bytes, less what belongs to one connection only."""
    compressed = gzip.compress(b"{}")
    response = answer(
        compressed, b"Content-Encoding: gzip", b"Set-Cookie: a=1", b"Connection: x, close", b"X: y", b"Date: Mon"
    )
    headers = (
        ("x-one", "1"),
        ("Host", "bot"),
        ("Connection", "x, Own"),
        ("own", "y"),
        ("Content-Length", "9"),
        ("x-one", "Иван"),
    )
    with Upstream(answering(response)) as upstream:
        reply = forward(f"{upstream.url}?key=1", Request("PUT", "/a%20b?c=d", headers, Body()), b"\xffraw")
    assert (reply.status, reply.body, reply.source) == (200, compressed, "forward")
    assert reply.headers == (("Content-Encoding", "gzip"), ("Set-Cookie", "a=1"))
    head, _, body = upstream.requests[0].partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0] == b"PUT /bot/a%20b?key=1&c=d HTTP/1.1"
    assert sorted(lines[1:]) == sorted(
        [
            b"x-one: 1",
            "x-one: Иван".encode(),
            b"Host: 127.0.0.1:%d" % upstream.port,
            b"Content-Length: 4",
            b"Connection: close",
        ]
    )
    assert body == b"\xffraw"


def test_what_comes_behind_an_answer_is_nobodys():
    """Not the next request's either: it may be another user's."""
    answered, late = threading.Event(), threading.Event()

    def behave(connection, request):
        connection.sendall(answer(request.rpartition(b"\r\n")[2]))
        answered.wait(10)
        with suppress(OSError):
            connection.sendall(answer(b"late"))
        late.set()
        return True

    async def ask():
        forwarding = Forward(Target.parse(upstream.url), 10)
        try:
            for body in (b"first", b"second"):
                answered.clear()
                late.clear()
                yield (await forwarding.reply(Request("POST", "/", (), Body()), body, None)).body
                answered.set()
                await asyncio.to_thread(late.wait, 10)
        finally:
            await forwarding.close()

    async def both():
        return [body async for body in ask()]

    with Upstream(behave) as upstream:
        assert asyncio.run(both()) == [b"first", b"second"]


def test_a_redirect_is_the_bots_to_follow():
    """Nothing but the target is ever asked."""
    response = answer(b"", b"Location: http://127.0.0.1:1/", status=b"302 Found")
    with Upstream(answering(response)) as upstream:
        reply = forward(upstream.url)
    assert (reply.status, dict(reply.headers)["Location"]) == (302, "http://127.0.0.1:1/")


def test_user_and_password_of_the_target_are_sent_and_never_shown():
    """Unless the bot brings its own."""
    with Upstream(answering(answer(b"{}"))) as upstream:
        url = upstream.url.replace("//", "//user:secret@")
        forward(url)
        forward(url, Request("POST", "/", (("Authorization", "own"),), Body()))
    assert b"Authorization: Basic dXNlcjpzZWNyZXQ=" in upstream.requests[0]
    assert b"Authorization: own" in upstream.requests[1]
    assert b"Basic" not in upstream.requests[1]
    refused = forward(f"http://user:secret@127.0.0.1:{free_port()}/bot")
    assert b"secret" not in refused.body


def test_a_target_that_is_down_is_a_502():
    """In one line of JSON that names it."""
    port = free_port()
    reply = forward(f"http://127.0.0.1:{port}/bot")
    assert (reply.status, reply.source) == (502, "forward")
    assert json.loads(reply.body)["error"] == (
        f"aimyproxy could not forward: The webhook at 127.0.0.1:{port} can't be reached: Connection refused."
    )


def test_a_target_that_hangs_up_is_a_502():
    """As is one that speaks no HTTP."""
    with Upstream(lambda *_: None) as upstream:
        assert forward(upstream.url).status == 502
    with Upstream(answering(b"nonsense\r\n\r\n")) as upstream:
        assert forward(upstream.url).status == 502


def test_a_target_that_changes_to_another_protocol_is_a_502():
    """The bot did not ask for it, and would take what comes for no answer at all."""
    with Upstream(answering(answer(b"", b"Upgrade: h2c", b"Connection: upgrade", status=b"101 Now"))) as upstream:
        reply = forward(upstream.url)
    assert reply.status == 502
    assert b"101 is no status of an answer" in reply.body


def test_a_target_that_takes_too_long_is_a_504():
    """The bot is told after the time-out."""
    done = threading.Event()
    with Upstream(lambda *_: done.wait(30)) as upstream:
        reply = forward(upstream.url, timeout=0.1)
        done.set()
    assert reply.status == 504
    assert b"did not answer within 0.1 s" in reply.body


def test_a_request_that_can_not_be_sent_is_a_502():
    """Not a crash."""
    reply = forward("http://127.0.0.1:1", Request("POST", "/", (("x", "a\r\nb"),), Body()))
    assert reply.status == 502
