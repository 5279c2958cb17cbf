from __future__ import annotations

import asyncio
import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimyproxy.content import TooLargeError
from aimyproxy.exchange import Body
from aimyproxy.mockserver.messages import Disconnected, Reply, read_body, request_of, send_reply


def scope(*headers, method="POST", path=b"/", query=b""):
    return {"type": "http", "method": method, "raw_path": path, "query_string": query, "headers": list(headers)}


def receiving(*messages):
    waiting = list(messages)

    async def receive():
        return waiting.pop(0)

    return receive


def part(body, more=False):
    return {"type": "http.request", "body": body, "more_body": more}


def read(*messages, headers=(), limit=100):
    return asyncio.run(read_body(scope(*headers), receiving(*messages), limit))


def test_a_body_in_parts_is_read_whole():
    """Up to the limit, and not a byte further."""
    assert read(part(b"a" * 50, more=True), part(b"", more=True), part(b"b" * 50)) == b"a" * 50 + b"b" * 50
    with pytest.raises(TooLargeError):
        read(part(b"a" * 50, more=True), part(b"b" * 51, more=True))
    with pytest.raises(TooLargeError):
        read(headers=[(b"content-length", b"101")])


def test_a_bot_that_hangs_up_is_told_apart():
    """Its request is not whole."""
    with pytest.raises(Disconnected):
        read(part(b"a", more=True), {"type": "http.disconnect"})


def test_the_request_is_as_it_would_have_been_recorded():
    """Path and query as they were asked for, headers in their order."""
    request = request_of(scope((b"x-name", "Иван".encode()), path=b"/a%20b", query=b"c=%D0"), b'{"action": "a"}')
    assert (request.method, request.path) == ("POST", "/a%20b?c=%D0")
    assert request.headers == (("x-name", "Иван"),)
    assert request.body == Body("json", {"action": "a"})
    assert request_of(scope(method="GET"), b"").body == Body()


@pytest.mark.parametrize(
    ("coding", "raw"),
    [
        (b"gzip", gzip.compress(b'{"a": 1}')),
        (b"GZIP", gzip.compress(b'{"a": 1}')),
        (b"deflate", zlib.compress(b'{"a": 1}')),
        (b"deflate", zlib.compress(b'{"a": 1}', wbits=-15)),
        (b"identity", b'{"a": 1}'),
    ],
)
def test_a_compressed_body_is_decompressed(coding, raw):
    """As recording does it."""
    assert request_of(scope((b"content-encoding", coding)), raw).body == Body("json", {"a": 1})


@pytest.mark.parametrize(
    ("coding", "raw"),
    [(b"br", b"{}"), (b"gzip", b"{}"), (b"gzip", gzip.compress(b"{}")[:-3]), (b"deflate", b"\xff\xff")],
)
def test_what_can_not_be_decompressed_stays_encoded(coding, raw):
    """It is what went over the wire."""
    body = request_of(scope((b"content-encoding", coding)), raw).body
    assert body.encoded
    assert body.raw == raw


def test_a_bomb_is_too_large():
    """What decompresses beyond the limit is not decompressed."""
    bomb = gzip.compress(b"0" * 10_000)
    with pytest.raises(TooLargeError):
        request_of(scope((b"content-encoding", b"gzip")), bomb, limit=9_999)
    assert request_of(scope((b"content-encoding", b"gzip")), bomb, limit=10_000).body.value == "0" * 10_000


@given(st.binary(max_size=200), st.sampled_from([b"gzip", b"deflate", b"br", b"identity", b"x"]))
def test_any_bytes_make_a_request(raw, coding):
    """Nothing that a bot sends is an error here."""
    request = request_of(scope((b"content-encoding", coding), (b"x", raw), path=raw or b"/"), raw)
    assert request.headers[1][1].encode("utf-8", "surrogateescape") == raw


def sent(reply):
    messages = []

    async def send(message):
        messages.append(message)

    asyncio.run(send_reply(reply, send))
    return messages


def test_a_reply_is_sent_whole_with_its_length_and_its_source():
    """In two messages."""
    start, body = sent(Reply.of_json(404, {"error": "no"}, "miss"))
    assert start["status"] == 404
    assert dict(start["headers"]) == {
        b"content-type": b"application/json",
        b"content-length": b"15",
        b"Aimyproxy-Answer": b"miss",
    }
    assert body["body"] == b'{"error":"no"}\n'


@pytest.mark.parametrize("status", [204, 304])
def test_some_statuses_have_no_body(status):
    """HTTP says so; a length would be wrong too."""
    start, body = sent(Reply(status, (), b"recorded by mistake", "exact; exchange=1"))
    assert body["body"] == b""
    assert b"content-length" not in dict(start["headers"])
