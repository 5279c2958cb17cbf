"""The report as one HTML file for a browser, which needs nothing else: no network, no other file."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

from aimyproxy.diff.arrays import common_start
from aimyproxy.diff.gate import cause_of
from aimyproxy.diff.report import count, in_order
from aimyproxy.diff.report_text import verdict
from aimyproxy.diff.wording import counts, event_name, ids_text, place, plural, reason, spelled, time_of
from aimyproxy.wording import printable

if TYPE_CHECKING:
    from aimyproxy.diff.changes import Change, Event, Example
    from aimyproxy.diff.latency import Compared
    from aimyproxy.diff.report import Report


@dataclass(frozen=True, slots=True)
class Side:
    """A value on one side, in three parts: what both sides begin with, what is its own, what both end with."""

    head: str
    changed: str
    tail: str


def render(report: Report) -> str:
    """The whole page, ending in a line break."""
    from jinja2 import Environment, StrictUndefined

    # Whatever a webhook said is text there, never markup.
    page = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = page.from_string(files("aimyproxy.diff").joinpath("report.html.jinja").read_text(encoding="utf-8"))
    events, times = sorted(report.compared, key=report.rank), dict(report.times)
    return (
        template.render(
            baseline=printable(report.baseline),
            candidate=printable(report.candidate),
            verdict=verdict(report),
            status=report.exit_status,
            events=[_event(report, event, times.get(event)) for event in events],
            changes=[_change(report, change) for change in (*report.changes, *report.noisy_changes)],
            noise=len(report.noisy_changes),
            alone=[
                (
                    title,
                    plural(count(ids), "exchange"),
                    [(event_name(event), ids_text(of, 20)) for event, of in in_order(ids)],
                )
                for title, ids in (
                    ("Only in the baseline", report.only_in_baseline),
                    ("Only in the candidate", report.only_in_candidate),
                    ("Not compared, the bot hung up before an answer came", report.unknown),
                    ("Could not be sent", report.unsent),
                )
                if ids
            ],
            told=[printable(words) for words in report.told],
        )
        + "\n"
    )


def _event(report: Report, event: Event, times: Compared | None) -> dict[str, object]:
    return {
        "name": event_name(event),
        "compared": report.compared[event],
        "differing": report.differing[event],
        "share": round(100 * report.differing[event] / report.compared[event]),
        "times": time_of(times) if times else "",
        "slower": bool(times and times.slower),
    }


def _change(report: Report, change: Change) -> dict[str, object]:
    return {
        "event": event_name(change.event),
        "path": place(change.aspect, change.path),
        "cause": cause_of(change),
        "kind": "type changed" if change.kind == "type" else cause_of(change),
        "counts": counts(change, report.compared[change.event]).strip("()"),
        "ids": ids_text(change.exchanges, 20),
        "reason": reason(change),
        "consequence": change.consequence,
        "examples": [_example(change, example) for example in change.examples],
    }


def _example(change: Change, example: Example) -> dict[str, object]:
    difference = example.difference
    before = "" if change.kind == "added" else spelled(difference.before)
    after = "" if change.kind == "removed" else spelled(difference.after)
    start = common_start(before, after)
    rest = min(len(before), len(after)) - start
    end = min(rest, common_start(before[::-1], after[::-1]))
    return {
        "ids": f"{example.baseline}" if example.candidate is None else f"{example.baseline} / {example.candidate}",
        "sides": [
            Side(text[:start], text[start : len(text) - end], text[len(text) - end :]) for text in (before, after)
        ],
    }
