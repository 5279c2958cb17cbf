from __future__ import annotations

import json

import pytest

from aimyproxy.diff import report_json, report_text
from aimyproxy.diff.answers import answer_of
from aimyproxy.diff.noise import Evidence, Noise
from aimyproxy.diff.pairs import Pair
from aimyproxy.diff.report import Report
from aimyproxy.diff.wording import described, event_name
from aimyproxy.exchange import Failure
from aimyproxy.wording import shortened
from tests import builders
from tests.diff.test_structure import patched


def answer(identity, variables, event="start", status=200):
    asked = builders.request(action=event)
    return answer_of(identity, builders.exchange(asked, builders.response(variables, status)))


def failed(identity, kind, event="start"):
    return answer_of(identity, builders.exchange(builders.request(action=event), failure=Failure(kind, "")))


def report_on(*pairs, **about):
    report = Report("shop", "shop-v2", **about)
    for before, after in pairs:
        report.add(Pair(before, after))
    return report


def pairs_of(before, after, number=3, event="start", first=1):
    return [(answer(n, before, event), answer(n + 100, after, event)) for n in range(first, first + number)]


def text(report):
    return report_text.render(report)


def test_no_differences():
    """One line, status 0."""
    report = report_on(*pairs_of({"a": 1}, {"a": 1.0}))
    assert text(report) == "No differences: 3 answers compared.\n"
    assert report.exit_status == 0


def test_the_same_change_in_many_answers_is_one_line():
    """Event, path, values, how many of how many, and where to look; status 1."""
    report = report_on(*pairs_of({"name": "John"}, {"name": "Jon"}, 4), *pairs_of({}, {}, 2))
    assert text(report) == (
        '4 of 6 answers differ, in 1 of 1 event.\n\nstart: $.name "John" → "Jon" (4 of 6)  exchanges 1, 2, 3, …\n'
    )
    assert report.exit_status == 1


def test_the_most_affected_event_comes_first():
    """In it, first failures, then statuses, then what most answers show."""
    report = report_on(
        *pairs_of({"a": 1, "b": 1}, {"a": 2, "b": 2}, 2, "few"),
        *pairs_of({"a": 1}, {"a": 2}, 5, "many"),
        *pairs_of({"b": 1}, {"b": 2}, 1, "few", 3),
        *pairs_of({}, {}, 7, "none"),
        (answer(8, {}, "few"), answer(9, {}, "few", 500)),
    )
    lines = [line.split(" (")[0] for line in text(report).splitlines() if ": " in line]
    assert lines == ["many: $.a 1 → 2", "few: $.b 1 → 2", "few: $.a 1 → 2", "few: status 200 → 500"]


def test_a_change_in_each_element_is_one_line():
    """Places are counted where they are more than the answers."""
    before, after = ({"items": [{"p": price}, {"p": price + 1}, {"p": price + 2}]} for price in (1, 10))
    report = report_on(*pairs_of(before, after, 2))
    assert "start: $.items[*].p 1 → 10, 2 → 11, … (2 of 2, 6 places)  exchanges 1, 2\n" in text(report)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({}, {"promo": "X"}, '$.promo added "X"'),
        ({"promo": {"a": 1}}, {}, '$.promo removed {"a": 1}'),
        ({"total": 5}, {"total": "5"}, '$.total number 5 → string "5"'),
        ({"total": None}, {"total": [1]}, "$.total null → array [1]"),
        ({"имя покупателя": "а"}, {"имя покупателя": "б"}, '$[\'имя покупателя\'] "а" → "б"'),
        ({"a": "x\n"}, {"a": "\x1b[2J\u202e"}, '$.a "x\\n" → "\\u001b[2J\\u202e"'),
        ({"a": "\ud800"}, {"a": "👨\u200d👩"}, '$.a "\\ud800" → "👨\u200d👩"'),
        (
            {"a": "Добро пожаловать в нашу пиццерию, сегодня скидка 10% на все большие пиццы"},
            {"a": "Добро пожаловать в нашу пиццерию, сегодня скидка 15% на все большие пиццы"},
            '$.a "…дня скидка 10% на все бол…" → "…дня скидка 15% на все бол…"',
        ),
        ({}, {"a": list(range(40))}, "$.a added [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, … 35, 36, 37, 38, 39]"),
    ],
)
def test_a_change_is_said_in_few_words(before, after, expected):
    """Long values are cut around the change; what would disturb a terminal is escaped."""
    (change,) = report_on(*pairs_of(before, after, 1)).changes
    assert described(change) == expected


def test_a_long_change_is_cut_too():
    """Whatever the values, a line stays readable."""
    (change,) = report_on(*pairs_of({"a": "x" * 5000}, {"a": "y" * 5000}, 1)).changes
    assert len(described(change)) < 250
    assert shortened("a" * 61, 60) == "a" * 39 + "…" + "a" * 20


def test_an_event_is_never_mistaken():
    """Quotes show where it begins and ends."""
    names = [event_name(event) for event in (None, "start", "", "two words", " x", "a\nb", "\x1b[2J")]
    assert names == ["(no event)", "start", '""', "two words", '" x"', '"a\\nb"', '"\\u001b[2J"']


def test_failures_are_differences():
    """The same failure on both sides is none."""
    report = report_on(
        (answer(1, {}), failed(2, "timeout")),
        (failed(2, "timeout"), failed(3, "timeout")),
        (failed(3, "disconnect"), answer(4, {})),
    )
    assert "start: failure none → timeout, disconnect → none (2 of 3)" in text(report)
    assert report.exit_status == 1


def test_what_has_no_partner_is_reported():
    """It makes two recordings different."""
    report = report_on((answer(1, {}), answer(1, {})), (answer(2, {}, "choose"), None), (None, answer(3, {})))
    assert text(report) == (
        "No differences: 1 answer compared. 2 exchanges without a partner.\n"
        "\n"
        "Only in the baseline shop: 1 exchange\n"
        "  choose: 1  exchange 2\n"
        "\n"
        "Only in the candidate shop-v2: 1 exchange\n"
        "  start: 1  exchange 3\n"
    )
    assert report.exit_status == 1


def test_an_answer_that_nobody_waited_for_is_not_compared():
    """The bot hung up, so we don't know how the webhook answers; alone, that is nothing to compare."""
    report = report_on((failed(1, "client_gone"), answer(1, {})))
    assert report.exit_status == 2
    assert "Not compared, the bot hung up before an answer came: 1 exchange\n  start: 1  exchange 1\n" in text(report)
    assert not report.changes


def test_noise_is_listed_and_not_counted():
    """At the end, with how often it changed, and how often within the baseline."""
    noise = Noise({("start", "$.token"): Evidence(2, 2, 5, 4)})
    report = report_on(*pairs_of({"token": 1}, {"token": 2}, 3), noise=noise)
    assert text(report) == (
        "No differences, noise aside: 3 answers compared.\n"
        "\n"
        "Noise, not counted above: 1 path\n"
        "  start: $.token 1 → 2 (3 of 3)  differs within the baseline in 4 of 5\n"
    )
    assert report.exit_status == 0
    report.add(Pair(answer(4, {"token": 1}), answer(4, {})))
    assert report.exit_status == 1
    assert "start: $.token removed 1 (1 of 4)" in text(report)


def test_a_run_that_could_not_send_everything_is_trouble():
    """Whatever else it found, and it says how many."""
    report = report_on(*pairs_of({"a": 1}, {"a": 2}, 1), planned=3)
    report.add_unsent("start", 2, "Connection refused")
    report.add_unsent("start", 3, "Connection refused")
    assert text(report).startswith("1 of 1 answer differs, in 1 of 1 event. 2 of 3 requests could not be sent.\n")
    assert (
        "Could not be sent to shop-v2: 2 exchanges\n  start: 2  exchanges 2, 3\n  Connection refused (2 times)\n"
        in text(report)
    )
    assert report.exit_status == 2


def test_an_interrupted_run_reports_what_it_has():
    """First of all that it was interrupted."""
    report = report_on(*pairs_of({"a": 1}, {"a": 2}, 2), planned=9, interrupted=True)
    assert text(report).startswith("Interrupted after 2 of 9 requests. 2 of 2 answers differ, in 1 of 1 event.\n")
    assert report.exit_status == 130


def test_nothing_to_compare_is_trouble():
    """An empty recording must not pass for an equal one."""
    assert text(report_on()) == "There is nothing to compare.\n"
    assert report_on().exit_status == 2


def test_the_json_report_says_everything():
    """As its module describes it."""
    noise = Noise({("start", "$.token"): Evidence(2, 2, 5, 4)})
    report = report_on(*pairs_of({"token": 1, "i": [1, 2]}, {"token": 2, "i": [1, 3]}, 2), noise=noise, planned=4)
    report.add(Pair(answer(9, {}), None))
    report.add(Pair(failed(8, "client_gone"), answer(1, {})))
    report.add_unsent("start", 7, "Connection refused")
    change = {
        "event": "start",
        "aspect": "effect",
        "path": "$.i[*]",
        "kind": "changed",
        "answers": 2,
        "compared": 2,
        "places": 2,
        "altered": 0,
        "exchanges": [1, 2],
        "same_everywhere": True,
        "examples": [
            {
                "baseline": 1,
                "candidate": 101,
                "path": "$.i[1]",
                "before": 2,
                "after": 3,
                "patch": [{"op": "replace", "path": "/i/1", "value": 3}],
            }
        ],
        "evidence": None,
    }
    assert json.loads(report_json.render(report)) == {
        "version": 1,
        "baseline": "shop",
        "candidate": "shop-v2",
        "saved": None,
        "verdict": "2 of 2 answers differ, in 1 of 1 event. 1 exchange without a partner. "
        "1 of 4 requests could not be sent.",
        "rules": [],
        "exit_status": 2,
        "interrupted": False,
        "planned": 4,
        "compared": 2,
        "differing": 2,
        "events": [{"event": "start", "compared": 2, "differing": 2}],
        "changes": [change],
        "noise": [
            {
                **change,
                "path": "$.token",
                "examples": [
                    {
                        "baseline": 1,
                        "candidate": 101,
                        "path": "$.token",
                        "before": 1,
                        "after": 2,
                        "patch": [{"op": "replace", "path": "/token", "value": 2}],
                    }
                ],
                "evidence": {
                    "groups": 2,
                    "groups_differing": 2,
                    "pairs": 5,
                    "pairs_differing": 4,
                    "repeats": 0,
                    "repeats_differing": 0,
                    "kind": None,
                },
            }
        ],
        "pairs": [],
        "latency": [
            {
                "event": "start",
                "baseline": {"count": 2, "median": 41.2, "p95": 41.2},
                "candidate": {"count": 2, "median": 41.2, "p95": 41.2},
                "slower": False,
            }
        ],
        "only_in_baseline": [{"event": "start", "exchanges": [9]}],
        "only_in_candidate": [],
        "unknown": [{"event": "start", "exchanges": [8]}],
        "unsent": [{"event": "start", "exchanges": [7]}],
        "unsent_reasons": [{"reason": "Connection refused", "count": 1}],
    }


def test_each_pair_has_its_whole_patch():
    """With noise in it, and several changes of one array; none for who doesn't ask for pairs one by one."""
    before, after = {"token": 1, "items": ["a", "b", "c"]}, {"token": 2, "items": ["new", "b"], "promo": True}
    spots = {("start", "$.token"): Evidence(groups=1, groups_differing=1, pairs=5, pairs_differing=5)}
    report = report_on(*pairs_of(before, after, 2), noise=Noise(spots), verbose=True)
    shown = json.loads(report_json.render(report))["pairs"]
    assert [(pair["event"], pair["baseline"], pair["candidate"]) for pair in shown] == [
        ("start", 1, 101),
        ("start", 2, 102),
    ]
    assert [patched(before, pair["patch"]) for pair in shown] == [after, after]
    assert json.loads(report_json.render(report_on(*pairs_of(before, after, 2))))["pairs"] == []


def test_the_json_report_is_always_utf8():
    """Lone surrogates come out as escapes, other letters as they are."""
    rendered = report_json.render(report_on(*pairs_of({"a": "\ud800"}, {"a": "Иван"}, 1)))
    assert "Иван" in rendered
    assert "\\ud800" in rendered
    assert json.loads(rendered.encode())["changes"][0]["examples"][0]["before"] == "\ud800"
