"""diff_recordings, diff_live and the command around them, in this process."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from aimyproxy import cli
from aimyproxy.diff import live, resend, run
from aimyproxy.diff.report_text import verdict
from aimyproxy.exchange import Body
from aimyproxy.store.folder import RecordingsFolder
from aimyproxy.store.recording import Recording
from aimyproxy.target import Target
from tests import builders
from tests.processes import Upstream, answer, free_port


@pytest.fixture
def root(tmp_path, monkeypatch):
    """The folder of recordings that the command uses."""
    monkeypatch.setenv("AIMYPROXY_RECORDINGS", str(tmp_path / "recordings"))
    return tmp_path / "recordings"


@pytest.fixture
def diff(root, capsys):
    """Run the command: `status, out, err = diff("shop", "shop-v2")`."""

    def call(*arguments):
        capsys.readouterr()
        status = cli.run(["diff", *map(str, arguments)])
        return (status, *capsys.readouterr())

    return call


def reply(variables, version):
    if variables["action"] == "start":
        return {**variables, "greeting": "Hi" if version == 1 else "Hello"}
    return variables


def record(root, name, version=1, users=3, events=("start", "choose")):
    recording = Recording.create(root / name, None)
    for user in range(users):
        for event in events:
            asked = builders.request(userId=f"u{user}", action=event)
            recording.append(builders.exchange(asked, builders.response(reply(asked.body.variables(), version))))
    recording.close()
    return recording


def hook(version):
    """A live webhook of this version."""

    def behave(connection, request):
        variables = Body.of(request.partition(b"\r\n\r\n")[2]).variables()
        connection.sendall(answer(json.dumps(reply(variables, version)).encode(), b"Content-Type: text/html"))
        return True

    return Upstream(behave)


CHANGED = '3 of 6 answers differ, in 1 of 2 events.\n\nstart: $.greeting "Hi" → "Hello" (3 of 3)  exchanges 1, 3, 5\n'


def test_two_recordings(root, diff):
    """The report is on standard output, the status says whether they differ."""
    record(root, "shop")
    record(root, "shop-v2", 2)
    assert diff("shop", "shop-v2") == (1, CHANGED, "")
    assert diff("shop", "shop") == (0, "No differences: 6 answers compared.\n", "")


def test_a_live_candidate(root, diff):
    """The same report, and the baseline stays as it was."""
    shop = record(root, "shop")
    before = shop.path.read_bytes()
    with hook(2) as candidate:
        assert diff("shop", "--target", candidate.url) == (1, CHANGED, "")
    with hook(1) as candidate:
        assert diff("shop", "--target", candidate.url) == (0, "No differences: 6 answers compared.\n", "")
    assert shop.path.read_bytes() == before
    assert sorted(path.name for path in root.iterdir()) == ["shop"]


def test_what_came_back_can_be_kept(root, diff):
    """As a recording like any other, so that it compares without the webhook."""
    record(root, "shop")
    with hook(2) as candidate:
        assert diff("shop", "--target", f"{candidate.url}?key=1", "--save", "kept")[0] == 1
    kept = Recording(root / "kept")
    assert kept.about()["target"] == f"{candidate.url}?key=***"
    assert len(kept) == 6
    assert diff("shop", "kept") == (1, CHANGED, "")
    assert diff("kept", "shop")[0] == 1


def test_a_name_that_is_taken_is_refused_before_anything_is_sent(root, diff):
    """Nothing is overwritten and nothing appended to."""
    record(root, "shop")
    with hook(2) as candidate:
        status, out, err = diff("shop", "--target", candidate.url, "--save", "shop")
        assert candidate.requests == []
    assert (status, out) == (2, "")
    assert "there is a recording shop already" in err


def test_an_unreachable_target_is_trouble(root, diff):
    """One sentence, status 2, and no empty recording is left behind."""
    record(root, "shop")
    status, out, err = diff("shop", "--target", f"http://127.0.0.1:{free_port()}/", "--save", "kept")
    assert (status, out) == (2, "")
    assert err.startswith("Error: http://127.0.0.1:")
    assert "can't be reached: Connection refused. Is the webhook running" in err
    assert not (root / "kept").exists()


def test_only_the_wanted_events(root, diff):
    """Of both recordings, or of what is sent."""
    record(root, "shop")
    record(root, "shop-v2", 2)
    assert diff("shop", "shop-v2", "--event", "choose")[:2] == (0, "No differences: 3 answers compared.\n")
    assert diff("shop", "shop-v2", "--event", "choose", "--event", "start")[1] == CHANGED
    with hook(2) as candidate:
        assert diff("shop", "--target", candidate.url, "--event", "choose")[0] == 0
        assert len(candidate.requests) == 3


def test_an_unknown_event_is_refused_with_the_known_ones(root, diff):
    """Before anything is sent; an event that only the candidate has is known."""
    record(root, "shop")
    record(root, "shop-v2", events=("start", "pay"))
    status, out, err = diff("shop", "shop-v2", "--event", "stat")
    assert (status, out) == (2, "")
    assert "--event stat: there is no such event; shop and shop-v2 have choose, pay, start." in err
    assert diff("shop", "shop-v2", "--event", "pay")[0] == 1
    with hook(2) as candidate:
        assert "shop has choose, start" in diff("shop", "--target", candidate.url, "--event", "pay")[2]
        assert candidate.requests == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["shop"], "Name either a second recording"),
        (["shop", "shop", "--target", "http://h/"], "Name either a second recording"),
        (["shop", "shop", "--save", "kept"], "--save is about how a webhook is asked"),
        (["shop", "shop", "--output", "nowhere/report"], "there is no folder"),
        (["shop", "nope"], "There is no recording nope"),
        (["nope", "shop"], "There is no recording nope"),
        (["shop", "--target", "h/bot"], "is no webhook's URL"),
        (["shop", "--target", "http://h/", "--save", "../x"], "can't be a recording's name"),
    ],
)
def test_wrong_usage_is_explained(root, diff, arguments, message):
    """Status 2, nothing on standard output."""
    record(root, "shop")
    status, out, err = diff(*arguments)
    assert (status, out) == (2, "")
    assert message in err


def test_the_report_goes_to_a_file(root, diff, tmp_path):
    """In either format, without colours; the verdict is said on standard error."""
    record(root, "shop")
    record(root, "shop-v2", 2)
    report = tmp_path / "report"
    status, out, err = diff("shop", "shop-v2", "--output", report)
    assert (status, out, report.read_text(encoding="utf-8")) == (1, "", CHANGED)
    assert err == f"3 of 6 answers differ, in 1 of 2 events. The report is in {report}.\n"
    assert diff("shop", "shop-v2", "--output", report, "--format", "json")[0] == 1
    assert json.loads(report.read_bytes())["differing"] == 3
    assert json.loads(diff("shop", "shop-v2", "--format", "json")[1])["exit_status"] == 1


def test_a_file_that_can_not_be_written_is_trouble(root, diff, tmp_path):
    """Named with its option."""
    record(root, "shop")
    (tmp_path / "folder").mkdir()
    status, _, err = diff("shop", "shop", "--output", Path("/dev/full"))
    assert status == 2
    assert "--output /dev/full can't be written: No space left on device." in err


def test_progress_is_told_answer_by_answer(root):
    """So many so far, of so many in all."""
    told = []
    with hook(1) as candidate:
        live.diff_live(
            RecordingsFolder(root),
            record(root, "shop"),
            Target.parse(candidate.url),
            progress=lambda *counts: told.append(counts),
        )
    assert told == [(n, 6) for n in range(1, 7)]


def test_an_interrupt_reports_what_there_is(root, monkeypatch):
    """And what was saved until then is kept."""
    original = resend.resend

    def interrupted(exchanges, *arguments, **options):
        original(list(exchanges)[:2], *arguments, **options)
        raise KeyboardInterrupt

    monkeypatch.setattr(resend, "resend", interrupted)
    folder, shop = RecordingsFolder(root), record(root, "shop")
    with hook(2) as candidate:
        report = live.diff_live(folder, shop, Target.parse(candidate.url), options=live.LiveOptions(save="kept"))
    assert (report.exit_status, report.compared.total(), len(folder.open("kept"))) == (130, 2, 2)


def test_noise_is_learned_from_the_baseline(root, diff):
    """A field that differs from user to user for no reason does not count when it changes."""
    for name, offset in (("shop", 0), ("again", 100)):
        recording = Recording.create(root / name, None)
        for user in range(4):
            asked = builders.request(userId=f"user-{user}")
            recording.append(builders.exchange(asked, builders.response({"token": offset + user, "fixed": 1})))
        recording.close()
    status, out, _ = diff("shop", "again")
    assert status == 0
    assert out.startswith("No differences, noise aside: 4 answers compared.\n")
    assert "start: $.token 0 → 100, … (4 of 4)  differs within the baseline in 3 of 3, a counter\n" in out


def test_a_baseline_without_exchanges_is_trouble(root, diff):
    """Nothing compared must not pass for nothing changed."""
    Recording.create(root / "empty", None)
    with hook(1) as candidate:
        status, out, _ = diff("empty", "--target", candidate.url)
    assert (status, out) == (2, "There is nothing to compare.\n")


def test_an_interrupted_comparison_of_recordings_reports_what_there_is(root, capsys):
    """As one of a live webhook does: the pairs up to then, and status 130."""
    one, other = record(root, "shop"), record(root, "shop-v2", version=2)

    def progress(done, _total):
        if done == 3:
            raise KeyboardInterrupt

    report = run.diff_recordings(one, other, progress=progress)
    assert report.exit_status == 130
    assert verdict(report) == "Interrupted after 3 pairs. 2 of 3 answers differ, in 1 of 2 events."
