"""The report as text, for people: the verdict, what differs, what has no partner, what is noise."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Final, Protocol

from aimyproxy.diff.report import count, in_order
from aimyproxy.diff.wording import (
    counts,
    described,
    each_described,
    event_shown,
    ids_text,
    plural,
    reason,
    spelled,
    time_of,
)
from aimyproxy.wording import printable, shortened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aimyproxy.diff.changes import Change
    from aimyproxy.diff.report import Ids, Report


_LONGEST_CONTEXT: Final = 300


class Style(Protocol):
    """Adds weight and colour to a text; `click.style` is one."""

    def __call__(self, text: str, *, fg: str | None = None, bold: bool | None = None, dim: bool | None = None) -> str:
        """The text with whatever makes it look so."""
        ...


def plain(text: str, **_: object) -> str:
    """The style of a file: none."""
    return text


def render(report: Report, style: Style = plain) -> str:
    """The whole report, ending in a line break.

    Each line of a difference says all of it: `start: $.name "John" → "Jon" (12 of 40)  exchanges 1, 5, 9, …`.
    """
    return _Page(report, style).text()


def verdict(report: Report) -> str:
    """The result in one line: `3 of 42 answers differ, in 2 of 6 events.`"""
    parts = [f"Interrupted after {_progress(report)}."] if report.interrupted else []
    parts.append(_differing(report))
    if report.alone:
        parts.append(f"{plural(report.alone, 'exchange')} without a partner.")
    if report.unsent:
        parts.append(f"{_unsent_count(report)} could not be sent.")
    return " ".join(parts)


def _differing(report: Report) -> str:
    compared, differing = report.compared.total(), report.differing.total()
    if not compared:
        return "Nothing could be compared." if report.alone or report.planned else "There is nothing to compare."
    if not differing:
        aside = ", noise aside" if report.noisy_changes else ""
        return f"No differences{aside}: {plural(compared, 'answer')} compared."
    events = sum(1 for number in report.differing.values() if number)
    verb = "differs" if differing == 1 else "differ"
    return (
        f"{differing} of {plural(compared, 'answer')} {verb}, in {events} of {plural(len(report.compared), 'event')}."
    )


def _progress(report: Report) -> str:
    done = report.compared.total() + count(report.unsent) + count(report.unknown)
    if report.planned is None:
        return plural(done, "pair")
    return f"{done} of {plural(report.planned, 'request')}"


def _unsent_count(report: Report) -> str:
    return f"{count(report.unsent)} of {plural(report.planned or 0, 'request')}"


@dataclass(frozen=True, slots=True)
class _Page:
    report: Report
    style: Style

    def text(self) -> str:
        report = self.report
        sections = [
            [self.style(verdict(report), bold=True)],
            *self._changes(),
            self._slower(),
            *self._details(),
            self._ids(f"Only in the baseline {report.baseline}", report.only_in_baseline),
            self._ids(f"Only in the candidate {report.candidate}", report.only_in_candidate),
            self._ids("Not compared, the bot hung up before an answer came", report.unknown),
            self._unsent(),
            self._noise(),
            self._rules(),
        ]
        return "\n\n".join("\n".join(section) for section in sections if section) + "\n"

    def _changes(self) -> Iterator[list[str]]:
        for _, of_event in groupby(self.report.changes, key=lambda change: change.event):
            yield [self._change(change) for change in of_event]

    def _change(self, change: Change) -> str:
        colour = {"added": "green", "removed": "red"}.get(change.kind, "yellow")
        event = self.style(event_shown(change.event), bold=True)
        what = self.style(described(change), fg=colour)
        why = ", a consequence of earlier changes" if change.consequence else ""
        return f"{event}: {what} {self._counts(change)}  {self._dim(ids_text(change.exchanges) + why)}"

    def _counts(self, change: Change) -> str:
        return counts(change, self.report.compared[change.event])

    def _ids(self, title: str, ids: Ids) -> list[str]:
        if not ids:
            return []
        return [f"{title}: {plural(count(ids), 'exchange')}"] + [
            f"  {event_shown(event)}: {len(of_event)}  {self._dim(ids_text(of_event))}"
            for event, of_event in in_order(ids)
        ]

    def _details(self) -> Iterator[list[str]]:
        """Each pair that differs, with what was asked."""
        for detail in self.report.details:
            before, after = detail.baseline, detail.candidate
            name = event_shown(before.event)
            ids = f"{before.id}" if not after.id else f"{before.id} / {after.id}"
            lines = [self.style(f"exchange {ids}: {name}", bold=True)]
            lines.append(f"  asked: {shortened(spelled(dict(before.context or {})), _LONGEST_CONTEXT)}")
            lines += [
                f"  {said}" for shape, found in detail.differences.items() for said in each_described(shape, found)
            ]
            yield lines

    def _slower(self) -> list[str]:
        slower = [(event, compared) for event, compared in self.report.times if compared.slower]
        lines = [f"  {event_shown(event)}: {self.style(time_of(compared), fg='yellow')}" for event, compared in slower]
        return [f"Clearly slower: {plural(len(lines), 'event')}", *lines] if lines else []

    def _unsent(self) -> list[str]:
        lines = self._ids(f"Could not be sent to {self.report.candidate}", self.report.unsent)
        reasons = self.report.unsent_reasons.most_common(3)
        return lines + [f"  {printable(reason)} ({plural(times, 'time')})" for reason, times in reasons]

    def _noise(self) -> list[str]:
        noisy = self.report.noisy_changes
        if not noisy:
            return []
        paths = plural(len(noisy), "path")
        lines = [f"Noise, not counted above: {paths}"]
        for change in noisy:
            what = f"{event_shown(change.event)}: {described(change, 1)}"
            lines.append(f"  {what} {self._counts(change)}  {self._dim(reason(change))}")
        return lines

    def _rules(self) -> list[str]:
        words = self.report.told
        return [f"As told: {printable('; '.join(words))}."] if words else []

    def _dim(self, text: str) -> str:
        return self.style(text, dim=True)
