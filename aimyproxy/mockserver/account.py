"""What a mock server was asked and what it answered, in words that are safe to print."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aimyproxy import aimylogic
from aimyproxy.diff.wording import event_shown, plural, spelled
from aimyproxy.exchange import ABSENT
from aimyproxy.wording import printable, shortened

if TYPE_CHECKING:
    from aimyproxy.answering.journal import Entry
    from aimyproxy.jsonvalue import JSON

_LONGEST: Final = 240


def entry_lines(entry: Entry) -> list[str]:
    """A request and what it got; where nothing answered, with the explanation."""
    if entry.miss and entry.source == "miss":
        return [entry_line(entry), *(f"    {printable(line)}" for line in entry.miss.lines())]
    return [entry_line(entry)]


def entry_line(entry: Entry) -> str:
    """A request and what it got: `  12. order (u3) {"qty": 2} → 200, learned #17 {"total": 980}`.

    Of the request the variables of the bot's author, of the answer its effect; long ones cut.
    """
    request = entry.request
    event = event_shown(entry.event) if entry.event is not None else printable(f"{request.method} {request.path}")
    user = f" ({printable(entry.conversation[2])})" if entry.conversation else ""
    answered = f"{entry.status or 'no answer'}, {printable(entry.source)}"
    parts = [f"  {entry.number}. {event}{user}", _asked(entry), "→", answered, _effect(entry)]
    return " ".join(part for part in parts if part)


def _asked(entry: Entry) -> str:
    variables = entry.variables
    if variables is None:
        return "" if entry.request.body == ABSENT else _cut(entry.request.body.value)
    return _cut({name: value for name, value in variables.items() if name not in aimylogic.SYSTEM_VARIABLES})


def _effect(entry: Entry) -> str:
    if entry.response is None or (entry.miss and entry.source == "miss"):
        return ""
    return _cut(aimylogic.effect_of(entry.request, entry.response).value)


def _cut(value: JSON) -> str:
    shown = plural(len(value), "byte") if isinstance(value, bytes) else spelled(value)
    return shortened(shown, _LONGEST)
