"""The diff of a recording and a live candidate, or of two live ones: its requests are sent again."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from aimyproxy.diff.answers import Scope, answer_of
from aimyproxy.diff.noise import NoiseLearner
from aimyproxy.diff.pairs import Pair
from aimyproxy.diff.run import USUAL_TERMS
from aimyproxy.errors import RecordingExists
from aimyproxy.target import REPLAY_HEADER
from aimyproxy.trust import SYSTEM

if TYPE_CHECKING:
    from collections.abc import Callable

    from aimyproxy.diff.report import Report
    from aimyproxy.diff.resend import Resent
    from aimyproxy.diff.run import Progress, Terms
    from aimyproxy.exchange import Exchange
    from aimyproxy.store.folder import RecordingsFolder
    from aimyproxy.store.recording import Recording
    from aimyproxy.target import Target
    from aimyproxy.trust import Trust


@dataclass(frozen=True, slots=True)
class LiveOptions:
    """How a live candidate is asked.

    `concurrency` conversations side by side, `timeout` seconds for each answer, at most `rate` requests a second, each
    request `repeat` times in a row, marked by the header of the name `mark`. `save` is the recording that keeps what
    came back at first. `against` is asked the same, for the baseline's answers to be what it says now. In a `chain`,
    what a candidate changes in the bot's variables is what the conversation's later requests say. `trust` says whose
    certificates are accepted.
    """

    concurrency: int = 8
    timeout: float = 30.0
    save: str | None = None
    repeat: int = 1
    rate: float | None = None
    mark: str | None = REPLAY_HEADER
    against: Target | None = None
    chain: bool = False
    trust: Trust = SYSTEM


def _as_it_is(exchange: Exchange) -> Exchange:
    return exchange


@dataclass(frozen=True, slots=True)
class Redaction:
    """What is done to an exchange that just came from a webhook, before anything is made of it.

    `saving` gives, for the new recording that keeps it, what is done besides before it is saved.
    """

    answers: Callable[[Exchange], Exchange] = _as_it_is
    saving: Callable[[Recording], Callable[[Exchange], Exchange]] = lambda _: _as_it_is


AS_IT_IS: Final = Redaction()
"""Nothing is redacted."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What a walk over the baseline showed: its noise, its events, and how many exchanges of each were chosen."""

    learner: NoiseLearner
    events: Counter[str | None]
    chosen: Counter[str | None]
    conversations: int


def diff_live(
    folder: RecordingsFolder,
    baseline: Recording,
    target: Target,
    options: LiveOptions | None = None,
    progress: Progress | None = None,
    terms: Terms = USUAL_TERMS,
    redaction: Redaction = AS_IT_IS,
) -> Report:
    """Re-send a recording's requests to the target and compare what comes back.

    `progress` is told the number of answers so far and of requests in all. An interrupt from the keyboard ends the
    run with the report of what there is.

    Raises:
        InvalidOption: an event that the recording does not have, or users of whom there is nothing.
        RecordingExists: the name to save under is taken; nothing was sent then.
        TargetError: a target can't be reached at all.
        BrokenFile, NewerFormat, StoreError: the baseline can't be read, or the answers can't be saved.
    """
    options = options or LiveOptions()
    found = survey(baseline, terms)
    terms.selection.check(found.events, found.chosen.total(), f"{baseline.name} has")
    report = terms.report(options.against.display if options.against else baseline.name, target.display)
    report.planned, report.saved = found.chosen.total(), options.save
    saved = _create(folder, options.save, target) if options.save else None
    fresh = options.against is not None
    try:
        save = _saving(saved, redaction) if saved is not None else None
        _resend(
            _Taking(baseline.name, report, found.learner, terms.scope, save, progress, redaction.answers, fresh),
            baseline,
            target,
            options,
            terms,
        )
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


def survey(baseline: Recording, terms: Terms = USUAL_TERMS) -> Survey:
    """What there is in a baseline; one walk."""
    learner, events, chosen = NoiseLearner(terms.scope), Counter[str | None](), Counter[str | None]()
    conversations = set()
    for _, exchange in baseline:
        learner.add(exchange)
        events[exchange.event] += 1
        if terms.selection.takes(exchange):
            chosen[exchange.event] += 1
            conversations.add(hash(exchange.conversation))
    return Survey(learner, events, chosen, len(conversations))


@dataclass(slots=True)
class _Taking:
    """What is done with each answer to the requests of the recording `name` as it comes.

    Where `fresh` is true, the baseline's answers are no recorded ones.
    """

    name: str
    report: Report
    learner: NoiseLearner
    scope: Scope
    save: Callable[[Exchange], int] | None
    progress: Progress | None
    redact: Callable[[Exchange], Exchange]
    fresh: bool
    _done: int = 0

    def take(self, resent: Resent) -> None:
        self._done += 1
        resent = self._redacted(resent)
        if resent.reached:
            made_from = (self.name, resent.id)
            identity = self.save(replace(resent.candidate, made_from=made_from)) if self.save else 0
            before = answer_of(resent.id, resent.baseline, self.scope)
            unaltered = answer_of(0, resent.unaltered, self.scope) if resent.unaltered else None
            after = answer_of(identity, resent.candidate, self.scope)
            self.report.add(Pair(before, after), resent.altered, unaltered)
            for first, again in resent.repeats:
                self.learner.add_repeat(first, again)
        else:
            failure = resent.candidate.failure
            self.report.add_unsent(resent.baseline.event, resent.id, failure.message if failure else "")
        if self.progress:
            self.progress(self._done, self.report.planned or 0)

    def _redacted(self, resent: Resent) -> Resent:
        redact = self.redact
        if redact is _as_it_is:
            return resent
        return replace(
            resent,
            baseline=redact(resent.baseline) if self.fresh else resent.baseline,
            candidate=redact(resent.candidate),
            repeats=tuple((redact(first), redact(again)) for first, again in resent.repeats),
            unaltered=resent.unaltered and redact(resent.unaltered),
        )


def _saving(recording: Recording, redaction: Redaction) -> Callable[[Exchange], int]:
    redact = redaction.saving(recording)
    return lambda exchange: recording.append(redact(exchange))


def _resend(taking: _Taking, baseline: Recording, target: Target, options: LiveOptions, terms: Terms) -> None:
    from aimyproxy.diff.resend import Pace, resend

    pace = Pace(options.concurrency, options.timeout, options.repeat, options.rate, options.mark, options.trust)
    exchanges = terms.selection.of(baseline)
    resend(exchanges, target, taking.take, pace, against=options.against, chain=options.chain)


def _create(folder: RecordingsFolder, name: str, target: Target) -> Recording:
    recording, created = folder.open_or_create(name, target.display)
    if not created:
        raise RecordingExists(f"--save {name}: there is a recording {name} already. Choose another name, or `rm` it.")
    return recording
