"""The report for pull requests and CI servers: what it says, and that no value breaks its form."""

from __future__ import annotations

import re
from html import unescape
from xml.etree import ElementTree

from hypothesis import example, given
from hypothesis import strategies as st

from aimyproxy.diff import report_junit, report_markdown
from aimyproxy.diff.noise import Evidence, Noise
from aimyproxy.diff.rules import Rules
from aimyproxy.wording import printable
from tests.diff.test_report import answer, failed, pairs_of, report_on
from tests.strategies import objects

NASTY = ["|", "\\|", "`", "``a`", "<b>", "@all", "#1", "*a*", "]]>", "\x00", "\ud800", "a\nb", " ", "", "\u202e"]


def junit(report):
    return ElementTree.fromstring(report_junit.render(report).encode())


def cells(line):
    """The cells of a row as GitHub's Markdown splits it: at bars that no backslash escapes."""
    return re.findall(r"\|((?:\\[\\|`]|[^|])*)(?=\|)", line)


def test_markdown_says_what_changes():
    """The verdict, both sides, and a row for each change, most affected event first."""
    report = report_on(*pairs_of({"name": "John"}, {"name": "Jon"}, 4), *pairs_of({}, {"b": 1}, 2, "order", 20))
    assert report_markdown.render(report).splitlines() == [
        "**6 of 6 answers differ, in 2 of 2 events.**",
        "",
        "`shop` → `shop-v2`",
        "",
        "| event | what changes | answers | where |",
        "|---|---|---|---|",
        '| `start` | `$.name "John" → "Jon"` | (4 of 4) | exchanges 1, 2, 3, … |',
        "| `order` | `$.b added 1` | (2 of 2) | exchanges 20, 21 |",
    ]


def test_markdown_folds_up_what_is_no_difference():
    """Noise, what has no partner, what was not compared, and the rules."""
    noise = Noise({("start", "$.at"): Evidence(1, 1, 1, 1)})
    report = report_on(
        *pairs_of({"at": 1}, {"at": 2}, 1),
        (answer(7, {}), None),
        (None, answer(8, {}, "order")),
        (failed(9, "client_gone"), answer(9, {})),
        noise=noise,
        rules=Rules.parse({"$.id": {"ignore": True}}),
    )
    report.add_unsent("pay", 4, "refused")
    text = report_markdown.render(report)
    assert [line for line in text.splitlines() if "summary" in line] == [
        "<details><summary>Only in the baseline: 1 exchange</summary>",
        "<details><summary>Only in the candidate: 1 exchange</summary>",
        "<details><summary>Not compared, the bot hung up before an answer came: 1 exchange</summary>",
        "<details><summary>Could not be sent: 1 exchange</summary>",
        "<details><summary>Noise, not counted above: 1 path</summary>",
    ]
    assert text.endswith("As told: `$.id is left out`.\n")
    assert "| `start` | `$.at 1 → 2` | (1 of 1) | differs within the baseline in 1 of 1 |" in text


def test_a_comment_has_its_limits():
    """What has no room on GitHub is counted; the first change is the most important one."""
    noise = Noise({("start", f"$.n{number}"): Evidence(1, 1, 1, 1) for number in range(400)})
    values = {f"v{number}": "|" * 50 for number in range(400)}
    report = report_on(
        *pairs_of({f"n{number}": 1 for number in range(400)}, {**values, **{f"n{n}": 2 for n in range(400)}}, 1),
        *((answer(number, {}, f"event {number}"), None) for number in range(2, 900)),
        *((None, answer(number, {}, f"event {number}")) for number in range(2, 900)),
        noise=noise,
    )
    text = report_markdown.render(report)
    assert len(text) < 65_536
    rows = sum(line.startswith("| `start` | <code>") for line in text.splitlines())
    assert 0 < rows < 400
    assert f"\n\n… and {400 - rows} more.\n" in text
    assert text.count("… and ") == 4


@given(st.text() | st.sampled_from(NASTY))
@example("a\\|b")
def test_code_is_code_whatever_it_says(text):
    """One cell, one line, no markup; and what it says can be read again."""
    spelled = report_markdown.code(text)
    assert cells(f"| {spelled} | x |") == [f" {spelled} ", " x "]
    assert "\n" not in spelled
    if spelled.startswith("`"):
        assert spelled[1:-1] == printable(text)
        assert "`" not in spelled[1:-1]
    else:
        inside = spelled.removeprefix("<code>").removesuffix("</code>")
        assert unescape(inside) == printable(text)
        assert all(one.isalnum() for one in re.sub(r"&#\d+;", "", inside))


def test_junit_has_a_case_for_each_event():
    """Failed, in error, skipped or passed; the numbers agree."""
    report = report_on(
        *pairs_of({"a": 1}, {"a": 2}, 2),
        *pairs_of({"a": 1}, {"a": 1}, 3, "same", 10),
        (answer(7, {}, "alone"), None),
        (failed(9, "client_gone", "gone"), answer(9, {}, "gone")),
    )
    report.add_unsent("pay", 4, "refused")
    root = junit(report)
    found = {case.get("name"): [child.tag for child in case] for case in root.iter("testcase")}
    assert found == {"start": ["failure"], "same": [], "alone": ["failure"], "gone": ["skipped"], "pay": ["error"]}
    for suite in (root, root[0]):
        numbers = [suite.get(name) for name in ("tests", "failures", "errors", "skipped")]
        assert numbers == ["5", "2", "1", "1"]
    failure = root.find(".//testcase[@name='start']/failure")
    assert failure.get("message") == "2 of 2 answers differ"
    assert failure.text == "$.a 1 → 2 (2 of 2)  exchanges 1, 2"
    assert root.find(".//testcase[@name='alone']/failure").get("message") == "1 without a partner"
    assert root.find(".//testcase[@name='alone']/failure").text == "only in the baseline: exchange 7"
    assert root.find(".//system-out").text.startswith("2 of 5 answers differ, in 1 of 2 events.")


def test_junit_tells_of_noise_and_rules():
    """On the side: they fail no test."""
    noise = Noise({("start", "$.at"): Evidence(1, 1, 1, 1)})
    told = Rules.parse({"$.id": {"ignore": True}})
    root = junit(report_on(*pairs_of({"at": 1}, {"at": 2}, 1), noise=noise, rules=told))
    assert root.get("failures") == "0"
    assert root.find(".//system-out").text.splitlines()[1:] == ["noise: start: $.at 1 → 2", "as told: $.id is left out"]


@given(objects, objects, st.text() | st.sampled_from(NASTY))
def test_no_value_breaks_a_report(before, after, name):
    """Neither of a bot nor of a webhook nor of an event."""
    report = report_on((answer(1, {**before, "n": name}, name or "e"), answer(2, {**after, "n": 1}, name or "e")))
    root = junit(report)
    assert root.find(".//testcase/failure") is not None
    rows = [line for line in report_markdown.render(report).splitlines() if line.startswith("| ")]
    assert len(rows) == 1 + len(report.changes)
    assert all(len(cells(row)) == 4 for row in rows)
