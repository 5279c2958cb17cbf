"""The two kinds of diff: of two recordings, and of a recording and a live candidate."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aimyproxy.diff.answers import answer_of
from aimyproxy.diff.gate import USUAL, Gate
from aimyproxy.diff.noise import NoiseLearner
from aimyproxy.diff.pairs import Pair, pairs
from aimyproxy.diff.report import Report
from aimyproxy.diff.rules import NO_RULES, Rules
from aimyproxy.diff.selection import ALL, Selection
from aimyproxy.errors import BrokenFile, InvalidDocument, RecordingExists

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from aimyproxy.diff.resend import Resent
    from aimyproxy.diff.rules import Told
    from aimyproxy.exchange import Exchange
    from aimyproxy.store.folder import RecordingsFolder
    from aimyproxy.store.recording import Recording
    from aimyproxy.target import Target


REPLAY_HEADER: Final = "Aimyproxy-Replay"
"""The header that tells a candidate that no user waits for this answer, so that it can skip mails and payments."""


@dataclass(frozen=True, slots=True)
class LiveOptions:
    """How a live candidate is asked.

    `concurrency` conversations side by side, `timeout` seconds for each answer, at most `rate` requests a second, each
    request `repeat` times in a row, marked by the header of the name `mark`. `save` is the recording that keeps what
    came back at first.
    """

    concurrency: int = 8
    timeout: float = 30.0
    save: str | None = None
    repeat: int = 1
    rate: float | None = None
    mark: str | None = REPLAY_HEADER


@dataclass(frozen=True, slots=True)
class Survey:
    """What a walk over the baseline showed: its noise, its events, and how many exchanges of each were chosen."""

    learner: NoiseLearner
    events: Counter[str | None]
    chosen: Counter[str | None]
    conversations: int


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
    baseline: Recording,
    candidate: Recording,
    selection: Selection = ALL,
    rules: Rules = NO_RULES,
    gate: Gate = USUAL,
) -> Report:
    """Compare two recordings by these rules, as far as their exchanges were selected.

    Raises:
        InvalidOption: an event that neither recording has, or users of whom there is nothing.
        BrokenFile, NewerFormat, StoreError: one of them can't be read.
    """
    found = survey(baseline, selection)
    if selection != ALL:
        events = found.events | Counter(exchange.event for _, exchange in candidate)
        selection.check(events, found.chosen.total(), f"{baseline.name} and {candidate.name} have")
    report = Report(baseline.name, candidate.name, found.learner.learned(), rules, gate)
    for pair in pairs(selection.of(baseline), selection.of(candidate)):
        report.add(pair)
    return report


def diff_live(
    folder: RecordingsFolder,
    baseline: Recording,
    target: Target,
    selection: Selection = ALL,
    options: LiveOptions | None = None,
    progress: Callable[[int, int], None] | None = None,
    rules: Rules = NO_RULES,
    gate: Gate = USUAL,
) -> Report:
    """Re-send a recording's requests to the target and compare what comes back, as far as they were selected.

    `progress` is told the number of answers so far and of requests in all. An interrupt from the keyboard ends the
    run with the report of what there is.

    Raises:
        InvalidOption: an event that the recording does not have, or users of whom there is nothing.
        RecordingExists: the name to save under is taken; nothing was sent then.
        TargetError: the target can't be reached at all.
        BrokenFile, NewerFormat, StoreError: the baseline can't be read, or the answers can't be saved.
    """
    options = options or LiveOptions()
    found = survey(baseline, selection)
    selection.check(found.events, found.chosen.total(), f"{baseline.name} has")
    planned = found.chosen.total()
    report = Report(baseline.name, target.display, rules=rules, gate=gate, planned=planned, saved=options.save)
    saved = _create(folder, options.save, target) if options.save else None
    try:
        _resend(report, found.learner, selection.of(baseline), target, options, saved, progress)
    except KeyboardInterrupt:
        report.interrupted = True
    except BaseException:
        if saved is not None and not len(saved):
            folder.remove(saved.name)
        raise
    finally:
        if saved is not None:
            saved.close()
    report.noise = found.learner.learned()
    return report


def survey(baseline: Recording, selection: Selection = ALL) -> Survey:
    """What there is in a baseline; one walk."""
    learner, events, chosen = NoiseLearner(), Counter[str | None](), Counter[str | None]()
    conversations = set()
    for _, exchange in baseline:
        learner.add(exchange)
        events[exchange.event] += 1
        if selection.takes(exchange):
            chosen[exchange.event] += 1
            conversations.add(hash(exchange.conversation))
    return Survey(learner, events, chosen, len(conversations))


def _resend(
    report: Report,
    learner: NoiseLearner,
    exchanges: Iterable[tuple[int, Exchange]],
    target: Target,
    options: LiveOptions,
    saved: Recording | None,
    progress: Callable[[int, int], None] | None,
) -> None:
    from aimyproxy.diff.resend import Pace, resend

    done = 0

    def take(resent: Resent) -> None:
        nonlocal done
        done += 1
        if resent.reached:
            identity = saved.append(resent.candidate) if saved is not None else 0
            report.add(Pair(answer_of(resent.id, resent.baseline), answer_of(identity, resent.candidate)))
            for again in resent.repeats:
                learner.add_repeat(resent.candidate, again)
        else:
            failure = resent.candidate.failure
            report.add_unsent(resent.baseline.event, resent.id, failure.message if failure else "")
        if progress:
            progress(done, report.planned or 0)

    pace = Pace(options.concurrency, options.timeout, options.repeat, options.rate, options.mark)
    resend(exchanges, target, take, pace)


def _create(folder: RecordingsFolder, name: str, target: Target) -> Recording:
    recording, created = folder.open_or_create(name, target.display)
    if not created:
        raise RecordingExists(f"--save {name}: there is a recording {name} already. Choose another name, or `rm` it.")
    return recording
