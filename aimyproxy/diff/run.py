"""What a diff is about and by which terms, and the diff of two recordings; `live` has that of a live candidate."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aimyproxy.diff.answers import EFFECTS, Scope
from aimyproxy.diff.gate import USUAL, Gate
from aimyproxy.diff.noise import NoiseLearner
from aimyproxy.diff.pairs import Alike, Pair, pairs
from aimyproxy.diff.report import Report
from aimyproxy.diff.rules import NO_RULES, Rules
from aimyproxy.diff.selection import ALL, Selection
from aimyproxy.diff.stored import stored
from aimyproxy.diff.strangers import introduced
from aimyproxy.diff.twins import Twins
from aimyproxy.errors import BrokenFile, InvalidDocument

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from aimyproxy.diff.rules import Told
    from aimyproxy.diff.stored import Stored
    from aimyproxy.diff.strangers import Question
    from aimyproxy.jsonvalue import JSON
    from aimyproxy.store.recording import Recording

    Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Terms:
    """Which exchanges take part in a diff, what of their answers is compared by which rules, and what makes it fail.

    `verbose` keeps pairs that differ one by one. `learn` finds out what a recording's answers depend on, for pairs of
    different users; None leaves such exchanges alone.
    """

    selection: Selection = ALL
    rules: Rules = NO_RULES
    gate: Gate = USUAL
    scope: Scope = EFFECTS
    verbose: bool = False
    learn: Callable[[Recording], Question] | None = None

    def report(self, baseline: str, candidate: str) -> Report:
        """A report of these terms on two sides, in which there is nothing yet."""
        return Report(baseline, candidate, rules=self.rules, gate=self.gate, verbose=self.verbose)


USUAL_TERMS: Final = Terms()
"""All exchanges, their effects, no rules; any difference fails."""


def rules_of(recording: Recording, told: Told) -> Rules:
    """The rules that are kept with a recording, and those that are told now, which win.

    Raises:
        BrokenFile: those that are kept say what no rule can mean.
        InvalidDocument: those that are told do.
    """
    kept = recording.rules.read()
    try:
        Rules.parse(kept)
    except InvalidDocument as error:
        raise BrokenFile(recording.rules.path, str(error)) from None
    return Rules.parse({path: {**kept.get(path, {}), **told.get(path, {})} for path in (*kept, *told)})


def diff_recordings(
    baseline: Recording, candidate: Recording, terms: Terms = USUAL_TERMS, progress: Progress | None = None
) -> Report:
    """Compare two recordings.

    `progress` is told how many exchanges of the baseline were compared so far, and how many there are in all. An
    interrupt from the keyboard ends the comparison with the report of what there is; who has no partner is not in it.

    Raises:
        InvalidOption: an event that neither recording has, or users of whom there is nothing.
        BrokenFile, NewerFormat, StoreError: one of them can't be read.
    """
    _check(baseline, candidate, terms.selection)
    report = terms.report(baseline.name, candidate.name)
    twins = Twins()
    chosen = _chosen(baseline, terms, twins.baseline), _chosen(candidate, terms, twins.candidate)
    both = pairs(*chosen, terms.scope, baseline.name)
    total = len(baseline) if progress else 0
    try:
        alone = _add_pairs(report, both, lambda done: progress and progress(min(done, total), total))
        for pair in introduced(alone, baseline, candidate, terms.learn) if terms.learn else alone:
            report.add(pair)
    except KeyboardInterrupt:
        report.interrupted = True
    _learn(report, baseline, terms)
    return report


def _add_pairs(report: Report, both: Iterator[Pair | Alike], progress: Callable[[int], None]) -> list[Pair]:
    """Count all that have a partner; returns who has none."""
    alone = []
    for done, pair in enumerate(both, 1):
        if isinstance(pair, Alike):
            report.add_alike(pair)
        elif pair.baseline and pair.candidate:
            report.add(pair)
        else:
            alone.append(pair)
        progress(done)
    return alone


def _check(baseline: Recording, candidate: Recording, selection: Selection) -> None:
    if selection == ALL:
        return
    events, taken = Counter[str | None](), 0
    for recording in (baseline, candidate):
        for _, exchange in stored(recording):
            events[exchange.event] += 1
            taken += selection.takes(exchange)
    selection.check(events, taken, f"{baseline.name} and {candidate.name} have")


def _chosen(recording: Recording, terms: Terms, parse: Callable[[bytes], JSON]) -> Iterator[tuple[int, Stored]]:
    exchanges = stored(recording, parse)
    return exchanges if terms.selection == ALL else (one for one in exchanges if terms.selection.takes(one[1]))


def _learn(report: Report, baseline: Recording, terms: Terms) -> None:
    """Learn the noise where something changed, and only if that says nothing, everywhere."""
    events = report.changed_events
    if not events:
        return
    learner = NoiseLearner(terms.scope)
    for _, exchange in stored(baseline):
        if exchange.event in events:
            learner.add(exchange)
    report.noise = learner.learned()
    if report.unexplained:
        for _, exchange in stored(baseline):
            if exchange.event not in events:
                learner.add(exchange)
        report.noise = learner.learned()
