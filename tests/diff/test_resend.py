from __future__ import annotations

import gzip
import json
import socket
import threading
import time
import zlib

import brotli
import pytest

from aimyproxy.diff.asking import headers_to_send
from aimyproxy.diff.resend import Pace, resend
from aimyproxy.errors import TargetError
from aimyproxy.exchange import ABSENT, Body, Request
from aimyproxy.target import Target
from tests import builders
from tests.processes import Upstream, answer, answering, free_port

JSON = b'{"a": 1}'
MARK = "Aimyproxy-Replay"
ECHO = answer(b'{"greeting": "Hi"}')


def sent(url, *exchanges, **options):
    results = []
    resend(list(enumerate(exchanges, 1)), Target.parse(url), results.append, Pace(**{"mark": MARK, **options}))
    return results


def of(user, action="start", **own):
    return builders.exchange(builders.request(userId=user, action=action, **own))


def plain(method="POST", path="/", headers=(), body=ABSENT):
    return builders.exchange(Request(method, path, headers, body))


def head_and_body(request):
    head, _, body = request.partition(b"\r\n\r\n")
    line, *headers = head.decode().split("\r\n")
    return line, dict(header.split(": ", 1) for header in headers), body


def test_the_request_goes_out_as_it_was_recorded():
    """Method, path, headers and body; less what belonged to the bot's connection; marked as a replay."""
    headers = (
        ("Content-Type", "application/json"),
        ("Host", "old.example.com"),
        ("Content-Length", "999"),
        ("Content-Encoding", "gzip"),
        ("Accept-Encoding", "zstd"),
        ("Transfer-Encoding", "chunked"),
        ("Connection", "keep-alive, X-Hop"),
        ("X-Hop", "1"),
        ("X-Имя", "Иван"),
        ("Cookie", "a=b"),
    )
    with Upstream(answering(ECHO)) as upstream:
        sent(upstream.url + "?key=1", plain("PUT", "/more?x=2", headers, Body.of('{"имя":"Иван"}'.encode())))
        line, received, body = head_and_body(upstream.requests[0])
    assert line == "PUT /bot/more?key=1&x=2 HTTP/1.1"
    assert body.decode() == '{"имя":"Иван"}'
    assert received == {
        "Host": f"127.0.0.1:{upstream.port}",
        "Content-Type": "application/json",
        "X-Имя": "Иван",
        "Cookie": "a=b",
        "Aimyproxy-Replay": "1",
        "Accept-Encoding": "gzip, deflate, br",
        "Content-Length": str(len(body)),
        "Connection": "close",
    }


def test_nothing_is_added_that_the_bot_did_not_send():
    """A GET without headers stays one, but for what HTTP needs and what marks the replay."""
    with Upstream(answering(ECHO)) as upstream:
        sent(upstream.url, plain("GET", "/"))
        line, received, body = head_and_body(upstream.requests[0])
    assert (line, body) == ("GET /bot HTTP/1.1", b"")
    assert set(received) == {"Host", "Aimyproxy-Replay", "Accept-Encoding", "Connection"}


def test_a_body_that_could_not_be_decoded_keeps_its_encoding():
    """It is sent as it came, so the header still describes it."""
    request = Request("POST", "/", (("Content-Encoding", "zstd"),), Body.of(b"\x28\xb5", encoded=True))
    assert headers_to_send(request, Target.parse("http://h/"), MARK)[0] == ("Content-Encoding", "zstd")


def test_user_and_password_of_the_target_win_over_the_recorded_ones():
    """The recorded ones are for the baseline."""
    request = Request("POST", "/", (("authorization", "Basic old"),), Body())
    headers = headers_to_send(request, Target.parse("http://john:secret@h/"), MARK)
    assert headers[0] == ("Authorization", "Basic am9objpzZWNyZXQ=")
    assert headers[1:] == [("Accept-Encoding", "gzip, deflate, br"), ("Aimyproxy-Replay", "1")]


def test_what_came_back_is_an_exchange():
    """The baseline's request, event and conversation with the candidate's response; times are filled in."""
    baseline = of("u1")
    with Upstream(answering(answer(b'{"a": 1}', b"X-Version: 2", status=b"201 Created"))) as upstream:
        (result,) = sent(upstream.url, baseline)
    candidate = result.candidate
    assert (result.id, result.baseline, result.reached) == (1, baseline, True)
    assert (candidate.request, candidate.event, candidate.conversation) == (
        baseline.request,
        baseline.event,
        baseline.conversation,
    )
    assert (candidate.response.status, candidate.response.body) == (201, Body("json", {"a": 1}))
    assert ("X-Version", "2") in candidate.response.headers
    assert candidate.failure is None
    assert candidate.at > baseline.at
    assert 0 < candidate.timing.upstream_ms < 10_000


@pytest.mark.parametrize(
    ("coding", "raw"),
    [
        (b"gzip", gzip.compress(JSON, mtime=0)),
        (b"X-GZip", gzip.compress(JSON, mtime=0)),
        (b"deflate", zlib.compress(JSON)),
        (b"deflate", zlib.compress(JSON, wbits=-15)),
        (b"br", brotli.compress(JSON)),
        (b"gzip, br", brotli.compress(gzip.compress(JSON, mtime=0))),
        (b"identity", JSON),
    ],
)
def test_compressed_answers_are_decoded(coding, raw):
    """The body is what the webhook said, not how it was packed."""
    with Upstream(answering(answer(raw, b"Content-Encoding: " + coding))) as upstream:
        (result,) = sent(upstream.url, of("u1"))
    assert result.candidate.response.body == Body("json", {"a": 1})


@pytest.mark.parametrize("coding", [b"gzip", b"deflate", b"br", b"zstd"])
def test_an_answer_that_can_not_be_decoded_is_kept_as_it_came(coding):
    """The proxy records it so, too."""
    with Upstream(answering(answer(b"packed?", b"Content-Encoding: " + coding))) as upstream:
        (result,) = sent(upstream.url, of("u1"))
    assert result.candidate.response.body == Body("text", "packed?", encoded=True)


def test_a_redirect_is_an_answer():
    """It is compared like any other and never followed."""
    with Upstream(answering(answer(b"", b"Location: /elsewhere", status=b"302 Found"))) as upstream:
        (result,) = sent(upstream.url, of("u1"))
        assert len(upstream.requests) == 1
    assert result.candidate.response.status == 302


def closing(first):
    def behave(connection, _):
        connection.sendall(first)
        return False

    return behave


def resetting(connection, _):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    return False


@pytest.mark.parametrize(
    ("behave", "kind"),
    [
        (closing(b""), "disconnect"),
        (closing(b"HTTP/1.1 200 OK\r\nContent-Le"), "disconnect"),
        (closing(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfive"), "disconnect"),
        (closing(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"), "disconnect"),
        (resetting, "disconnect"),
        (closing(b"garbage\r\n\r\n"), "protocol"),
        (answering(b""), "timeout"),
        (answering(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"), "timeout"),
    ],
)
def test_a_failure_is_named(behave, kind):
    """The request got through, so how it failed is how the webhook answers."""
    with Upstream(behave) as upstream:
        (result,) = sent(upstream.url, of("u1"), timeout=0.3)
    candidate = result.candidate
    assert (candidate.failure.kind, candidate.response, result.reached) == (kind, None, True)
    assert candidate.failure.message


def test_a_target_that_can_not_be_reached_stops_the_run():
    """After the first requests, not after the last one."""
    started = time.perf_counter()
    results = []
    with pytest.raises(TargetError, match=r"http://127\.0\.0\.1:\d+/bot can't be reached: Connection refused\."):
        resend(
            ((n, of(f"u{n}")) for n in range(100_000)),
            Target.parse(f"http://john:secret@127.0.0.1:{free_port()}/bot"),
            results.append,
            Pace(),
        )
    assert len(results) < 20
    assert time.perf_counter() - started < 5


def test_a_target_that_speaks_no_tls_is_told_in_a_sentence():
    """That names what is wrong, and nothing twice."""

    def plain(connection):
        with connection:
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    problem = r"https://127\.0\.0\.1:\d+/bot can't be reached: it speaks no TLS, or not ours \([a-z ]+\)\. Is"
    with Upstream(answering()) as upstream:
        upstream._serve = plain
        with pytest.raises(TargetError, match=problem):
            sent(upstream.url.replace("http:", "https:"), of("u1"))


def test_one_request_is_enough_to_tell_that_nobody_is_there():
    """A short recording does not pass for an answered one."""
    with pytest.raises(TargetError, match=r"the name nobody\.invalid can't be resolved"):
        sent("http://nobody.invalid/", of("u1"))


def test_a_webhook_that_dies_on_the_way_leaves_requests_unsent():
    """They are marked, the run goes on to its end."""

    def die(connection, _):
        upstream._listener.shutdown(socket.SHUT_RDWR)
        upstream._listener.close()
        connection.sendall(ECHO)
        return False

    upstream = Upstream(die)
    results = sent(upstream.url, *(of("u1", n=n) for n in range(5)))
    assert [result.reached for result in results] == [True, False, False, False, False]
    assert results[1].candidate.failure.kind == "connect"
    assert results[1].candidate.timing.upstream_ms is None


@pytest.mark.parametrize("request_", [plain(headers=(("X-Bad", "a\r\nX-Evil: 1"),)), plain(method="GET\r\nX: 1")])
def test_a_request_that_http_has_no_form_for_is_not_sent(request_):
    """A recording can't smuggle headers; the others are sent all the same."""
    with Upstream(answering(ECHO)) as upstream:
        results = sent(upstream.url, request_, plain("GET"), concurrency=1)
        assert [head_and_body(request)[0] for request in upstream.requests] == ["GET /bot HTTP/1.1"]
    assert [result.reached for result in results] == [False, True]
    assert "can't be sent" in results[0].candidate.failure.message


class Crowd:
    """A webhook that notes how many requests it has at once, and in which order each conversation's come."""

    def __init__(self):
        self.lock, self.now, self.most = threading.Lock(), 0, 0
        self.order = {}

    def __call__(self, connection, request):
        variables = Body.of(request.partition(b"\r\n\r\n")[2]).variables() or {}
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
            self.order.setdefault(variables.get("userId"), []).append(variables.get("n"))
        threading.Event().wait(0.02)
        with self.lock:
            self.now -= 1
        connection.sendall(ECHO)
        return True


def test_conversations_go_side_by_side_and_each_in_its_order():
    """At most as many requests at once as told; a conversation's next one waits for its answer."""
    exchanges = [of(f"u{n % 6}", n=n) for n in range(48)]
    with Upstream(crowd := Crowd()) as upstream:
        results = sent(upstream.url, *exchanges, concurrency=4)
    assert crowd.most == 4
    assert crowd.order == {f"u{user}": list(range(user, 48, 6)) for user in range(6)}
    assert sorted(result.id for result in results) == list(range(1, 49))


def test_requests_without_a_conversation_are_one_lane():
    """Nothing tells which of them belong together, so they keep their order."""
    exchanges = [builders.exchange(builders.request({"n": n})) for n in range(8)]
    with Upstream(crowd := Crowd()) as upstream:
        sent(upstream.url, *exchanges)
    assert (crowd.most, crowd.order) == (1, {None: list(range(8))})


def test_exchanges_are_read_as_they_are_needed():
    """A long recording isn't in memory at once."""
    read = []

    def long():
        for number in range(1500):
            read.append(number)
            yield number, of("one-user", n=number)

    ahead = []
    with Upstream(answering(ECHO)) as upstream:
        resend(long(), Target.parse(upstream.url), lambda _: ahead.append(len(read) - len(ahead)), Pace())
    assert len(ahead) == 1500
    assert max(ahead) <= 1002


def test_an_error_in_what_is_done_with_an_answer_ends_the_run():
    """As itself, not wrapped in a group."""

    def refuse(result):
        raise TargetError("full")

    with Upstream(answering(ECHO)) as upstream, pytest.raises(TargetError, match="full"):
        resend([(1, of("u1")), (2, of("u2"))], Target.parse(upstream.url), refuse, Pace())


def test_requests_are_repeated_one_right_after_the_other():
    """The answers to each stand beside the first one; the next request of the conversation comes after all of them."""
    with Upstream(answering(ECHO)) as upstream:
        results = sent(upstream.url, of("u1", n=1), of("u1", n=2), repeat=3)
        numbers = [json.loads(head_and_body(request)[2])["n"] for request in upstream.requests]
    assert numbers == [1, 1, 1, 2, 2, 2]
    assert [len(result.repeats) for result in results] == [2, 2]
    assert all(one.response.body == other.response.body for one, other in results[0].repeats)


def test_a_request_that_did_not_get_through_is_not_repeated():
    """There is nothing to hold against itself."""
    with Upstream(answering(ECHO)) as upstream:
        results = sent(upstream.url, of("u1"), plain(method="IN VALID"), repeat=2)
    assert {(result.reached, len(result.repeats)) for result in results} == {(True, 1), (False, 0)}


def test_the_rate_holds_for_all_lanes_together():
    """The first goes out at once, each other one its share of a second later, repeats among them."""
    with Upstream(answering(ECHO)) as upstream:
        started = time.monotonic()
        sent(upstream.url, *(of(f"u{n}") for n in range(4)), repeat=2, rate=20)
        assert time.monotonic() - started >= 7 / 20


@pytest.mark.parametrize("mark", ["X-Dry-Run", None])
def test_the_mark_of_a_replay_has_the_name_that_is_wanted(mark):
    """Or there is none; the bot's own header of that name does not count."""
    with Upstream(answering(ECHO)) as upstream:
        sent(upstream.url, plain(headers=(("x-dry-run", "bot"),)), mark=mark)
        _, headers, _ = head_and_body(upstream.requests[0])
    marks = {name: value for name, value in headers.items() if name.lower() in ("x-dry-run", "aimyproxy-replay")}
    assert marks == ({"X-Dry-Run": "1"} if mark else {"x-dry-run": "bot"})
