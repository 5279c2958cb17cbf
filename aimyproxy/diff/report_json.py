"""The report as JSON, for programs: one object, with all members always there.

    {"version": 1,
     "baseline": "shop",                    the recording's name
     "candidate": "http://localhost:5000",  the recording's name, or the target's URL without user and password
     "saved": null,                         the recording that keeps what came back, or null
     "verdict": "1 of 42 answers differs, in 1 of 6 events.",
     "rules": ["$.id is left out"],         what a person told this diff, in words
     "exit_status": 1,                      0 same (noise aside), 1 different, 2 trouble, 130 interrupted
     "interrupted": false,
     "planned": 42,                         requests that were to be re-sent; null between two recordings
     "compared": 42,                        pairs of answers that were compared
     "differing": 1,                        how many of them differ, noise aside
     "events": [{"event": "start", "compared": 40, "differing": 1}],          most affected first
     "changes": [CHANGE],                                                     most affected event first
     "noise": [CHANGE],
     "pairs": [{"event": "start", "baseline": 1, "candidate": 1, "patch": […]}],  with --verbose; else none
     "latency": [{"event": "start", "slower": false,     milliseconds; whether the candidate is clearly slower
                  "baseline": {"count": 40, "median": 41.2, "p95": 60.1}, "candidate": {…}}],
     "only_in_baseline": [{"event": "start", "exchanges": [7]}],
     "only_in_candidate": [{"event": "start", "exchanges": [9]}],
     "unknown": [{"event": "start", "exchanges": [3]}],     the bot hung up before an answer came: not compared
     "unsent": [{"event": "start", "exchanges": [4]}],      did not get through to the candidate: not compared
     "unsent_reasons": [{"reason": "Connection refused", "count": 1}]}

A CHANGE is what many answers have in common:

    {"event": "start",                      null where the request was no bot's
     "aspect": "effect",                    effect | header | status | failure
     "path": "$.order.items[*].price",      `[*]` is any index; `$` for a status, a failure or a whole body
     "kind": "changed",                     added | removed | changed | type
     "answers": 12,                         how many answers show it,
     "compared": 40,                        of how many of this event
     "places": 31,                          differences in these answers, one for each element of an array
     "altered": 0,                          how many answers show it only since earlier changes changed the request
     "exchanges": [1, 5, 9],                the baseline's ids of these answers
     "same_everywhere": false,              whether the values are the same in all places; `examples` is one then
     "examples": [{"baseline": 1, "candidate": 1, "path": "$.order.items[0].price", "before": 500, "after": 550,
                   "patch": [{"op": "replace", "path": "/order/items/0/price", "value": 550}]}],
     "evidence": null}

`pairs` are the first thousand pairs of answers that differ, by the baseline's ids; applying the `patch` (JSON Patch,
RFC 6902) to the effect of the baseline's answer gives that of the candidate's, noise included.

`examples` are up to three with different values. Their `candidate` is null where nothing was recorded, `before` is
null for kind "added", `after` for kind "removed", and `patch` the same as JSON Patch of the effect; it is empty for all
but effects. Statuses are numbers; a failure is its kind (connect, timeout, disconnect, protocol), null on the side that
answered. In "noise", `evidence` says how the baseline differs from itself, and a candidate that was asked more than
once from itself, and what the values look like (timestamp, UUID, token, counter or null): {"groups": 5,
"groups_differing": 5, "pairs": 12, "pairs_differing": 12, "repeats": 0, "repeats_differing": 0, "kind": null}.

A change that needs a reader to be changed raises `version`; new members don't.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Final

from aimyproxy import jsonvalue
from aimyproxy.diff.comparison import effect_differences
from aimyproxy.diff.report import in_order
from aimyproxy.diff.report_text import verdict
from aimyproxy.diff.structure import patch

if TYPE_CHECKING:
    from aimyproxy.diff.changes import Change, Example
    from aimyproxy.diff.report import Detail, Ids, Report
    from aimyproxy.jsonvalue import JSON

VERSION: Final = 1


def render(report: Report) -> str:
    """The report as indented JSON with a line break at its end."""
    return jsonvalue.pretty(as_json(report)) + "\n"


def as_json(report: Report) -> dict[str, JSON]:
    """The report as the object that the module's docstring describes."""
    return {
        "version": VERSION,
        "baseline": report.baseline,
        "candidate": report.candidate,
        "saved": report.saved,
        "verdict": verdict(report),
        "rules": report.told,
        "exit_status": report.exit_status,
        "interrupted": report.interrupted,
        "planned": report.planned,
        "compared": report.compared.total(),
        "differing": report.differing.total(),
        "events": _events(report),
        "changes": [_change(report, change) for change in report.changes],
        "noise": [_change(report, change) for change in report.noisy_changes],
        "pairs": [_pair(detail) for detail in report.details],
        "latency": [{"event": event, **asdict(compared)} for event, compared in report.times],
        "only_in_baseline": _ids(report.only_in_baseline),
        "only_in_candidate": _ids(report.only_in_candidate),
        "unknown": _ids(report.unknown),
        "unsent": _ids(report.unsent),
        "unsent_reasons": [{"reason": reason, "count": times} for reason, times in report.unsent_reasons.most_common()],
    }


def _events(report: Report) -> list[JSON]:
    return [
        {"event": event, "compared": report.compared[event], "differing": report.differing[event]}
        for event in sorted(report.compared, key=report.rank)
    ]


def _change(report: Report, change: Change) -> dict[str, JSON]:
    return {
        "event": change.event,
        "aspect": change.aspect,
        "path": change.path,
        "kind": change.kind,
        "answers": change.answers,
        "compared": report.compared[change.event],
        "places": change.places,
        "altered": change.altered,
        "exchanges": change.exchanges,
        "same_everywhere": change.same_everywhere,
        "examples": [_example(change, example) for example in change.examples],
        "evidence": asdict(change.evidence) if change.evidence else None,
    }


def _example(change: Change, example: Example) -> dict[str, JSON]:
    return {
        "baseline": example.baseline,
        "candidate": example.candidate,
        "path": jsonvalue.path_text(example.difference.path),
        "before": example.difference.before,
        "after": example.difference.after,
        "patch": patch([example.difference]) if change.aspect == "effect" else [],
    }


def _pair(detail: Detail) -> dict[str, JSON]:
    before, after = detail.baseline, detail.candidate
    return {
        "event": before.event,
        "baseline": before.id,
        "candidate": after.id or None,
        "patch": patch(effect_differences(before.effect, after.effect)),
    }


def _ids(ids: Ids) -> list[JSON]:
    return [{"event": event, "exchanges": of_event} for event, of_event in in_order(ids)]
