"""Values and differences in few words, safe to print on any terminal."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from aimyproxy.diff.arrays import common_start
from aimyproxy.jsonvalue import kind_of, path_text
from aimyproxy.wording import LONGEST, printable, shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from aimyproxy.diff.changes import Change, Event, Shape
    from aimyproxy.diff.comparison import Aspect
    from aimyproxy.diff.latency import Compared
    from aimyproxy.diff.structure import Difference
    from aimyproxy.jsonvalue import JSON

_AROUND: Final = 12


def spelled(value: JSON) -> str:
    """The value as compact JSON, letters of every script as they are."""
    return printable(json.dumps(value, ensure_ascii=False))


def event_name(event: Event) -> str:
    """The event as it is spelled, in quotes where it could be taken for something else."""
    if event is None:
        return "(no event)"
    return event if event.strip() == event != "" and event.isprintable() else spelled(event)


def event_shown(event: Event) -> str:
    """The same, cut where it is too long for a line."""
    return shortened(event_name(event))


def described(change: Change, most: int = 2) -> str:
    """What changed: `$.name "John" → "Jon"`, `$.promo added 5`, `status 200 → 500`; at most so many values."""
    # Long values that differ elsewhere look the same once they are cut down to their change.
    values = list(dict.fromkeys(_values(change.aspect, example.difference) for example in change.examples))
    shown = ", ".join(values[:most]) + (", …" if len(values) > most else "")
    return f"{place(change.aspect, change.path)} {shown}"


def each_described(shape: Shape, found: list[Difference]) -> Iterator[str]:
    """Differences of one shape, one by one, each at its own path."""
    aspect, path, _ = shape
    for difference in found:
        where = path_text(difference.path) if aspect == "effect" else path
        yield f"{place(aspect, where)} {_values(aspect, difference)}"


def place(aspect: Aspect, path: str) -> str:
    """Where something changed: `$.name`, `header content-type`, `status`."""
    if aspect == "header":
        return f"header {printable(path)}"
    return printable(path) if aspect == "effect" else aspect


def counts(change: Change, compared: int) -> str:
    """In how many answers of all: `(12 of 40)`, or with more places than answers `(12 of 40, 31 places)`."""
    places = f", {change.places} places" if change.places > change.answers else ""
    return f"({change.answers} of {compared}{places})"


def ids_text(ids: Iterable[int], most: int = 3) -> str:
    """Exchange ids in words: `exchange 7`, `exchanges 1, 5, 9, …`."""
    shown = [str(identity) for identity in ids]
    listed = ", ".join(shown[:most]) + (", …" if len(shown) > most else "")
    return f"exchange{'s' if len(shown) != 1 else ''} {listed}"


def plural(number: int, noun: str) -> str:
    """`1 answer`, `2 answers`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _values(aspect: Aspect, difference: Difference) -> str:
    before, after = difference.before, difference.after
    if aspect == "failure":
        return f"{before or 'none'} → {after or 'none'}"
    if difference.kind == "added":
        return f"added {shortened(spelled(after))}"
    if difference.kind == "removed":
        return f"removed {shortened(spelled(before))}"
    if difference.kind == "type":
        return f"{_typed(before)} → {_typed(after)}"
    if isinstance(before, str):
        return " → ".join(f'"{part}"' for part in _around_the_change(spelled(before)[1:-1], spelled(after)[1:-1]))
    return f"{spelled(before)} → {spelled(after)}"


def _typed(value: JSON) -> str:
    return "null" if value is None else f"{kind_of(value)} {shortened(spelled(value))}"


def _around_the_change(before: str, after: str) -> tuple[str, str]:
    """Both texts, less what long ones have in common far from the change."""
    if max(len(before), len(after)) <= LONGEST:
        return before, after
    start = common_start(before, after)
    rest = min(len(before), len(after)) - start
    end = min(rest, common_start(before[::-1], after[::-1]))
    return _window(before, start, end), _window(after, start, end)


def _window(text: str, start: int, end: int) -> str:
    first = start - _AROUND if start > _AROUND + 1 else 0
    last = len(text) - (end - _AROUND if end > _AROUND + 1 else 0)
    head, tail = ("…" if first else ""), ("…" if last < len(text) else "")
    return head + shortened(text[first:last], LONGEST + 2 * _AROUND) + tail


def reason(change: Change) -> str:
    """Why a change is noise: `differs within the baseline in 12 of 12, a timestamp`."""
    evidence = change.evidence
    if evidence is None:
        return ""
    said = []
    if evidence.pairs_differing:
        said.append(f"differs within the baseline in {evidence.pairs_differing} of {evidence.pairs}")
    if evidence.repeats_differing:
        said.append(f"differs when asked again in {evidence.repeats_differing} of {evidence.repeats}")
    return ", ".join([*said, *([f"a {evidence.kind}"] if evidence.kind else [])])


def time_of(compared: Compared) -> str:
    """Both sides in words: `median 41 → 95 ms, 95% within 60 → 180 ms, of 40`."""
    before, after = compared.baseline, compared.candidate
    return (
        f"median {before.median:.0f} → {after.median:.0f} ms, 95% within {before.p95:.0f} → {after.p95:.0f} ms, "
        f"of {before.count}"
    )
