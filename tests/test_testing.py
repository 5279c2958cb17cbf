"""A mock webhook inside a test."""

from __future__ import annotations

import http.client
import json
import logging
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from contextlib import suppress

import pytest

import aimyproxy
from aimyproxy.errors import BrokenFile, InvalidDocument, InvalidOption, ListenError, RecordingNotFound
from aimyproxy.store.recording import Recording
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
        assert miss.suggestion.startswith("To answer it: aimyproxy mock shop strat")


def test_mocks_are_added_and_taken_back(folder):
    """Later ones win over earlier ones and over the file's; the recording is as it was."""
    Recording(folder / "shop").mocks.add({"event": "start", "answer": {"from": "the file"}})
    before = {path: path.read_bytes() for path in (folder / "shop").iterdir()}
    with aimyproxy.replay("shop", recordings=folder) as mock:
        assert ask(mock.url)[1:] == ("mock; mock=1", {"from": "the file"})
        first = mock.add("start", {"from": "the first"})
        second = mock.add("start", {"from": "{{ name }}"}, status=202, headers=[("X-A", "b")])
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
    for options in ({"on_miss": "forward"}, {"target": "http://x/"}, {"latency": "soon"}, {"faults": [("a", "b")]}):
        with pytest.raises(InvalidOption), aimyproxy.replay("shop", recordings=folder, **options):
            pytest.fail("it started")
    with aimyproxy.replay("shop", recordings=folder) as mock:
        address = ("127.0.0.1", int(mock.url.rpartition(":")[2]))
        with pytest.raises(ListenError, match="is in use"), aimyproxy.replay("shop", recordings=folder, listen=address):
            pytest.fail("it started")
    (folder / "shop" / "exchanges.json").write_text("{}")
    with pytest.raises(BrokenFile), aimyproxy.replay("shop", recordings=folder):
        pytest.fail("it started")


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


def test_importing_aimyproxy_costs_nothing():
    """And it has no attributes that it doesn't have."""
    code = (
        "import sys, aimyproxy\n"
        "assert not {'uvicorn', 'orjson', 'asyncio', 'click', 'tinydb'} & set(sys.modules), 'heavy'\n"
        "assert 'replay' not in vars(aimyproxy)\n"
        "assert callable(aimyproxy.replay)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    with pytest.raises(AttributeError, match="no attribute 'record'"):
        aimyproxy.record  # noqa: B018
