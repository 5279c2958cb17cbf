"""A miss explains itself: the nearest exchanges, the fields that kept them from matching, and what would help."""

from __future__ import annotations

import difflib
import shlex
from dataclasses import dataclass
from heapq import nsmallest
from itertools import chain, islice
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, Protocol, TypeAlias

from aimyproxy import aimylogic, jsonvalue
from aimyproxy.wording import shortened

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from aimyproxy.answering.asked import Asked
    from aimyproxy.answering.faults import Fault
    from aimyproxy.exchange import Conversation
    from aimyproxy.jsonvalue import JSON, Path

SAMPLES: Final = 50
"""How many recorded requests of each event are kept for explanations."""

NEAREST: Final = 3
FIELDS: Final = 6
FIELDS_IN_TEXT: Final = 3
"""How many exchanges a miss names at most, and how many differing fields of each, in JSON and in text."""

_MOST_DIFFERENCES: Final = 200
_LONGEST_VALUE: Final = 80
_LONGEST_SHOWN: Final = 40
_LONGEST_EVENT: Final = 100

ABSENT: Final = object()
"""Stands where a field is not there."""

Standing: TypeAlias = Literal["answered", "private", "unanswered", "mocked", "unknown"]
"""What the index has for an event: answers, only such as may tell of somebody, no response, only mocks, or nothing."""


class Sample(NamedTuple):
    """A recorded request and its exchange's id."""

    exchange: int
    asked: Asked


class Samples(Protocol):
    """Recorded requests to explain a miss by, the latest ones."""

    @property
    def events(self) -> Collection[str | None]:
        """The events that there are."""

    def of_event(self, event: str | None) -> Iterable[Sample]:
        """Those of an event."""

    def of_conversation(self, conversation: Conversation | None) -> Iterable[Sample]:
        """Those of a conversation."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that differs: its JSONPath and its values (long ones cut); ABSENT on a side that hasn't got it."""

    path: str
    recorded: JSON
    request: JSON

    def document(self) -> dict[str, JSON]:
        """`{"path": "$.name", "recorded": "Иван", "request": "Пётр"}`, without the side that hasn't got the field."""
        sides = {"recorded": self.recorded, "request": self.request}
        return {"path": self.path, **{side: value for side, value in sides.items() if value is not ABSENT}}

    def __str__(self) -> str:
        return f"{self.path} {_shown(self.recorded)} → {_shown(self.request)}"


@dataclass(frozen=True, slots=True)
class Near:
    """An exchange that nearly answered, why it was looked at, and what kept it; `more` fields differ besides."""

    exchange: int
    event: str | None
    reason: str
    differences: tuple[Difference, ...]
    more: int

    def document(self) -> dict[str, JSON]:
        """The form in which the bot's developer reads it."""
        return {
            "exchange": self.exchange,
            "event": self.event,
            "reason": self.reason,
            "differences": [difference.document() for difference in self.differences],
            "more_differences": self.more,
        }

    def __str__(self) -> str:
        fields = ", ".join(map(str, self.differences[:FIELDS_IN_TEXT]))
        more = self.more + len(self.differences[FIELDS_IN_TEXT:])
        fields += f" and {more} more" if more else ""
        event = shortened(self.event, _LONGEST_SHOWN) if self.event else "(no event)"
        return f"#{self.exchange} {event} ({self.reason}): {fields or 'nothing differs'}"


@dataclass(frozen=True, slots=True)
class Miss:
    """That nothing answers a request, why, and what would help; `fault` is that of a mock that says nothing else."""

    event: str | None
    conversation: Conversation | None
    reason: str
    nearest: tuple[Near, ...]
    suggestion: str
    fault: Fault | None = None

    def document(self) -> dict[str, JSON]:
        """The explanation as JSON."""
        return {
            "error": self.reason,
            "event": self.event,
            "conversation": self.conversation and list(self.conversation),
            "nearest": [near.document() for near in self.nearest],
            "suggestion": self.suggestion,
        }

    def lines(self) -> list[str]:
        """The explanation in a few lines."""
        return [self.reason, *(f"  {near}" for near in self.nearest), f"  {self.suggestion}"]


@dataclass(frozen=True, slots=True)
class Exhausted:
    """That a conversation asks for something the `time`-th time (from 1), and none recorded did more than `longest`."""

    longest: int
    time: int


def explain(
    asked: Asked,
    samples: Samples,
    standing: Standing,
    arguments: str,
    exhausted: Exhausted | None = None,
) -> Miss:
    """Explain why nothing answers this request.

    `samples` are recorded requests; `standing` is that of the request's event; `arguments` is how a command
    line names the recording; `exhausted` is set where this was asked too often, and that is why.
    """
    suggestion = _suggestion(asked, arguments)
    if exhausted:
        # No field of the request kept it from its answer.
        suggestion = f"--after-last last or cycle would go on answering. {suggestion}"
        return Miss(asked.event, asked.conversation, _exhausted_reason(asked, exhausted), (), suggestion)
    near = tuple(_nearest(asked, samples))
    return Miss(asked.event, asked.conversation, _reason(asked, standing), near, suggestion)


def _exhausted_reason(asked: Asked, exhausted: Exhausted) -> str:
    times = "once" if exhausted.longest == 1 else f"{exhausted.longest} times"
    end = f"and this is time {exhausted.time} (--after-last miss)."
    if asked.event is None:
        return f"No recorded conversation sent this request more than {times}, {end}"
    unnamed = " Requests without a userId count as one conversation." if asked.conversation is None else ""
    return f"No recorded conversation asked for {_shown(asked.event)} more than {times}, {end}{unnamed}"


def _reason(asked: Asked, standing: Standing) -> str:
    if asked.event is None:
        return "The request is no bot's (no JSON object with an action), and the recording has no such request."
    event = _shown(asked.event)
    if standing == "answered":
        return f"No exchange of the event {event} has these variables, and only exact matches may answer."
    if standing == "private":
        return f"Each recorded answer to {event} may hold what is somebody's own (--match learned makes answers anew)."
    if standing == "unanswered":
        return f"No exchange of the event {event} has a response to replay."
    if standing == "mocked":
        return f"The event {event} is not in the recording, and no mock that answers it has conditions that hold."
    return f"The event {event} is not in the recording."


def _suggestion(asked: Asked, arguments: str) -> str:
    if asked.event is None:
        return 'To answer it, add a mock {"event": null, "answer": {…}} to mocks.json.'
    if len(asked.event) > _LONGEST_EVENT:
        return "To answer it, add a mock to mocks.json; its event is too long for a command."
    event = shlex.quote(asked.event)
    answer = """--answer '{"variable": "value"}'"""
    if event.startswith("-"):
        return f"To answer it: aimyproxy mock {arguments} {answer} -- {event}"
    return f"To answer it: aimyproxy mock {arguments} {event} {answer}"


def _nearest(asked: Asked, samples: Samples) -> Iterator[Near]:
    candidates, reason = _candidates(asked, samples)
    measured = ((sample, *_measured(sample, asked)) for sample in candidates)
    for sample, shown, count in nsmallest(NEAREST, measured, key=lambda one: (one[2], -one[0].exchange)):
        yield Near(sample.exchange, sample.asked.event, reason, tuple(shown), count - len(shown))


def _candidates(asked: Asked, samples: Samples) -> tuple[Iterable[Sample], str]:
    if asked.event in samples.events:
        return samples.of_event(asked.event), "same event" if asked.event is not None else "no event either"
    if asked.event is None:
        return (), ""
    similar = _similar(asked.event, [event for event in samples.events if event is not None])
    if similar:
        return chain.from_iterable(map(samples.of_event, similar)), "event spelled alike"
    own = samples.of_conversation(asked.conversation) if asked.conversation is not None else ()
    return own, "same conversation"


def _similar(event: str, events: list[str]) -> list[str]:
    folded: dict[str, list[str]] = {}
    for known in events:
        folded.setdefault(known.casefold()[:_LONGEST_EVENT], []).append(known)
    close = difflib.get_close_matches(event.casefold()[:_LONGEST_EVENT], folded, NEAREST)
    return [known for one in close for known in folded[one]]


def _measured(sample: Sample, asked: Asked) -> tuple[list[Difference], int]:
    found = list(islice(_differences(sample.asked.content, asked.content), _MOST_DIFFERENCES))
    found.sort(key=lambda one: _weight(one[0]))
    shown = [Difference(_spelled(path, asked), _cut(before), _cut(after)) for path, before, after in found[:FIELDS]]
    return shown, len(found)


def _weight(path: Path) -> int:
    """The event first, then what the bot's author named, then the system's, then what the channel sent."""
    if path[0] == "action":
        return 0
    if path[0] not in aimylogic.SYSTEM_VARIABLES:
        return 1
    return 3 if path[0] == aimylogic.RAW_REQUEST else 2


def _spelled(path: Path, asked: Asked) -> str:
    # Where there is no event, the first step names a part of the HTTP request.
    text = jsonvalue.path_text(path)
    return text if asked.event is not None else text.removeprefix("$.")


def _differences(recorded: JSON, request: JSON, path: Path = ()) -> Iterator[tuple[Path, JSON, JSON]]:
    if isinstance(recorded, dict) and isinstance(request, dict):
        for name in dict.fromkeys((*recorded, *request)):
            yield from _differences(recorded.get(name, ABSENT), request.get(name, ABSENT), (*path, name))
    elif isinstance(recorded, list) and isinstance(request, list) and len(recorded) == len(request):
        for position, (before, after) in enumerate(zip(recorded, request, strict=True)):
            yield from _differences(before, after, (*path, position))
    elif recorded is ABSENT or request is ABSENT or not jsonvalue.same(recorded, request):
        yield path, recorded, request


def _cut(value: JSON) -> JSON:
    """The value, or what it is like where it is long."""
    if value is ABSENT or len(jsonvalue.dumps(value)) <= _LONGEST_VALUE:
        return value
    if isinstance(value, dict):
        return f"{{… {len(value)} members}}"
    if isinstance(value, list):
        return f"[… {len(value)} elements]"
    text = value if isinstance(value, str) else str(value)
    return text[: _LONGEST_VALUE - 1] + "…"


def _shown(value: JSON) -> str:
    if value is ABSENT:
        return "(absent)"
    text = jsonvalue.dumps(value).decode()
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 2] + '…"'
