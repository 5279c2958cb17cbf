"""The report as JUnit XML, for CI servers: a test case for each event, failed where its answers differ."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from aimyproxy.diff.report_text import verdict
from aimyproxy.diff.wording import counts, described, event_name, ids_text, plural
from aimyproxy.wording import printable

if TYPE_CHECKING:
    from aimyproxy.diff.changes import Event
    from aimyproxy.diff.report import Report


def render(report: Report) -> str:
    """The report in the form that Jenkins, GitLab and others read.

    A test case is an error where requests could not be sent, failed where answers differ or exchanges have no partner,
    and skipped where there was nothing to compare. Characters that XML can't hold are escaped as in JSON.
    """
    cases = [_case(report, event) for event in _events(report)]
    numbers = {
        "tests": str(len(cases)),
        "failures": _how_many(cases, "failure"),
        "errors": _how_many(cases, "error"),
        "skipped": _how_many(cases, "skipped"),
    }
    root = Element("testsuites", {"name": "aimyproxy diff", **numbers})
    name = printable(f"{report.baseline} → {report.candidate}")
    suite = SubElement(root, "testsuite", {"name": name, **numbers})
    suite.extend(cases)
    SubElement(suite, "system-out").text = "\n".join([verdict(report), *_asides(report)])
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _events(report: Report) -> list[Event]:
    known = {
        *report.compared,
        *report.only_in_baseline,
        *report.only_in_candidate,
        *report.unknown,
        *report.unsent,
    }
    return sorted(known, key=report.rank)


def _case(report: Report, event: Event) -> Element:
    case = Element("testcase", {"classname": printable(report.baseline), "name": event_name(event)})
    if unsent := report.unsent.get(event):
        error = SubElement(case, "error", {"type": "unsent", "message": f"{plural(len(unsent), 'request')} not sent"})
        error.text = ids_text(unsent, len(unsent))
    lines = [
        f"{described(change)} {counts(change, report.compared[event])}  {ids_text(change.exchanges)}"
        for change in report.changes
        if change.event == event
    ]
    for side, ids in (("baseline", report.only_in_baseline), ("candidate", report.only_in_candidate)):
        if alone := ids.get(event):
            lines.append(f"only in the {side}: {ids_text(sorted(alone), len(alone))}")
    if lines:
        failure = {"type": "different", "message": _summary(report, event)}
        SubElement(case, "failure", failure).text = "\n".join(lines)
    elif not report.compared[event] and not unsent:
        SubElement(case, "skipped", {"message": "the bot hung up before an answer came"})
    return case


def _summary(report: Report, event: Event) -> str:
    alone = len(report.only_in_baseline.get(event, ())) + len(report.only_in_candidate.get(event, ()))
    said = [f"{alone} without a partner"] if alone else []
    if compared := report.compared[event]:
        verb = "differs" if report.differing[event] == 1 else "differ"
        said.insert(0, f"{report.differing[event]} of {plural(compared, 'answer')} {verb}")
    return ", ".join(said)


def _asides(report: Report) -> list[str]:
    noise = [f"noise: {event_name(change.event)}: {described(change, 1)}" for change in report.noisy_changes]
    return [*noise, *(f"as told: {printable(words)}" for words in report.told)]


def _how_many(cases: list[Element], outcome: str) -> str:
    return str(sum(case.find(outcome) is not None for case in cases))
