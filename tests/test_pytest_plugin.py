"""The pytest plugin, in pytest runs of its own: as whoever tests a bot would use it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from aimyproxy.store.recording import Recording
from tests import readme
from tests.builders import exchange, request, response

ASKING = """
import json, urllib.request
import aimyproxy, pytest

def order(url, **variables):
    body = json.dumps({"action": "order", "userId": "u1", **variables}).encode()
    with urllib.request.urlopen(urllib.request.Request(url, body)) as reply:
        return json.load(reply)
"""


# What else is installed takes a second to import, and is not wanted here.
OTHERS = ("cacheprovider", "xdist", "xdist.looponfail", "pytest_cov", "hypothesispytest")


def pytest_in(folder, *arguments):
    """Exit status and output of a run with warnings as errors."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    without = [argument for name in OTHERS for argument in ("-p", f"no:{name}")]
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", *without, *map(str, arguments)]
    ended = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=60, env=environment
    )
    return ended.returncode, ended.stdout


@pytest.fixture
def project(tmp_path):
    """A folder with a recording and a way to run pytest in it."""
    recording = Recording.create(tmp_path / "recordings" / "shop", None)
    recording.append(exchange(request(action="order"), response({"total": 1180.5})))
    recording.close()

    def run(test, settings="", *arguments):
        (tmp_path / "test_bot.py").write_text(ASKING + test, encoding="utf-8")
        (tmp_path / "pytest.ini").write_text(f"[pytest]\n{settings}\n")
        return pytest_in(tmp_path, *arguments)

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

def test_all_are_stopped():
    import threading
    assert [thread.name for thread in threading.enumerate()] == ["MainThread"]
""")
    assert (status, "3 passed" in out) == (0, True), out


def test_a_failure_shows_what_was_asked(project):
    """With the explanation of what nothing answered."""
    status, out = project("""
def test_order(aimyproxy_replay):
    mock = aimyproxy_replay("shop")
    order(mock.url, pizza="Маргарита")
    with pytest.raises(OSError):
        order(mock.url, action="odrer")
    assert len(mock.requests(event="order")) == 2
""")
    assert status == 1
    assert "- aimyproxy replay shop -" in out
    assert " was asked 2 times:\n" in out
    assert '\n  1. order (u1) {"pizza": "Маргарита"} → 200, guess #1 {"total": 1180.5}\n' in out
    assert "\n  2. odrer (u1) {} → 404, miss\n" in out
    assert "\n      To answer it: aimyproxy mock shop odrer" in out


@pytest.mark.parametrize(
    "test",
    [
        'def test_order(aimyproxy_replay):\n    aimyproxy_replay("shop")\n    assert False',
        'def test_order():\n    with aimyproxy.replay("shop") as mock:\n        assert False',
        "@pytest.fixture\ndef mock(aimyproxy_replay):\n    aimyproxy_replay('shop')\n    0 / 0\n\ndef test(mock): ...",
    ],
    ids=["fixture", "context", "failing fixture"],
)
def test_a_failure_without_requests_says_so(project, test):
    """Perhaps the bot has another address."""
    status, out = project(test)
    assert (status, out.count(" was asked nothing.")) == (1, 1), out


def test_a_shared_mock_webhook_tells_of_the_failed_test_only(project):
    """What other tests asked it is theirs, and a test that asked nothing has nothing to tell."""
    status, out = project("""
@pytest.fixture(scope="module")
def shop(aimyproxy_recordings):
    with aimyproxy.replay("shop", recordings=aimyproxy_recordings) as mock:
        yield mock

def test_good(shop):
    order(shop.url, pizza="Пепперони")

def test_bad(shop):
    order(shop.url, pizza="Маргарита")
    assert False

def test_other():
    assert False
""")
    assert (status, out.count("aimyproxy replay shop")) == (1, 1), out
    assert " was asked 1 time:\n  2. order" in out
    assert "Пепперони" not in out.partition("was asked")[2]


@pytest.mark.parametrize("where", ["aimyproxy_recordings = elsewhere", "--aimyproxy-recordings=elsewhere"])
def test_the_folder_of_recordings_may_be_set(project, where):
    """In pytest's configuration or on its command line, relative to the root; a missing recording is a clear error."""
    (project.folder / "recordings").rename(project.folder / "elsewhere")
    test = """
def test_order(aimyproxy_replay):
    assert order(aimyproxy_replay("shop").url)["total"] == 1180.5
"""
    given = ("", where) if where.startswith("-") else (where,)
    assert project(test, *given)[0] == 0
    status, out = project(test)
    assert status == 1
    assert "RecordingNotFound: There is no recording shop in " in out
    assert project(test, "aimyproxy_recordings = nowhere", "--aimyproxy-recordings=elsewhere")[0] == 0


def test_who_does_not_use_it_pays_nothing(project):
    """Neither a server nor anything of aimyproxy but the plugin is imported, not even where a test fails."""
    status, out = project("""
def test_fails():
    assert False

def test_order():
    import sys
    ours = {name for name in sys.modules if name.startswith("aimyproxy")}
    assert ours == {"aimyproxy", "aimyproxy.pytest_plugin"}
    assert not {"uvicorn", "orjson", "tinydb"} & set(sys.modules)
""")
    assert (status, "1 failed, 1 passed" in out) == (1, True), out


def test_the_example_of_the_readme_passes_and_fails_as_it_should(tmp_path):
    """It passes; asked for what the recording has not got, its failure says what was asked."""
    shutil.copytree(readme.ROOT / "recordings" / "pizza", tmp_path / "recordings" / "pizza")
    test = tmp_path / "test_orders.py"
    example = readme.EXAMPLE.read_text(encoding="utf-8")
    test.write_text(example, encoding="utf-8")
    status, out = pytest_in(tmp_path)
    assert (status, "2 passed" in out) == (0, True), out
    test.write_text(example.replace('"action": "choose"', '"action": "chose"'), encoding="utf-8")
    status, out = pytest_in(tmp_path)
    assert (status, "2 failed" in out) == (1, True), out
    assert '\n  1. chose (u3) {"name": "Анна", "pizza": "Пепперони", "qty": 2} → 404, miss\n' in out
    assert '    The event "chose" is not in the recording.\n' in out
    assert "    To answer it: aimyproxy mock pizza chose --answer" in out
