"""What a person tells `aimyproxy diff`: paths, on the command line and in the recording's diff.json, and formats."""

from __future__ import annotations

import json

import pytest

from aimyproxy.store.recording import Recording
from tests import builders


@pytest.fixture
def versions(root):
    """Two recordings of one request, whose answers differ in an id, a total and the order of tags."""
    made = []
    for name, changes in (("old", {"id": 1, "total": 1.0, "tags": ["a", "b"]}), ("new", {"id": 2, "total": 1.005})):
        recording = Recording.create(root / name, None)
        answer = {"id": 1, "total": 1.0, "tags": ["b", "a"], **changes}
        recording.append(builders.exchange(answered=builders.response(answer)))
        recording.close()
        made.append(recording)
    return made


TOLD = ("--ignore", "$.id", "--tolerance", "$.total=0.01", "--set", "$.tags")


def test_rules_of_the_command_line(aimyproxy, versions):
    """Each leaves out its own; the report says what it was told."""
    assert aimyproxy("diff", "old", "new")[0] == 1
    status, out, _ = aimyproxy("diff", "old", "new", *TOLD)
    assert (status, out.splitlines()[0]) == (0, "No differences: 1 answer compared.")
    assert "As told: $.id is left out; $.total may differ by 0.01; $.tags is a set." in out
    status, out, _ = aimyproxy("diff", "old", "new", "--only", "$.id", "--format", "json")
    report = json.loads(out)
    assert [change["path"] for change in report["changes"]] == ["$.id"]
    assert (status, report["rules"]) == (1, ["only $.id is looked at"])


def test_rules_are_kept_with_the_recording(aimyproxy, versions):
    """The command line adds to them, and takes back."""
    path = versions[0].rules.path
    path.write_text(json.dumps({"$.id": {"ignore": True}, "$.tags": {"set": True}, "$.total": {"tolerance": "0.001"}}))
    status, out, _ = aimyproxy("diff", "old", "new")
    assert status == 1
    assert "$.total 1.0 → 1.005" in out
    assert "$.id" not in out.partition("As told")[0]
    assert aimyproxy("diff", "old", "new", "--tolerance", "$.total=0.01")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--ignore", "id"), "--ignore id: 'id' is no JSONPath: paths begin with $"),
        (("--tolerance", "$.a"), "--tolerance $.a: write the path, = and a value"),
        (("--tolerance", "$.a=much"), "--tolerance $.a=much: 'much' is no tolerance"),
        (("--key", "$.a="), "--key $.a=: $.a: key has to be a text"),
    ],
)
def test_what_makes_no_rule_is_refused(aimyproxy, versions, arguments, message):
    """In a sentence that names the option."""
    status, out, err = aimyproxy("diff", "old", "new", *arguments)
    assert (status, out) == (2, "")
    assert message in err


@pytest.mark.parametrize(
    ("style", "start"),
    [
        ("markdown", "**1 of 1 answer differs, in 1 of 1 event.**\n"),
        ("junit", '<?xml version="1.0" encoding="UTF-8"?>\n'),
    ],
)
def test_a_report_for_other_programs(aimyproxy, versions, tmp_path, style, start):
    """On standard output, or in a file; the exit status is the same."""
    status, out, _ = aimyproxy("diff", "old", "new", "--format", style)
    assert (status, out[: len(start)]) == (1, start)
    file = tmp_path / "report"
    status, nothing, err = aimyproxy("diff", "old", "new", "--format", style, "--output", file)
    assert (status, nothing, file.read_text(encoding="utf-8")) == (1, "", out)
    assert err == f"1 of 1 answer differs, in 1 of 1 event. The report is in {file}.\n"


@pytest.mark.parametrize("text", ["[]", "{", '{"$.a": 1}', '{"$.a": {"ignore": 1}}', '{"a": {"ignore": true}}'])
def test_broken_rules_are_named(aimyproxy, versions, text):
    """By file."""
    path = versions[0].rules.path
    path.write_text(text)
    status, _, err = aimyproxy("diff", "old", "new")
    assert status == 2
    assert str(path) in err
    assert "mocks" not in err


def test_an_event_may_be_called_as_it_likes(aimyproxy, versions):
    """Also as the table of another file is."""
    versions[0].hints.write({"mocks": {"pin": ["$.a"]}})
    assert aimyproxy("check", "old")[0] == 0


def test_check_reads_what_is_told_of_paths(aimyproxy, versions):
    """The rules of diff, and replay's hints."""
    assert aimyproxy("check", "old")[0] == 0
    versions[0].rules.path.write_text('{"$.a": {"ignore": 1}}')
    versions[0].hints.path.write_text('{"start": {"pin": ["x"]}}')
    status, out, _ = aimyproxy("check", "old")
    assert status == 1
    assert [line.split(": ")[1].rpartition("/")[2] for line in out.splitlines()] == ["hints.json:1:2", "diff.json"]
