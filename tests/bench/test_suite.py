"""The pure parts of the benchmark suite: what it reads, how it compares, how it tells."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest

from tests.bench.suite import tables, traffic
from tests.bench.suite.figures import Figures, divided, ratio
from tests.bench.suite.latency import Found
from tests.bench.suite.load import Outcome, Run, parsed
from tests.bench.suite.openloop import Latencies, schedules
from tests.bench.suite.serving import Unfit
from tests.bench.suite.tables import Table, as_markdown, as_text
from tests.bench.suite.targets import TARGETS


def outcome(subject: str, *rates: int, size: int = 0, trouble: str = "") -> dict[str, object]:
    """A row of one-second rounds with so many answers."""
    runs = [Run(rate, 1.0, 1.0, 2.0, 0, cpu=rate * 500e-6) for rate in rates]
    return Outcome(subject, size, lost=0, trouble=trouble, runs=runs).row()


def verdict(figures: Figures, name: str) -> dict[str, object]:
    return next(one for one in (target.verdict(figures) for target in TARGETS) if one["target"] == name)


def test_the_last_line_of_wrk_is_read() -> None:
    line = {"requests": 90, "microseconds": 3e6, "median_us": 250, "p99_us": 4000, "wrong_status": 2, "broken": 1}
    run = parsed("Running 3s test @ http://127.0.0.1/\n" + json.dumps(line) + "\n")
    assert run == Run(90, 3.0, 0.25, 4.0, wrong=3)


def test_a_rate_is_the_median_of_the_rounds_and_cpu_that_of_all_answers() -> None:
    row = outcome("aimyproxy record", 100, 400, 250)
    assert row["requests_per_second"] == 250
    assert row["cpu_us"] == pytest.approx(500)


def test_a_ratio_is_of_the_same_rounds() -> None:
    assert ratio([10.0, 2.0, 30.0], [5.0, 1.0, 1.0]) == 2.0
    assert ratio([], []) is None
    assert ratio([1.0], [1.0, 2.0]) is None
    assert ratio([1.0], [0.0]) is None
    assert divided(3.0, 2.0) == 1.5
    assert divided(None, 2.0) is None


@pytest.mark.parametrize(("ours", "met"), [(700, True), (340, False)])
def test_a_target_is_held_against_the_same_run(ours: int, met: bool) -> None:
    figures = Figures({"record": [outcome("aimyproxy record", ours), outcome("mitmdump -w", 100)]})
    found = verdict(figures, "record: requests/s, of `mitmdump -w`'s")
    assert (found["measured"], found["met"]) == (ours / 100, met)


def test_a_target_with_a_missing_or_wrong_subject_is_not_measured() -> None:
    wrong = outcome("mitmdump -w", 100, trouble="3 wrong answers under load")
    figures = Figures({"record": [outcome("aimyproxy record", 700), wrong]})
    assert verdict(figures, "record: requests/s, of `mitmdump -w`'s")["met"] is None
    assert all(target.verdict(Figures())["met"] is None for target in TARGETS)


def test_each_size_is_compared_within_itself() -> None:
    rows = [
        outcome("aimyproxy replay", 1000, size=5_000),
        outcome("aimyproxy replay of 1 pair", 1500, size=5_000),
        outcome("aimyproxy replay", 9000, size=1),
    ]
    found = verdict(Figures({"replay": rows}), "replay: 1 pair's requests/s, of 5,000 pairs'")
    assert (found["measured"], found["met"]) == (1.5, False)


def test_each_connection_asks_evenly_spaced_and_all_together_ask_at_the_rate() -> None:
    made = schedules(connections=4, rate=200, began=10.0, seconds=1.0)
    assert sum(map(len, made)) == 200
    for due in made:
        assert due == sorted(due, reverse=True)
        assert 10.0 <= due[-1] < 10.02
        assert {round(later - sooner, 6) for later, sooner in pairwise(due)} == {0.02}


def test_added_latency_is_the_median_of_the_rounds_differences() -> None:
    direct = Found("nginx", 1, medians=[0.1, 9.0, 0.2], p99s=[1.0, 1.0, 1.0])
    ours = Found("aimyproxy record", 1, medians=[1.1, 10.5, 1.0], p99s=[2.0, 3.0, 4.0])
    row = ours.row(direct)
    assert (row["median_ms"], row["added_median_ms"]) == (1.1, 1.0)
    assert (row["p99_ms"], row["added_p99_ms"]) == (3.0, 2.0)
    assert direct.row(direct)["added_median_ms"] is None


def test_who_leaves_requests_unanswered_has_no_latency() -> None:
    with pytest.raises(Unfit, match="2 unanswered"):
        Found("slow", 1).add(Latencies([1.0] * 100, answered=100, unanswered=2))


def test_tables_show_trouble_in_place_of_figures() -> None:
    rows = [outcome("aimyproxy replay", 1234, size=1), outcome("WireMock", size=1, trouble="missing: no Java")]
    _, pivot, _ = tables.tables(Figures({"replay": rows}))
    assert [list(row) for row in pivot.rows] == [["aimyproxy replay", "1,234"], ["WireMock", "missing: no Java"]]


def test_a_table_is_aligned_on_a_terminal_and_escaped_in_markdown() -> None:
    table = Table("Rates", ["subject", "requests/s", ""], [["a|b", "1,000", ""], ["c", "7", ""]])
    assert as_text(table) == "Rates\n  subject  requests/s\n  a|b           1,000\n  c                 7"
    assert as_markdown(table) == "| subject | requests/s |\n| --- | ---: |\n| a\\|b | 1,000 |\n| c | 7 |"


def test_a_page_keeps_what_stands_around_its_tables() -> None:
    made = [Table("Rates", ["subject", "requests/s"], [["ours", "7"]]), Table("", ["detail"], [], brief=False)]
    tables_alone = tables.page("Something else.", "a toaster", made)
    assert tables_alone == "Measured on a toaster.\n\n| subject | requests/s |\n| --- | ---: |\n| ours | 7 |\n"
    old = f"Before.\n{tables.BEGIN}\nold figures\n{tables.END}\nAfter.\n"
    new = tables.page(old, "a toaster", made)
    assert new == f"Before.\n{tables.BEGIN}\n\n{tables_alone}\n{tables.END}\nAfter.\n"
    assert tables.page(new, "a toaster", made) == new


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "–"), (0, "0"), (0.0123, "0.012"), (0.513, "0.51"), (12.34, "12.3"), (45678.9, "45,679")],
)
def test_figures_have_three_digits_that_count(value: float | None, shown: str) -> None:
    assert tables.measured(value) == shown


def test_pairs_are_the_same_each_time_and_no_two_alike() -> None:
    made = traffic.pairs(500)
    assert made == traffic.pairs(500)
    assert len({one.request for one in made}) == 500
    assert all(300 <= len(one.request) <= 500 for one in made)


def test_an_answer_is_right_where_it_has_all_that_was_recorded() -> None:
    one = traffic.pair(3)
    assert one.answers(200, one.response)
    assert one.answers(200, json.dumps({**one.asked, **one.answered}).encode())
    assert not one.answers(200, traffic.pair(8).response)
    assert not one.answers(404, one.response)
    assert not one.answers(200, b"no JSON")
