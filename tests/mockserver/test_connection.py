"""Connections on which answers take their time, over raw sockets."""

from __future__ import annotations

import json
import socket
import ssl
from contextlib import contextmanager

import pytest
import trustme

from aimyproxy.answering.faults import Fault, Faults
from aimyproxy.mockserver.background import in_background
from aimyproxy.mockserver.limits import Limits
from aimyproxy.mockserver.onmiss import Explain
from aimyproxy.mockserver.server import Settings, mock_server
from aimyproxy.store.recording import Recording
from tests.builders import exchange, request, response
from tests.mockserver.observers import Remembering
from tests.processes import PATIENCE, eventually, read_message

LIMITS = Limits(head_seconds=0.2, body_seconds=0.2, idle_seconds=5, unread_seconds=0.5)


@contextmanager
def serving(folder, **settings):
    """The port, the server and what its observer hears."""
    recording = Recording.create(folder / "shop", "http://localhost")
    recording.append(exchange(request({"action": "quick"}), response({"n": 1})))
    recording.append(exchange(request({"action": "long"}), response({"text": "x" * 1_000_000})))
    recording.mocks.add({"event": "slow", "answer": {"slow": True}, "delay_ms": 300})
    observer = Remembering()
    with mock_server(Settings(("127.0.0.1", 0), **settings), recording, Explain(), observer) as server:
        with in_background(server):
            yield int(server.url.rpartition(":")[2]), server, observer
    recording.close()


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("recordings"), limits=LIMITS) as (port, _, _):
        yield port


def ask(event, *lines):
    body = json.dumps({"action": event}).encode()
    return (
        b"\r\n".join([b"POST / HTTP/1.1", b"Host: a", b"Content-Length: %d" % len(body), *lines]) + b"\r\n\r\n" + body
    )


def connected(port):
    return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)


def until_closed(bot):
    received = b""
    while more := bot.recv(65536):
        received += more
    return received


def answers(received):
    """The variables of all answers in it, in their order."""
    found = []
    while received:
        head, _, rest = received.partition(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        found.append(json.loads(rest[:length]))
        received = rest[length:]
    return found


def test_what_comes_behind_a_slow_answer_waits_for_it(port):
    """Answers have the order of the requests, whatever takes long."""
    with connected(port) as bot:
        bot.sendall(ask("quick") + ask("slow") + ask("quick") + ask("slow") + ask("quick", b"Connection: close"))
        received = answers(until_closed(bot))
    assert received == [{"n": 1}, {"slow": True}, {"n": 1}, {"slow": True}, {"n": 1}]


def test_a_word_is_said_in_its_turn(port):
    """Not while another answer is on its way; then at once."""
    with connected(port) as bot:
        bot.sendall(ask("slow") + b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 19\r\nExpect: 100-continue\r\n\r\n")
        received = b""
        while not received.endswith(b"HTTP/1.1 100 Continue\r\n\r\n"):
            received += bot.recv(65536)
        assert answers(received.removesuffix(b"HTTP/1.1 100 Continue\r\n\r\n")) == [{"slow": True}]
        bot.sendall(b'{"action": "quick"}')
        assert answers(read_message(bot)) == [{"n": 1}]


def test_a_refusal_comes_in_its_turn(port):
    """After the answers to what was before it."""
    with connected(port) as bot:
        bot.sendall(ask("slow") + ask("quick") + b"POST / HTTP/1.1\r\n\r\n" + ask("quick"))
        slow, quick, refused = answers(until_closed(bot))
    assert (slow, quick, list(refused)) == ({"slow": True}, {"n": 1}, ["error"])


def test_half_of_a_request_behind_a_slow_answer_may_come_later(port):
    """The clock for it stands still meanwhile."""
    whole = ask("quick", b"Connection: close")
    with connected(port) as bot:
        bot.sendall(ask("slow") + whole[:30])
        assert answers(read_message(bot)) == [{"slow": True}]
        bot.sendall(whole[30:])
        assert answers(until_closed(bot)) == [{"n": 1}]


def test_who_has_said_all_gets_a_slow_answer_too(port):
    """And all that it asked for; then the connection ends."""
    with connected(port) as bot:
        bot.sendall(ask("slow") + ask("quick"))
        bot.shutdown(socket.SHUT_WR)
        assert answers(until_closed(bot)) == [{"slow": True}, {"n": 1}]


def test_who_leaves_its_answers_unread_is_let_go(tmp_path):
    """With an end to what is kept for it."""
    with serving(tmp_path, limits=LIMITS) as (port, server, _), connected(port) as bot:
        bot.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        bot.sendall(ask("long") * 50)
        eventually(lambda: server.journal.total, "the first answer")
        assert server._server.server_state.connections
        eventually(lambda: not server._server.server_state.connections, "the end of the connection")
        assert server.journal.total < 50


def test_a_bot_that_hangs_up_is_forgotten(tmp_path):
    """What it asked for is known all the same."""
    with serving(tmp_path) as (port, server, observer):
        with connected(port) as bot:
            bot.sendall(ask("slow"))
            eventually(lambda: server._server.server_state.tasks or observer.all, "the task")
        eventually(lambda: not server._server.server_state.connections, "the end of the connection")
        eventually(lambda: [entry.source for entry in observer.all] == ["mock 1"], "the answer")
        eventually(lambda: not server._server.server_state.tasks, "the end of the task")


def test_the_end_waits_for_what_is_on_its_way(tmp_path):
    """What waits behind it is answered, too, and says that it is the last; idle connections end at once."""
    with serving(tmp_path) as (port, server, observer):
        with connected(port) as bot, connected(port) as idle, connected(port) as half:
            idle.sendall(ask("quick"))
            assert answers(read_message(idle)) == [{"n": 1}]
            half.sendall(ask("quick")[:-5])
            bot.sendall(ask("slow") + ask("quick"))
            eventually(lambda: server._server.server_state.tasks, "the task")
            server.stop()
            assert idle.recv(1) == b""
            half.sendall(ask("quick")[-5:])
            for connection, expected in ((bot, [{"slow": True}, {"n": 1}]), (half, [{"n": 1}])):
                received = until_closed(connection)
                assert answers(received) == expected
                assert received.count(b"Connection: close") == 1
    assert not observer.bad


@pytest.mark.parametrize(("kind", "length"), [("garbage", 24), ("empty", 0), ("503", 55)])
def test_a_head_has_no_body_though_a_fault_strikes(tmp_path, kind, length):
    """But its length; the connection goes on."""
    with serving(tmp_path, faults=Faults([("*", Fault(kind))])) as (port, _, _), connected(port) as bot:
        bot.sendall(
            b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n" * 2 + b"HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        )
        heads = until_closed(bot).split(b"\r\n\r\n")
    assert len(heads) == 4
    assert heads[-1] == b""
    assert all(b"Content-Length: %d" % length in head for head in heads[:-1])


def test_tls_is_spoken_with_slow_ones_too(tmp_path):
    """Requests in pieces, several at once, more than one answer at a time, an orderly end."""
    issued = trustme.CA()
    certificate = issued.issue_cert("localhost")
    certificate.private_key_and_cert_chain_pem.write_to_path(tmp_path / "both.pem")
    context = ssl.create_default_context()
    issued.configure_trust(context)
    with serving(tmp_path, cert=tmp_path / "both.pem") as (port, _, _):
        with context.wrap_socket(connected(port), server_hostname="localhost") as bot:
            sent = ask("quick") + ask("slow") + ask("long") + ask("quick", b"Connection: close")
            # One after the other: OpenSSL's connections are not for two threads at once.
            for at in range(0, len(sent), 7):
                bot.sendall(sent[at : at + 7])
            received = answers(until_closed(bot))
        assert [list(one) for one in received] == [["n"], ["slow"], ["text"], ["n"]]
        with context.wrap_socket(connected(port), server_hostname="localhost") as bot:
            bot.sendall(b"POST / HTTP/1.1\r\n\r\n")
            assert [list(one) for one in answers(until_closed(bot))] == [["error"]]
