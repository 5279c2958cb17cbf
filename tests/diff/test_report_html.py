"""The page for a browser: what it says, and that nothing a webhook says becomes markup."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from aimyproxy.diff import report_html
from aimyproxy.diff.gate import Gate
from aimyproxy.diff.noise import Evidence, Noise
from aimyproxy.diff.rules import Rules
from aimyproxy.diff.wording import spelled
from tests.diff.test_report import answer, failed, pairs_of, report_on


class Page(HTMLParser):
    """The tags of a page, and the texts of what has a class."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts, self.open = [], {}, []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        if tag not in ("meta", "input", "br"):
            self.open.append(dict(attributes).get("class") or "")
            self.texts.setdefault(self.open[-1], []).append("")

    def handle_endtag(self, _):
        self.open.pop()

    def handle_data(self, data):
        for name in {*self.open}:
            self.texts[name][-1] += data


def sides(text):
    """The values before and after of all examples."""
    texts = Page(text).texts
    return list(zip(texts["value before"], texts["value after"], strict=True))


def test_all_is_there():
    """Verdict, events, changes with their values, noise with its reason, what has no partner, what was told."""
    report = report_on(
        *pairs_of({"name": "John", "t": 1}, {"name": "Jon", "t": 2}),
        (answer(7, {}), None),
        (failed(8, "client_gone"), answer(1, {})),
        noise=Noise({("start", "$.t"): Evidence(1, 1, 9, 9)}),
        rules=Rules.parse({"$.id": {"ignore": True}}),
        gate=Gate(most=2),
    )
    report.add_unsent("start", 9, "Connection refused")
    page = report_html.render(report)
    assert sides(page) == [('"John"', '"Jon"'), ("1", "2")]
    assert (
        '<div class="value before">"Jo<mark>h</mark>n"</div>'.replace('"Jo', "&#34;Jo").replace('n"<', "n&#34;<")
        in page
    )
    for said in (
        "<h1>3 of 3 answers differ, in 1 of 1 event. 1 exchange without a partner.",
        "noise: differs within the baseline in 9 of 9",
        "Only in the baseline: 1 exchange",
        "Not compared, the bot hung up before an answer came: 1 exchange",
        "Could not be sent: 1 exchange",
        "As told: $.id is left out; lets 2 changes pass.",
        "median 41 → 41 ms",
    ):
        assert said in page


def test_it_needs_no_network():
    """No address, no other file."""
    page = report_html.render(report_on(*pairs_of({"a": 1}, {"a": 2})))
    assert not re.search(r"https?:|src=|href=|@import|url\(", page)


def test_no_difference_is_a_page_too():
    """Without a filter for nothing."""
    page = report_html.render(report_on(*pairs_of({"a": 1}, {"a": 1})))
    assert "<h1>No differences: 3 answers compared.</h1>" in page
    assert "<article" not in page
    assert "<form" not in page


@given(st.text(), st.text(), st.text(min_size=1))
def test_what_is_said_is_text(before, after, name):
    """In values, names and events; and all of it is there."""
    report = report_on((answer(1, {name: before}, name), answer(2, {name: after + "!"}, name)))
    page = report_html.render(report)
    plain = report_html.render(report_on((answer(1, {"a": "x"}), answer(2, {"a": "y"}))))
    assert set(Page(page).tags) <= set(Page(plain).tags)
    if before != after + "!":
        assert sides(page) == [(spelled(before), spelled(after + "!"))]
