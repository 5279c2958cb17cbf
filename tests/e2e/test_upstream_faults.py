"""Webhooks that misbehave, all behind one recorder: what the bot gets, what is recorded, and that the next works."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time
from functools import partial

import pytest

from tests.e2e.test_record import ECHO, recorded, recorder
from tests.processes import Upstream, answer, answering, eventually, post, read_message, request_bytes

HUGE = b"x" * 50_000_000
MOVED = answer(b"", b"Location: http://203.0.113.1/", status=b"302 Found")


def sends(*parts, then=None):
    """An upstream that sends these parts, one after another, and does something in the end; else it hangs up."""

    def behave(connection, _):
        for part in parts:
            connection.sendall(part)
        return then(connection) if then else False

    return behave


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def silent(connection):
    return connection.recv(1) == b"?"


def drip(message, seconds):
    def behave(connection, _):
        for byte in message:
            connection.sendall(bytes([byte]))
            time.sleep(seconds / len(message))
        return True

    return behave


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
BODY_OF_100 = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"
LARGEST_HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: %s\r\n\r\n" % (b"x" * 262_101)

FAILING = {
    "closes": (sends(), 502, "disconnect"),
    "resets": (sends(then=reset), 502, "disconnect"),
    "half_a_head": (sends(b"HTTP/1.1 200 OK\r\nConte"), 502, "disconnect"),
    "resets_in_the_head": (sends(b"HTTP/1.1 200 OK\r\nConte", then=reset), 502, "disconnect"),
    "half_a_body": (sends(BODY_OF_100, b"{"), 502, "disconnect"),
    "resets_in_the_body": (sends(BODY_OF_100, b"{", then=reset), 502, "disconnect"),
    "half_a_chunk": (sends(CHUNKED, b"5\r\n{"), 502, "disconnect"),
    "says_nothing": (sends(then=silent), 504, "timeout"),
    "stops_in_the_body": (sends(b"HTTP/1.1 200 OK\r\n\r\nuntil the end", then=silent), 504, "timeout"),
    "drips_too_slowly": (drip(ECHO, 6), 504, "timeout"),
    "no_http": (sends(b"no HTTP at all\r\n\r\n"), 502, "protocol"),
    "no_status": (sends(b"HTTP/1.1 99 Odd\r\nContent-Length: 2\r\n\r\n{}"), 502, "protocol"),
    "another_protocol": (sends(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n", ECHO), 502, "protocol"),
    "two_lengths": (sends(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n", CHUNKED[17:], b"0\r\n\r\n"), 502, "protocol"),
    "a_length_that_is_none": (sends(b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n{}"), 502, "protocol"),
    "no_chunks": (sends(CHUNKED, b"this is no chunk\r\n"), 502, "protocol"),
    "an_endless_line": (sends(CHUNKED, b"1;" + b"x" * 400_000), 502, "protocol"),
    "a_head_too_large": (sends(b"HTTP/1.1 200 OK\r\nX: %s\r\n\r\n" % (b"x" * 262_121)), 502, "protocol"),
    "an_endless_head": (sends(b"HTTP/1.1 200 OK\r\n", b"X: " + b"x" * 400_000), 502, "protocol"),
    "too_large": (sends(b"HTTP/1.1 200 OK\r\nContent-Length: 60000001\r\n\r\n", b"x" * 1000), 502, "protocol"),
    "too_large_in_chunks": (sends(CHUNKED, *[b"%x\r\n%s\r\n" % (10**7, b"x" * 10**7)] * 7), 502, "protocol"),
}

ODD = {
    "drips": (drip(ECHO, 0.3), ECHO),
    "closes_after_it": (sends(ECHO), ECHO),
    "lines_that_may_end": (
        answering(b"HTTP/1.1 200 O\rK\r\nX: a\rY: b\0c\r\n d\r\nContent-Length: 2\r\n\r\n{}"),
        b"HTTP/1.1 200 O K\r\nX: a Y: b c d\r\nContent-Length: 2\r\n\r\n{}",
    ),
    "no_length": (sends(b"HTTP/1.1 200 OK\r\n\r\n{}"), b"HTTP/1.1 200 OK\r\n\r\n{}"),
    "no_content_with_content": (
        sends(b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n", b"{}", then=lambda _: True),
        b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n",
    ),
    "more_than_it_says": (sends(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", b"{}"), answer(b"{}")),
    "the_largest_head": (sends(LARGEST_HEAD), LARGEST_HEAD),
    "redirects": (answering(MOVED), MOVED),
    "no_gzip": (answering(answer(b"{}", b"Content-Encoding: gzip")), answer(b"{}", b"Content-Encoding: gzip")),
    "gzip_cut_short": (sends(answer(gzip.compress(b"{}" * 99)[:-9], b"Content-Encoding: gzip")), None),
    "early_hints": (
        answering(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n" + ECHO),
        ECHO,
    ),
    "continues_in_drops": (drip(b"HTTP/1.1 100 Continue\r\n\r\n" + ECHO, 0.2), ECHO),
    "oops": (answering(answer(b"<h1>", status=b"500 Oops")), answer(b"<h1>", status=b"500 Oops")),
    "huge": (sends(answer(HUGE)), answer(HUGE)),
}


def by_path(connection, request):
    """Behave as the request's path names it, and well where it names nothing."""
    name = request.split(b" ")[1].removeprefix(b"/bot").strip(b"/").decode()
    behave, *_ = FAILING.get(name) or ODD.get(name) or (answering(ECHO),)
    return behave(connection, request)


@pytest.fixture(scope="module", params=["1", "2"], ids=["alone", "workers"])
def proxied(request, tmp_path_factory):
    """A recorder before the upstream that behaves as it is asked; yields its folder and port."""
    folder = tmp_path_factory.mktemp("recordings")
    with Upstream(by_path) as upstream:
        # 60 MB have to come in that time.
        options = ("--timeout", "2.5", "--max-body", "60", "--workers", request.param)
        with recorder(folder, upstream.url, *options) as (process, port):
            yield folder, port, upstream
            assert process.stop() == 0


def latest(folder, number):
    return recorded(folder)[-number:]


@pytest.mark.parametrize("name", FAILING)
def test_a_webhook_that_fails(proxied, name):
    """The bot gets a 502 or 504 that says why, the recording the failure; nothing is repeated, and the next works."""
    folder, port, upstream = proxied
    _, status, kind = FAILING[name]
    before = len(upstream.requests)
    head, _, body = post(port, b"{}", f"/{name}").partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d" % status)
    explained = json.loads(body)
    assert explained["failure"] == kind
    assert f"127.0.0.1:{upstream.port}" in explained["error"]
    assert post(port, b"{}") == ECHO
    assert len(upstream.requests) == before + 2
    failed, well = latest(folder, 2)
    assert (failed.request.path, failed.response) == (f"/{name}", None)
    assert (failed.failure.kind, failed.failure.message) == (kind, explained["error"])
    assert (well.response.status, well.failure) == (200, None)


@pytest.mark.parametrize("name", ODD)
def test_a_webhook_that_is_odd(proxied, name):
    """The bot gets its very bytes, and so does the recording; the next request on the same connection works."""
    folder, port, _ = proxied
    with socket.create_connection(("127.0.0.1", port), timeout=30) as bot:
        bot.sendall(request_bytes(b"{}", f"/{name}"))
        got, expected = read_message(bot), ODD[name][1]
        if name == "no_length":
            while more := bot.recv(100):
                got += more
        assert expected is None or got == expected
        if name != "no_length":
            bot.sendall(request_bytes(b"{}"))
            assert read_message(bot) == ECHO
    odd = next(one for one in reversed(recorded(folder)) if one.request.path == f"/{name}")
    assert odd.failure is None
    assert odd.response.status == int(got.split(b" ")[1])


def test_a_connection_that_was_closed_meanwhile_is_no_failure(proxied):
    """The bot's stays open, the webhook's is opened anew; nothing is sent twice."""
    _, port, upstream = proxied
    before, ended = len(upstream.requests), len(upstream.ended)

    def has_closed(times):
        return sum(b"/closes_after_it" in one for one in upstream.ended[ended:]) >= times

    with socket.create_connection(("127.0.0.1", port)) as bot:
        for times in range(1, 6):
            bot.sendall(request_bytes(b"{}", "/closes_after_it"))
            assert read_message(bot) == ECHO
            # Before that, nobody could know.
            eventually(partial(has_closed, times), "its end")
    assert len(upstream.requests) == before + 5


def test_a_webhook_that_closes_while_it_is_asked_is_not_asked_twice(proxied):
    """It may have acted on the request: a 502 is honest, a second payment is not."""
    _, port, upstream = proxied
    with socket.create_connection(("127.0.0.1", port)) as bot:
        bot.sendall(request_bytes(b"{}"))
        assert read_message(bot) == ECHO
        before = len(upstream.requests)
        bot.sendall(request_bytes(b"{}", "/closes"))
        assert read_message(bot).startswith(b"HTTP/1.1 502")
        assert len(upstream.requests) == before + 1


def test_many_failures_at_once_disturb_nobody(proxied):
    """Each bot gets what it is due."""
    _, port, _ = proxied
    got = {}
    names = [name for name in [*FAILING, *ODD] if name not in ("huge", "too_large_in_chunks")]
    bots = [
        threading.Thread(target=lambda name=name: got.update({name: post(port, b"{}", f"/{name}")})) for name in names
    ]
    for bot in bots:
        bot.start()
    for bot in bots:
        bot.join()
    for name, response in got.items():
        status = FAILING[name][1] if name in FAILING else int((ODD[name][1] or b"HTTP/1.1 200").split(b" ")[1][:3])
        assert response.startswith(b"HTTP/1.1 %d" % status), name
