"""The report as Markdown, for a comment on a pull request: the verdict, a table of what differs, the rest folded up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aimyproxy.diff.report import count, in_order
from aimyproxy.diff.report_text import verdict
from aimyproxy.diff.wording import counts, described, event_shown, ids_text, plural, reason, time_of
from aimyproxy.wording import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from aimyproxy.diff.changes import Change
    from aimyproxy.diff.report import Ids, Report

# In a table, a code span can't say these: bars end cells, and a backslash before one is taken for an escape.
_UNSPEAKABLE: Final = frozenset("`|\\")
_LONGEST_TABLE: Final = 25_000
_LONGEST_LIST: Final = 5_000
"""Of longer ones, in characters, the rest is counted: GitHub takes 65,536 a comment, and there are two and four."""


def render(report: Report) -> str:
    """The report in GitHub's Markdown; values stand in code, so that nothing in them is taken for markup."""
    sections = [
        f"**{verdict(report)}**",
        f"{code(report.baseline)} → {code(report.candidate)}",
        _table(report, report.changes),
        _slower(report),
        _folded("Only in the baseline", report.only_in_baseline),
        _folded("Only in the candidate", report.only_in_candidate),
        _folded("Not compared, the bot hung up before an answer came", report.unknown),
        _folded("Could not be sent", report.unsent),
        _noise(report),
        "As told: " + "; ".join(map(code, report.told)) + "." if report.told else "",
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def code(text: str) -> str:
    """The text as code, whatever is in it: a code span, or HTML in which nothing can be taken for markup."""
    text = printable(text)
    if text.strip() == text != "" and _UNSPEAKABLE.isdisjoint(text):
        return f"`{text}`"
    # A letter or a digit is nothing but itself; a blank keeps its place only in the middle.
    spelled = "".join(one if one.isalnum() else f"&#{ord(one)};" for one in text)
    return f"<code>{spelled}</code>"


def _table(report: Report, changes: list[Change]) -> str:
    if not changes:
        return ""
    rows = [
        f"| {code(event_shown(change.event))} | {code(described(change))} "
        f"| {counts(change, report.compared[change.event])} | {ids_text(change.exchanges)}{_why(change)} |"
        for change in changes
    ]
    return "\n".join(["| event | what changes | answers | where |", "|---|---|---|---|", *_few(rows, _LONGEST_TABLE)])


def _why(change: Change) -> str:
    return ", a consequence of earlier changes" if change.consequence else ""


def _few(lines: list[str], longest: int) -> Iterator[str]:
    """As many lines as there is room for, and how many more there are."""
    for index, line in enumerate(lines):
        longest -= len(line)
        if longest < 0:
            yield f"\n… and {len(lines) - index} more."
            return
        yield line


def _slower(report: Report) -> str:
    lines = [
        f"- {code(event_shown(event))}: {time_of(compared)}" for event, compared in report.times if compared.slower
    ]
    return "\n".join(["Clearly slower:", "", *_few(lines, _LONGEST_LIST)]) if lines else ""


def _folded(title: str, ids: Ids) -> str:
    if not ids:
        return ""
    lines = [f"- {code(event_shown(event))}: {ids_text(of_event, 20)}" for event, of_event in in_order(ids)]
    return _details(f"{title}: {plural(count(ids), 'exchange')}", _few(lines, _LONGEST_LIST))


def _noise(report: Report) -> str:
    noisy = report.noisy_changes
    title = f"Noise, not counted above: {plural(len(noisy), 'path')}"
    return _details(title, [_noisy_table(report, noisy)]) if noisy else ""


def _noisy_table(report: Report, noisy: list[Change]) -> str:
    rows = [
        f"| {code(event_shown(change.event))} | {code(described(change, 1))} "
        f"| {counts(change, report.compared[change.event])} | {reason(change)} |"
        for change in noisy
    ]
    return "\n".join(
        ["| event | what changes | answers | why it is noise |", "|---|---|---|---|", *_few(rows, _LONGEST_TABLE)]
    )


def _details(title: str, lines: Iterable[str]) -> str:
    # Between HTML and Markdown there has to be an empty line.
    return "\n".join([f"<details><summary>{title}</summary>", "", *lines, "", "</details>"])
