"""The pytest plugin, in pytest runs of its own: as whoever tests a bot would use it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from aimyproxy.store.recording import Recording
from tests.builders import exchange, request, response

ASKING = """
import json, urllib.request

def order(url, **variables):
    body = json.dumps({"action": "order", "userId": "u1", **variables}).encode()
    with urllib.request.urlopen(urllib.request.Request(url, body)) as reply:
        return json.load(reply)
"""


@pytest.fixture
def project(tmp_path):
    """A folder with a recording and a way to run pytest in it."""
    recording = Recording.create(tmp_path / "recordings" / "shop", None)
    recording.append(exchange(request(action="order"), response({"total": 1180.5})))
    recording.close()

    def run(test, settings=""):
        (tmp_path / "test_bot.py").write_text(ASKING + test, encoding="utf-8")
        (tmp_path / "pytest.ini").write_text(f"[pytest]\n{settings}\n")
        command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider"]
        ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
        return ended.returncode, ended.stdout

    run.folder = tmp_path
    return run


def test_a_bot_is_tested_against_its_recording(project):
    """Nothing to import, nothing to stop."""
    status, out = project("""
def test_order(aimyproxy_replay):
    mock = aimyproxy_replay("shop")
    assert order(mock.url, pizza="Маргарита")["total"] == 1180.5
    [asked] = mock.requests(event="order")
    assert asked.variables["pizza"] == "Маргарита"

def test_two(aimyproxy_replay):
    one, other = aimyproxy_replay("shop"), aimyproxy_replay("shop", on_miss="empty")
    one.add("order", {"total": 0})
    assert order(one.url)["total"] == 0
    assert order(other.url)["total"] == 1180.5
""")
    assert (status, "2 passed" in out) == (0, True), out


def test_a_failure_shows_what_was_asked(project):
    """With the explanation of what nothing answered."""
    status, out = project("""
def test_order(aimyproxy_replay):
    mock = aimyproxy_replay("shop")
    order(mock.url)
    try:
        order(mock.url, action="odrer")
    except OSError:
        pass
    assert len(mock.requests(event="order")) == 2
""")
    assert status == 1
    assert "aimyproxy replay shop" in out
    assert "1. order: 200, " in out
    assert "2. odrer: 404, miss" in out
    assert "To answer it: aimyproxy mock shop odrer" in out


def test_a_failure_without_requests_says_so(project):
    """Perhaps the bot has another address."""
    status, out = project("""
def test_order(aimyproxy_replay):
    aimyproxy_replay("shop")
    assert False
""")
    assert (status, "(no requests)" in out) == (1, True)


def test_many_requests_are_cut(project):
    """The latest ones are shown."""
    _, out = project("""
def test_order(aimyproxy_replay):
    mock = aimyproxy_replay("shop")
    for _ in range(53):
        order(mock.url)
    assert False
""")
    assert "(3 requests before)" in out
    assert "53. order" in out
    assert "\n3. order" not in out


def test_the_folder_of_recordings_may_be_set(project):
    """In pytest's configuration, relative to the root; a missing recording is a clear error."""
    (project.folder / "recordings").rename(project.folder / "elsewhere")
    test = """
def test_order(aimyproxy_replay):
    assert order(aimyproxy_replay("shop").url)["total"] == 1180.5
"""
    assert project(test, "aimyproxy_recordings = elsewhere")[0] == 0
    status, out = project(test)
    assert status == 1
    assert "RecordingNotFound" in out


def test_who_does_not_use_it_pays_nothing(project):
    """No server is imported."""
    status, out = project("""
def test_order():
    import sys
    assert not {"uvicorn", "orjson", "tinydb"} & set(sys.modules)
""")
    assert status == 0, out
