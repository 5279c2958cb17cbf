from __future__ import annotations

import asyncio

from aimyproxy.mockserver.messages import Reply, send_reply


def test_a_reply_is_sent_whole_with_its_length_and_its_source():
    """In two messages."""
    messages = []

    async def send(message):
        messages.append(message)

    asyncio.run(send_reply(Reply.of_json(404, {"error": "no"}, "miss"), send))
    start, body = messages
    assert start["status"] == 404
    assert dict(start["headers"]) == {
        b"content-type": b"application/json",
        b"content-length": b"15",
        b"aimyproxy-answer": b"miss",
    }
    assert body["body"] == b'{"error":"no"}\n'
