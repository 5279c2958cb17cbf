"""What is sent, what makes a diff fail, and where its reports go."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import pytest

from aimyproxy.exchange import Body, Timing
from aimyproxy.store.recording import Recording
from tests import builders
from tests.processes import Upstream, answer


def record(root, name, made, users=4, events=("start", "pay"), took=40.0):
    recording = Recording.create(root / name, None)
    for user in range(users):
        for event in events:
            asked = builders.request(userId=f"u{user}", action=event)
            answered = builders.exchange(asked, made(user, event))
            recording.append(replace(answered, timing=Timing(took + user, took + user)))
    recording.close()


def webhook(**changes):
    """What answers the same each time, less what is changed; None takes a variable away."""

    def made(_, __):
        answered = {"total": 5, "text": "Hi", **changes}
        status = answered.pop("status", 200)
        return builders.response({name: value for name, value in answered.items() if value is not None}, status)

    return made


@pytest.fixture
def old(root):
    record(root, "old", webhook())


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"promo": 1}, "added"),
        ({"text": None}, "removed"),
        ({"total": 6}, "changed"),
        ({"total": "5"}, "changed"),
        ({"status": 500}, "status"),
    ],
)
def test_a_diff_fails_on_what_it_is_told_to(aimyproxy, root, old, changes, cause):
    """The report says all the same what differs."""
    record(root, "new", webhook(**changes))
    assert aimyproxy("diff", "old", "new")[0] == 1
    assert aimyproxy("diff", "old", "new", "--fail-on", cause)[0] == 1
    causes = ["added", "removed", "changed", "status", "failure", "alone", "slower"]
    others = ",".join(other for other in causes if other != cause)
    status, out, _ = aimyproxy("diff", "old", "new", "--fail-on", others)
    assert (status, out.partition("\n")[0]) == (0, "8 of 8 answers differ, in 2 of 2 events.")
    assert f"As told: fails on {others.replace(',', ', ')}." in out


def test_so_many_changes_may_pass(aimyproxy, root, old):
    """Counted are the lines of the report, here one for each event, and events with exchanges without a partner."""
    record(root, "new", webhook(total=6), events=("start", "pay", "more"))
    assert [aimyproxy("diff", "old", "new", "--max-changes", most)[0] for most in (0, 2, 3)] == [1, 1, 0]
    assert "lets 3 changes pass" in aimyproxy("diff", "old", "new", "--max-changes", 3)[1]
    assert aimyproxy("diff", "old", "new", "--max-changes", 1, "--fail-on", "alone")[0] == 0
    assert aimyproxy("diff", "old", "new", "--fail-on", "alone")[0] == 1


def test_slower_answers_are_told_and_fail_if_wanted(aimyproxy, root):
    """Not by default: how long a test machine takes says little."""
    record(root, "old", webhook(), users=12)
    record(root, "new", webhook(), users=12, took=90.0)
    status, out, _ = aimyproxy("diff", "old", "new")
    assert status == 0
    assert "Clearly slower: 2 events\n  pay: median 46 → 96 ms, 95% within 51 → 101 ms, of 12\n" in out
    assert aimyproxy("diff", "old", "new", "--fail-on", "slower")[0] == 1
    assert aimyproxy("diff", "new", "old", "--fail-on", "slower")[0] == 0
    assert "- `pay`: median 46 → 96 ms" in aimyproxy("diff", "old", "new", "--format", "markdown")[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--fail-on", "added,slow"), "'slow': choose among added, removed, changed, status, failure, alone, slower"),
        (("--sample", "0%"), "0%: write a share above 0, up to all, as 10% or 0.1"),
        (("--sample", "nan"), "nan: write a share"),
        (("--sample", "ten"), "ten: write a share"),
        (("--replay-header", "a b"), "a b: that is no header's name"),
        (("--repeat", "2"), "--repeat is about how a webhook is asked: it needs --target URL."),
        (("--dry-run",), "--dry-run is about how a webhook is asked: it needs --target URL."),
        (("--user", "nobody"), "--user nobody: no exchange that was chosen is of such a userId."),
    ],
)
def test_wrong_options_are_explained(aimyproxy, old, arguments, message):
    """Status 2."""
    status, out, err = aimyproxy("diff", "old", "old", *arguments)
    assert (status, out) == (2, "")
    assert message in " ".join(err.split())


def noisy(connection, request):
    """A webhook that rolls a dice."""
    variables = Body.of(request.partition(b"\r\n\r\n")[2]).variables()
    made = {"total": 5, "text": "Hi", "dice": random.randrange(10**9)}
    connection.sendall(
        answer(json.dumps(made if variables["action"] == "pay" else {"total": 5, "text": "Hi"}).encode())
    )
    return True


def test_asked_twice_a_candidate_shows_its_noise(aimyproxy, root):
    """Asked once, it seems to differ."""
    dice = random.Random(1)
    record(
        root,
        "old",
        lambda _, event: builders.response(
            {"total": 5, "text": "Hi", **({"dice": dice.randrange(10**9)} if event == "pay" else {})}
        ),
        users=1,
    )
    with Upstream(noisy) as upstream:
        assert aimyproxy("diff", "old", "--target", upstream.url)[0] == 1
        assert len(upstream.requests) == 2
        status, out, _ = aimyproxy("diff", "old", "--target", upstream.url, "--repeat", 3)
        assert len(upstream.requests) == 8
    assert status == 0
    assert "(1 of 1)  differs when asked again in 2 of 2" in out


def test_what_is_sent_can_be_bounded(aimyproxy, old):
    """By event, user and share; with a mark of another name."""
    with Upstream(noisy) as upstream:
        chosen = ("--event", "start", "--user", "u1", "--user", "u2", "--replay-header", "X-Test", "--rate", 1000)
        status, out, _ = aimyproxy("diff", "old", "--target", upstream.url, *chosen)
        assert (status, out) == (0, "No differences: 2 answers compared.\n")
        assert all(b"\r\nX-Test: 1\r\n" in request for request in upstream.requests)


def test_a_share_of_the_conversations_is_sent(aimyproxy, root):
    """Whole ones."""
    record(root, "many", webhook(), users=40)
    with Upstream(noisy) as upstream:
        aimyproxy("diff", "many", "--target", upstream.url, "--sample", "30%", "--fail-on", "status")
        sent = [Body.of(request.partition(b"\r\n\r\n")[2]).variables()["userId"] for request in upstream.requests]
    assert 4 < len(set(sent)) < 25
    assert all(sent.count(user) == 2 for user in sent)


def test_a_dry_run_says_what_would_be_sent(aimyproxy, old):
    """And sends nothing; status 0."""
    with Upstream(noisy) as upstream:
        target = ("--target", upstream.url)
        status, out, _ = aimyproxy("diff", "old", *target, "--dry-run", "--user", "u1", "--rate", 5, "--repeat", 2)
        unmarked = aimyproxy("diff", "old", *target, "--dry-run", "--replay-header", "")[1]
        assert upstream.requests == []
    assert status == 0
    assert out == (
        f"Would send 2 requests of 1 conversation to {upstream.url}, each 2 times, 8 side by side, at most 5 a second, "
        "with the header Aimyproxy-Replay: 1. Nothing was sent.\n  pay: 1\n  start: 1\n"
    )
    assert "8 requests of 4 conversations" in unmarked
    assert "with no header that marks them" in unmarked


def test_several_reports_of_one_run(aimyproxy, root, old, tmp_path):
    """Each in the format that its name says."""
    record(root, "new", webhook(total=6))
    names = ("a.html", "a.json", "a.md", "a.xml", "a.txt")
    outputs = [argument for name in names for argument in ("--output", tmp_path / name)]
    status, out, err = aimyproxy("diff", "old", "new", *outputs)
    assert (status, out) == (1, "")
    starts = [(tmp_path / name).read_text()[:15] for name in names]
    assert starts == ["<!doctype html>", '{\n  "version": ', "**8 of 8 answer", '<?xml version="', "8 of 8 answers "]
    listed = ", ".join(str(tmp_path / name) for name in names[:-1])
    assert err == f"8 of 8 answers differ, in 2 of 2 events. The report is in {listed} and {tmp_path / 'a.txt'}.\n"
