"""A mock webhook inside a test."""

from __future__ import annotations

import asyncio
import http.client
import json
import logging
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from contextlib import suppress
from datetime import UTC, datetime

import pytest

import aimyproxy
from aimyproxy.errors import BrokenFile, InvalidDocument, InvalidOption, ListenError, RecordingNotFound
from aimyproxy.store.recording import Recording
from tests import readme
from tests.builders import START, exchange, request, response
from tests.processes import Upstream, answer, answering, eventually, free_port


@pytest.fixture
def folder(tmp_path):
    """Recordings with one, shop."""
    recording = Recording.create(tmp_path / "shop", "https://hook.example.com/bot")
    recording.append(exchange())
    recording.append(exchange(request(action="order"), response({"total": 1180.5}, status=201)))
    recording.close()
    return tmp_path


def ask(url, **changes):
    """Status, the header that says where the answer comes from, and the answer's JSON."""
    body = json.dumps({**START, **changes}).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body), timeout=10) as reply:
            return reply.status, reply.headers["Aimyproxy-Answer"], json.load(reply)
    except urllib.error.HTTPError as error:
        return error.code, error.headers["Aimyproxy-Answer"], json.load(error)


def test_a_recording_answers_and_tells_what_it_was_asked(folder):
    """The bot called `order` once, with these variables."""
    with aimyproxy.replay("shop", recordings=folder) as mock:
        ask(mock.url)
        assert ask(mock.url, action="order", pizza="Маргарита", userId="u2")[0] == 201
        ask(mock.url, action="strat")
        [order] = mock.requests(event="order")
        assert order.variables["pizza"] == "Маргарита"
        assert order.response.body.value["total"] == 1180.5
        assert [entry.event for entry in mock.requests(user="u2")] == ["order"]
        [miss] = mock.misses()
        assert miss.suggestion.startswith(f"To answer it: aimyproxy mock shop --recordings {folder} strat")


def test_mocks_are_added_and_taken_back(folder):
    """Later ones win over earlier ones and over the file's; the recording is as it was."""
    Recording(folder / "shop").mocks.add({"event": "start", "answer": {"from": "the file"}})
    before = {path: path.read_bytes() for path in (folder / "shop").iterdir()}
    with aimyproxy.replay("shop", recordings=folder) as mock:
        assert ask(mock.url)[1:] == ("mock; mock=1", {"from": "the file"})
        first = mock.add("start", {"from": "the first"})
        second = mock.add("start", {"from": "{{ name }}"}, status=202, headers={"X-A": "b"})
        assert ask(mock.url, name="Анна") == (202, "mock; mock=-2", {"from": "Анна"})
        special = mock.add("start", text="only vk", when={"$.channelType": "vk"}, delay_ms=1)
        third = mock.add("start", {"more": 1}, merge=True)
        assert ask(mock.url, name="Анна")[2] == {"from": "Анна", "more": 1}
        assert special.id == -3
        third.remove()
        second.remove()
        second.remove()
        assert ask(mock.url)[2] == {"from": "the first"}
        mock.add("start", fault="503")
        assert ask(mock.url)[0] == 503
        mock.reset()
        assert ask(mock.url)[2] == {"from": "the file"}
        assert len(mock.requests()) == 1
        first.remove()
    assert {path: path.read_bytes() for path in (folder / "shop").iterdir()} == before


def test_what_is_no_mock_is_refused(folder):
    """And changes nothing."""
    with aimyproxy.replay("shop", recordings=folder) as mock:
        with pytest.raises(InvalidDocument, match="status has to be"):
            mock.add("order", {}, status=99)
        assert ask(mock.url, action="order")[0] == 201


def test_an_edit_of_the_files_keeps_what_was_added(folder, caplog):
    """Both answer; the news go to the logger."""
    caplog.set_level(logging.INFO, "aimyproxy")
    with aimyproxy.replay("shop", recordings=folder) as mock:
        mock.add("start", {"from": "the test"})
        Recording(folder / "shop").mocks.add({"event": "order", "answer": {"from": "the file"}})
        eventually(lambda: ask(mock.url, action="order")[2].get("from") == "the file", "the edit")
        assert ask(mock.url)[2] == {"from": "the test"}
        (folder / "shop" / "mocks.json").write_text("{")
        eventually(lambda: "What was good before stays in use." in caplog.text, "the trouble")
    assert "Picked up an edit: 2 exchanges, 1 mock, 2 events." in caplog.text


def test_conversations_begin_anew_after_a_reset(folder):
    """The counters, too."""
    with aimyproxy.replay("shop", recordings=folder, after_last="miss") as mock:
        assert [ask(mock.url)[0] for _ in range(2)] == [200, 404]
        mock.reset()
        assert ask(mock.url)[0] == 200


def test_several_run_at_once(folder):
    """Each with its own address, journal and mocks."""
    with (
        aimyproxy.replay("shop", recordings=folder) as one,
        aimyproxy.replay("shop", recordings=folder, on_miss="empty") as other,
    ):
        one.add("start", {"one": 1})
        assert ask(one.url)[2] == {"one": 1}
        assert "one" not in ask(other.url)[2]
        assert ask(other.url, action="strat")[2] == {}
        assert (len(one.requests()), len(other.requests())) == (1, 2)


def test_options_are_those_of_the_command(folder):
    """Faults, latency, forwarding."""
    with Upstream(answering(answer(b'{"live": true}'))) as upstream:
        options = {"on_miss": "forward", "target": upstream.url, "latency": "1ms", "faults": [("order", "500")]}
        with aimyproxy.replay("shop", recordings=str(folder), fresh=True, **options) as mock:
            assert ask(mock.url, action="strat")[1:] == ("forward", {"live": True})
            assert ask(mock.url, action="order")[0] == 500


def test_what_keeps_it_from_starting_is_raised(folder):
    """In the test, as the command would have said it."""
    with pytest.raises(RecordingNotFound, match="nowhere"), aimyproxy.replay("nowhere", recordings=folder):
        pytest.fail("it started")
    for options, problem in (
        ({"on_miss": "forward"}, "needs target"),
        ({"target": "http://x/"}, "target is for"),
        ({"on_miss": "forward", "target": "x"}, "'x' is no webhook's URL"),
        ({"latency": "soon"}, "soon"),
        ({"faults": [("a", "b")]}, "'b' is no fault"),
        ({"match": "mostly"}, "match has to be one of exact, learned, event, not 'mostly'"),
        ({"after_last": "end"}, "after_last has to be one of last, cycle, miss"),
        ({"on_miss": "ignore"}, "on_miss has to be one of error, empty, forward"),
    ):
        with pytest.raises(InvalidOption, match=problem), aimyproxy.replay("shop", recordings=folder, **options):
            pytest.fail("it started")
    with aimyproxy.replay("shop", recordings=folder) as mock:
        address = ("127.0.0.1", int(mock.url.rpartition(":")[2]))
        with (
            pytest.raises(ListenError, match=r"is in use; .* with listen"),
            aimyproxy.replay("shop", recordings=folder, listen=address),
        ):
            pytest.fail("it started")
    (folder / "shop" / "exchanges.json").write_text("{}")
    with pytest.raises(BrokenFile), aimyproxy.replay("shop", recordings=folder):
        pytest.fail("it started")


def test_an_added_mock_is_json_and_a_copy(folder):
    """What no file could hold is refused; what the test does to its values later changes nothing."""
    deep = []
    for _ in range(300):
        deep = [deep]
    with aimyproxy.replay("shop", recordings=folder) as mock:
        for answer in ({"at": datetime.now(UTC)}, {"a", "b"}, float("nan"), deep):
            with pytest.raises(InvalidDocument, match="a mock has to be JSON: "):
                mock.add("start", answer)
        with pytest.raises(InvalidDocument, match="answer is missing"):
            mock.add("start")
        with pytest.raises(InvalidDocument, match="when: "):
            mock.add("start", {}, when={"no path [": 1})
        assert ask(mock.url)[0] == 200
        items = ["Маргарита"]
        assert mock.add("start", {"items": items}).id == -1
        items.append("Пепперони")
        assert ask(mock.url)[2] == {"items": ["Маргарита"]}
        mock.add("start", None, headers=[("X-A", "b"), ("X-A", "c")])
        assert ask(mock.url)[2] is None
        assert [value for name, value in mock.requests()[-1].headers if name == "X-A"] == ["b", "c"]


def test_a_mock_of_the_file_with_more_conditions_stays_ahead(folder):
    """Among those with as many, the added one wins."""
    mocks = Recording(folder / "shop").mocks
    mocks.add({"event": "start", "when": {"$.name": "Иван"}, "answer": {"from": "the file"}})
    with aimyproxy.replay("shop", recordings=folder) as mock:
        mock.add("start", {"from": "the test"})
        assert ask(mock.url)[2] == {"from": "the file"}
        assert ask(mock.url, name="Анна")[2] == {"from": "the test"}
        mock.add("start", {"from": "the test"}, when={"$.name": "Иван"})
        assert ask(mock.url)[2] == {"from": "the test"}


def test_a_miss_is_logged_with_what_would_help(folder, caplog):
    """Unless the test said that misses are fine; other requests are for those who debug."""
    with aimyproxy.replay("shop", recordings=folder) as mock:
        ask(mock.url, action="strat")
    [record] = caplog.records
    assert (record.name, record.levelname) == ("aimyproxy", "WARNING")
    assert 'The event "strat" is not in the recording. To answer it: aimyproxy mock' in record.message
    caplog.clear()
    caplog.set_level(logging.DEBUG, "aimyproxy")
    with aimyproxy.replay("shop", recordings=folder, on_miss="empty") as mock:
        ask(mock.url, action="strat")
        ask(mock.url, name="Анна")
    assert [(record.levelname, record.message.split()[1]) for record in caplog.records] == [
        ("DEBUG", "strat"),
        ("DEBUG", "start"),
    ]


def test_what_can_never_answer_is_logged_at_the_start(folder, caplog):
    """As the command would show it."""
    Recording(folder / "shop").mocks.add({"event": "start", "from_exchange": 9, "answer": {}})
    with aimyproxy.replay("shop", recordings=folder):
        assert "edits exchange 9, which is not in the recording" in caplog.text


def test_the_report_tells_what_was_asked_and_answered(folder):
    """The author's variables, the effect, and what would help; the latest requests only."""
    with aimyproxy.replay("shop", recordings=folder) as mock:
        assert repr(mock) == f"<MockWebhook shop {mock.url}>"
        assert mock.report() == f"{mock.url} was asked nothing."
        mock.add("order", {"total": "x" * 1000}, when={"$.pizza": "\x9b31m"})
        mock.add("bye", fault="reset")
        ask(mock.url)
        ask(mock.url, action="order", pizza="\x9b31m", userId="u1")
        ask(mock.url, action="strat", name=None)
        with pytest.raises(ConnectionError):
            ask(mock.url, action="bye")
        with suppress(urllib.error.HTTPError):
            urllib.request.urlopen(mock.url + "/x", b"\xff")
        heading, start, order, miss, *explained, bye, other, _, _ = mock.report().split("\n")
        assert heading == f"{mock.url} was asked 5 times:"
        assert start == f'  1. start ({START["userId"]}) {{"name": "Иван"}} → 200, exact #1 {{"greeting": "Привет"}}'
        assert order.startswith('  2. order (u1) {"name": "Иван", "pizza": "\\u009b31m"} → 200, mock -1 {"total": "xxx')
        assert len(order) < 400
        assert miss.endswith('{"name": null} → 404, miss')
        assert explained[0] == '    The event "strat" is not in the recording.'
        assert "To answer it: aimyproxy mock shop" in explained[-1]
        assert bye.endswith('{"name": "Иван"} → no answer, fault reset')
        assert other == "  5. POST /x 1 byte → 404, miss"
        assert mock.report(after=5) == f"{mock.url} was asked nothing."
        with suppress(urllib.error.HTTPError):
            urllib.request.urlopen(mock.url)
        assert "  6. GET / → 404, miss\n" in mock.report(after=5)
        for _ in range(19):
            ask(mock.url)
        heading, first, *_, last = mock.report().split("\n")
        assert heading == f"{mock.url} was asked 25 times, the latest 20:"
        assert (first[:5], last[:5]) == ("  6. ", "  25.")


def test_an_event_loop_of_the_test_goes_on(folder):
    """The mock webhook has a loop of its own."""

    async def talk():
        with aimyproxy.replay("shop", recordings=folder) as mock:
            mock.add("start", {"late": True}, delay_ms=50)
            return await asyncio.gather(*(asyncio.to_thread(ask, mock.url) for _ in range(3)))

    assert asyncio.run(talk()) == [(200, "mock; mock=-1", {"late": True})] * 3


def test_it_leaves_the_program_as_it_is(folder):
    """Its signals, and the loggers of an application that uses uvicorn too."""
    loggers = [logging.getLogger(f"uvicorn.{name}") for name in ("error", "access", "asgi")]

    def state():
        handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
        return handlers, [(one.level, one.propagate, list(one.handlers), list(one.filters)) for one in loggers]

    before = state()
    with aimyproxy.replay("shop", recordings=folder) as mock:
        ask(mock.url)
        handlers, logging_then = state()
        assert handlers == before[0]
        assert [one[:3] for one in logging_then] == [one[:3] for one in before[1]]
    assert state() == before


def test_nothing_in_flight_holds_up_the_end(folder):
    """A slow answer, a request that never becomes whole, a target that doesn't answer."""
    release = threading.Event()
    with Upstream(lambda *_: release.wait(60)) as upstream:
        with aimyproxy.replay("shop", recordings=folder, on_miss="forward", target=upstream.url) as mock:
            mock.add("start", {}, delay_ms=60_000)
            host, port = mock.url.removeprefix("http://").split(":")
            whole = b'{"action": "%s"}'
            connections = []
            for body in (whole % b"start", whole % b"strat", b'{"ac'):
                connections.append(socket.create_connection((host, int(port))))
                connections[-1].sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 19\r\n\r\n" + body)
            eventually(lambda: upstream.requests, "the target")
            begun = time.monotonic()
        # Without a limit it would be a minute, and uvicorn's patience as the command has it ten seconds.
        assert time.monotonic() - begun < 8
        release.set()
    for connection in connections:
        connection.close()


def test_the_end_is_prompt_and_leaves_nothing(folder):
    """Also with a connection that a client keeps open, and after an exception in the test."""
    threads = threading.active_count()
    begun = time.monotonic()
    with suppress(ZeroDivisionError), aimyproxy.replay("shop", recordings=folder) as mock:
        connection = http.client.HTTPConnection(mock.url.removeprefix("http://"))
        connection.request("POST", "/", json.dumps(START))
        connection.getresponse().read()
        raise ZeroDivisionError
    # An open connection would hold uvicorn up for ten seconds.
    assert time.monotonic() - begun < 8
    assert threading.active_count() == threads
    connection.close()
    with aimyproxy.replay("shop", recordings=folder, listen=("127.0.0.1", free_port())) as mock:
        assert ask(mock.url)[0] == 200


TYPED = """
import aimyproxy

with aimyproxy.replay("shop", match="exact", recordings="here") as mock:
    added: aimyproxy.AddedMock = mock.add("order", {"sold": "out"}, when={"$.item": "x"}, headers={"a": "b"})
    added.remove()
    entries: list[aimyproxy.Entry] = mock.requests(event="order")
    suggestion: str = mock.misses()[0].suggestion
aimyproxy.replya("shop")
aimyproxy.replay("shop", match="most")
"""


def test_type_checkers_know_it_all(tmp_path):
    """mypy --strict finds the two mistakes and nothing else."""
    (tmp_path / "typed.py").write_text(TYPED)
    # What mypy knows of the product from its last run there takes seconds to find out anew.
    cache = ["--cache-dir", str(readme.ROOT / ".mypy_cache")]
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", *cache, "typed.py"]
    checked = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    first, second = checked.stdout.splitlines()
    assert first.startswith('typed.py:9: error: Module has no attribute "replya"')
    assert second.startswith('typed.py:10: error: Argument "match" to "replay" has incompatible type')


def test_importing_aimyproxy_costs_nothing():
    """And it has no attributes that it doesn't have."""
    code = (
        "import sys, aimyproxy\n"
        "assert not {'uvicorn', 'orjson', 'asyncio', 'click', 'tinydb'} & set(sys.modules), 'heavy'\n"
        "assert 'replay' not in vars(aimyproxy)\n"
        "assert all(getattr(aimyproxy, name) for name in aimyproxy.__all__)\n"
        "from aimyproxy import replay\n"
        "assert replay.__module__ == 'aimyproxy.testing'\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    with pytest.raises(AttributeError, match="no attribute 'record'"):
        aimyproxy.record  # noqa: B018 - to see it fail
