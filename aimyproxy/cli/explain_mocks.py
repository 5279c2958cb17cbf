"""What `aimyproxy explain` says of mocks, in plain words: which comes before which, what it wants, what it answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aimyproxy import jsonvalue
from aimyproxy.answering.conditions import RANGES, Equals, Exists, Matches, OneOf, Range
from aimyproxy.answering.precedence import failing, hiding, tried, winning
from aimyproxy.cli.output import counted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from aimyproxy.answering.answers import Answer, Source, Step
    from aimyproxy.answering.conditions import Condition, Wanted
    from aimyproxy.answering.faults import Fault
    from aimyproxy.answering.misses import Miss
    from aimyproxy.answering.mocks import Mock
    from aimyproxy.jsonvalue import JSON

_LONGEST_BODY = 60
_LONGEST_VALUE = 40
_STEPS: dict[Step, str] = {
    "exact": "the same request as recorded",
    "conversation": "the next answer of this conversation's recorded sequence",
    "learned": "what the recording teaches about the event",
    "guess": "a guess from the little that the recording teaches about the event",
    "usual": "the event's usual answer",
}


def listed(mocks: Sequence[Mock], recorded: Collection[int]) -> Iterator[str]:
    """The mocks of one event (in the order of the file), in lines; `recorded` are the ids of all exchanges."""
    if not mocks:
        return
    yield "  mocks, in the order in which they are tried:"
    ordered = tried(mocks)
    for mock in ordered:
        remarks = _remarks(mock, recorded, hiding(mock, ordered))
        yield f"      mock {mock.identity}{_when(mock)} {_answered(mock)}{remarks}"


def judged(identity: int, mocks: Sequence[Mock], root: JSON, found: Answer | Miss) -> Iterator[str]:
    """What answers the request of a recorded exchange, and why the other mocks don't; `found` is what replay gives."""
    ordered = tried(mocks)
    winners = winning(ordered, root)
    yield f"  for the request of exchange {identity}, {_outcome(found)}"
    for mock in ordered:
        if mock not in winners and not mock.edits_exchange:
            yield f"      mock {mock.identity} doesn't: {_reason(mock, winners, root)}"


def _outcome(found: Answer | Miss) -> str:
    source = getattr(found, "source", None)
    return _source(source) if source else f"nothing answers: {getattr(found, 'reason', '')}"


def _source(source: Source) -> str:
    if source.mock is None:
        return f"no mock answers, but {_STEPS[source.step]} ({source})"
    if source.problem:
        return f"mock {source.mock} answers, and fails: {source.problem}"
    if source.over:
        return f"mock {source.mock} answers, laid over {_beneath(source.over)}"
    edited = f", the edited response of exchange {source.exchange}" if source.exchange else ""
    return f"mock {source.mock} answers{edited}"


def _beneath(source: Source) -> str:
    if source.mock is None:
        return f"{_STEPS[source.step]} ({source})"
    return f"mock {source.mock}" + (f", which is laid over {_beneath(source.over)}" if source.over else "")


def _reason(mock: Mock, winners: Sequence[Mock], root: JSON) -> str:
    if not mock.enabled:
        return "it is disabled"
    condition = failing(mock, root)
    if condition is not None:
        return f"it wants that {_condition(condition)}, and the request has {_found(condition, root)}"
    return f"it would, but mock {winners[-1].identity} comes before it"


def _found(condition: Condition, root: JSON) -> str:
    values = condition.path.values(root)
    if not values:
        return "nothing there"
    return ", ".join(_shown(value) for value in values[:3]) + (", …" if len(values) > 3 else "")


def _remarks(mock: Mock, recorded: Collection[int], before: Mock | None) -> str:
    remark = f" ({mock.note})" if mock.note else ""
    if not mock.enabled:
        return f"{remark}; disabled"
    if mock.edits_exchange and mock.from_exchange not in recorded:
        return f"{remark}; never wins: there is no such exchange"
    return f"{remark}; never wins: mock {before.identity} always comes before it" if before else remark


def _when(mock: Mock) -> str:
    if mock.edits_exchange:
        return f", in the place of exchange {mock.from_exchange},"
    if not mock.conditions:
        return " always"
    return f", where {' and '.join(map(_condition, mock.conditions))},"


def _condition(condition: Condition) -> str:
    path = condition.path.spelled
    return f"{path.removeprefix('$.') if path.startswith('$.') else path} {_wanted(condition.wanted)}"


def _wanted(wanted: Wanted) -> str:
    match wanted:
        case Equals(value):
            return f"is {_shown(value)}"
        case OneOf(values):
            return f"is {' or '.join(map(_shown, values))}"
        case Matches(pattern):
            return f"matches {_shown(pattern.pattern)}"
        case Exists(there):
            return "is there" if there else "is not there"
        case Range():
            bounds = ((name, getattr(wanted, name)) for name in RANGES)
            given = (f"{name.replace('_', ' ')} {bound}" for name, bound in bounds if abs(bound) != float("inf"))
            return f"is {' and '.join(given)}"
    raise TypeError(wanted)


def _answered(mock: Mock) -> str:
    parts = [_content(mock)]
    if mock.delay_ms:
        parts.append(f"after {mock.delay_ms:g} ms")
    if mock.fault:
        parts.append(_fault(mock.fault))
    return ", ".join(part for part in parts if part)


def _content(mock: Mock) -> str:
    body = _body(mock)
    status = f"status {mock.status}" if mock.status else ""
    if mock.merge:
        laid = " and ".join(part for part in (status, body, "headers" if mock.headers else "") if part)
        return f"lays {laid} over the answer that there would be without it" if laid else ""
    if not body:
        return f"answers {status} and no body" if status else ""
    return f"answers {status} and {body}" if status else f"answers {body}"


def _body(mock: Mock) -> str:
    kind, value = mock.body.kind, mock.body.value
    if kind == "absent":
        return ""
    if kind == "base64":
        return counted(len(mock.body.raw), "byte")
    return _shown(value, _LONGEST_BODY) if kind == "json" else f"the text {_shown(value, _LONGEST_BODY)}"


def _fault(fault: Fault) -> str:
    often = "" if fault.rate >= 1 else f" in {fault.rate:.0%} of all cases"
    return f"fails with {fault.kind}{often}"


def _shown(value: JSON, longest: int = _LONGEST_VALUE) -> str:
    text = jsonvalue.dumps(value).decode()
    return text if len(text) <= longest else text[: longest - 1] + "…"
