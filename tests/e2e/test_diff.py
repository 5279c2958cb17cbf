"""`aimyproxy diff` as a process of its own, against webhooks in processes of their own."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import sys
import threading

import pytest

from aimyproxy.store.recording import Recording
from tests import builders
from tests.processes import Upstream, aimyproxy, answer, run, webhook


@pytest.fixture
def root(tmp_path, monkeypatch):
    """The folder of recordings that the commands use."""
    monkeypatch.setenv("AIMYPROXY_RECORDINGS", str(tmp_path))
    return tmp_path


def record(root, users, *events):
    """Requests that nobody has answered yet: a recording to be re-sent."""
    recording = Recording.create(root / "asked", None)
    for event in events:
        for user in range(users):
            asked = builders.request(userId=f"telegram-{user}", action=event, name="Иван")
            recording.append(builders.exchange(asked))
    recording.close()


def test_versions_of_a_real_webhook(root):
    """Version 1 against itself is the same, noise aside; version 2 is not, live or from recordings."""
    record(root, 6, "start", "menu", "choose", "order")
    with webhook(1) as url:
        assert run("diff", "asked", "--target", url, "--save", "v1").process.returncode == 1
    with webhook(1) as url:
        again = run("diff", "v1", "--target", url)
        assert (again.process.returncode, again.stderr) == (0, [])
        assert again.stdout[0].startswith("No differences")
    with webhook(2) as url:
        live = run("diff", "v1", "--target", url, "--save", "v2", "--concurrency", 3)
    assert live.process.returncode == 1
    offline = run("diff", "v1", "v2")
    assert (offline.process.returncode, offline.stdout) == (1, live.stdout)
    as_json = json.loads("\n".join(run("diff", "v1", "v2", "--format", "json").stdout))
    assert as_json["compared"] == 24
    assert as_json["verdict"] == live.stdout[0]


def test_an_interrupt_ends_the_run_with_its_report(root):
    """What came back until then is reported and kept; status 130."""
    record(root, 4, "start", "menu")
    blocked = threading.Event()

    def behave(connection, _):
        if len(upstream.requests) > 3:
            blocked.set()
            return threading.Event().wait(30)
        connection.sendall(answer(b"{}"))
        return True

    with Upstream(behave) as upstream:
        with aimyproxy("diff", "asked", "--target", upstream.url, "--concurrency", 1, "--save", "kept") as process:
            assert blocked.wait(30)
            assert process.stop(signal.SIGINT) == 130
        assert process.stdout[0].startswith("Interrupted after 3 of 8 requests. ")
        assert process.stderr == []
    assert len(Recording(root / "kept")) == 3


def test_a_terminal_shows_progress_and_colours(root):
    """The count is wiped before the report; elsewhere there is neither."""
    record(root, 3, "start")
    main, side = pty.openpty()
    with Upstream(lambda connection, _: connection.sendall(answer(b"{}")) or True) as upstream:
        command = [sys.executable, "-m", "aimyproxy", "diff", "asked", "--target", upstream.url]
        child = os.posix_spawn(
            sys.executable,
            command,
            {**os.environ, "NO_COLOR": ""},
            file_actions=[(os.POSIX_SPAWN_DUP2, side, 1), (os.POSIX_SPAWN_DUP2, side, 2)],
        )
        os.close(side)
        shown = b""
        while not os.waitpid(child, os.WNOHANG)[0] or b"exchanges" not in shown:
            try:
                shown += os.read(main, 65536)
            except OSError:
                break
    os.close(main)
    text = shown.decode()
    progress, _, report = text.rpartition("\r\x1b[K\x1b[1m3 of 3 answers differ")
    assert re.search(r"\r\x1b\[K█{20} 3 of 3 compared, \d+ a second, 0 s left$", progress)
    assert report
    assert "\x1b[31m$.greeting removed" in text


def test_the_help_costs_nothing(root):
    """Neither aiohttp nor mitmproxy is loaded to show it or to refuse a wrong use."""
    code = (
        "import sys; from aimyproxy import cli; cli.run(['diff', '--help']); cli.run(['diff', 'x']);"
        "sys.exit(bool({'aiohttp', 'mitmproxy', 'rich'} & set(sys.modules)))"
    )
    assert os.spawnv(os.P_WAIT, sys.executable, [sys.executable, "-c", code]) == 0
