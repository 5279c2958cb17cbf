"""The two kinds of diff: of two recordings, and of a recording and a live candidate."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aimyproxy.diff.answers import answer_of
from aimyproxy.diff.noise import Noise, NoiseLearner
from aimyproxy.diff.pairs import Pair, pairs
from aimyproxy.diff.report import Report
from aimyproxy.diff.rules import NO_RULES, Rules
from aimyproxy.errors import BrokenFile, InvalidDocument, InvalidOption, RecordingExists

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from aimyproxy.diff.resend import Resent
    from aimyproxy.diff.rules import Told
    from aimyproxy.exchange import Exchange
    from aimyproxy.store.folder import RecordingsFolder
    from aimyproxy.store.recording import Recording
    from aimyproxy.target import Target


@dataclass(frozen=True, slots=True)
class LiveOptions:
    """How a live candidate is asked: requests at once, seconds for each, the recording that keeps what came back."""

    concurrency: int = 8
    timeout: float = 30.0
    save: str | None = None


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
    baseline: Recording, candidate: Recording, events: Collection[str] = (), rules: Rules = NO_RULES
) -> Report:
    """Compare two recordings by these rules; only these events, where some are given.

    Raises:
        InvalidOption: an event that neither recording has.
        BrokenFile, NewerFormat, StoreError: one of them can't be read.
    """
    noise, known = survey(baseline)
    if events:
        known = known | Counter(exchange.event for _, exchange in candidate)
        _check_events(events, known, f"{baseline.name} and {candidate.name} have")
    report = Report(baseline.name, candidate.name, noise, rules)
    for pair in pairs(_chosen(baseline, events), _chosen(candidate, events)):
        report.add(pair)
    return report


def diff_live(
    folder: RecordingsFolder,
    baseline: Recording,
    target: Target,
    events: Collection[str] = (),
    options: LiveOptions | None = None,
    progress: Callable[[int, int], None] | None = None,
    rules: Rules = NO_RULES,
) -> Report:
    """Re-send a recording's requests to the target and compare what comes back; only these events, where given.

    `progress` is told the number of answers so far and of requests in all. An interrupt from the keyboard ends the
    run with the report of what there is.

    Raises:
        InvalidOption: an event that the recording does not have.
        RecordingExists: the name to save under is taken; nothing was sent then.
        TargetError: the target can't be reached at all.
        BrokenFile, NewerFormat, StoreError: the baseline can't be read, or the answers can't be saved.
    """
    options = options or LiveOptions()
    noise, known = survey(baseline)
    _check_events(events, known, f"{baseline.name} has")
    planned = sum(known[event] for event in known if not events or event in events)
    report = Report(baseline.name, target.display, noise, rules, planned=planned, saved=options.save)
    saved = _create(folder, options.save, target) if options.save else None
    try:
        _resend(report, _chosen(baseline, events), target, options, saved, progress)
    except KeyboardInterrupt:
        report.interrupted = True
    except BaseException:
        if saved is not None and not len(saved):
            folder.remove(saved.name)
        raise
    finally:
        if saved is not None:
            saved.close()
    return report


def survey(baseline: Recording) -> tuple[Noise, Counter[str | None]]:
    """The baseline's noise, and how many exchanges of each event it has; one walk."""
    learner, events = NoiseLearner(), Counter[str | None]()
    for _, exchange in baseline:
        learner.add(exchange)
        events[exchange.event] += 1
    return learner.learned(), events


def _resend(
    report: Report,
    exchanges: Iterable[tuple[int, Exchange]],
    target: Target,
    options: LiveOptions,
    saved: Recording | None,
    progress: Callable[[int, int], None] | None,
) -> None:
    from aimyproxy.diff.resend import resend

    done = 0

    def take(resent: Resent) -> None:
        nonlocal done
        done += 1
        if resent.reached:
            identity = saved.append(resent.candidate) if saved is not None else 0
            report.add(Pair(answer_of(resent.id, resent.baseline), answer_of(identity, resent.candidate)))
        else:
            failure = resent.candidate.failure
            report.add_unsent(resent.baseline.event, resent.id, failure.message if failure else "")
        if progress:
            progress(done, report.planned or 0)

    resend(exchanges, target, take, concurrency=options.concurrency, timeout=options.timeout)


def _chosen(recording: Recording, events: Collection[str]) -> Iterator[tuple[int, Exchange]]:
    return ((identity, exchange) for identity, exchange in recording if not events or exchange.event in events)


def _check_events(wanted: Collection[str], known: Iterable[str | None], owner: str) -> None:
    names = sorted(event for event in known if event is not None)
    for event in wanted:
        if event not in names:
            listed = ", ".join(names) if names else "none"
            raise InvalidOption(f"--event {event}: there is no such event; {owner} {listed}.")


def _create(folder: RecordingsFolder, name: str, target: Target) -> Recording:
    recording, created = folder.open_or_create(name, target.display)
    if not created:
        raise RecordingExists(f"--save {name}: there is a recording {name} already. Choose another name, or `rm` it.")
    return recording
