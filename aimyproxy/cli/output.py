"""How the commands word and show things on a terminal."""

from __future__ import annotations

import re
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import click

from aimyproxy.cli.telling import to_standard_error
from aimyproxy.wording import printable, printable_lines, shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from aimyproxy.cli.telling import Teller
    from aimyproxy.exchange import Exchange

_USER: Final = 28
_EVENT: Final = 20
_CHANNEL: Final = 10
_EFFECT: Final = 160
_PROBLEM: Final = 300
_UTC: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


_tellers: Final[list[Teller]] = []


class _Form:
    """How lines are spelled in this process."""

    json = False


def spell_lines(form: str) -> None:
    """From now on, spell what is said as `text` or as `json`; see `aimyproxy.cli.jsonlog`."""
    _Form.json = form == "json"


def lines_are_json() -> bool:
    """Whether programs read what is said."""
    return _Form.json


def say(
    text: str,
    colour: str | None = None,
    kind: str = "note",
    about: Callable[[], Mapping[str, Any]] = dict,
    details: Sequence[str] = (),
) -> None:
    """Progress and logs: to standard error; where nobody reads it any more, the work goes on.

    `kind` and `about` are for programs that read it, `details` are lines that belong to it. Whatever was typed by
    others and is in it, it does nothing to the terminal.
    """
    for line in _lines(text, colour, kind, about, details):
        if _tellers:
            _tellers[-1].put(line)
            continue
        with suppress(OSError):
            click.echo(line, err=True)


def _lines(
    text: str, colour: str | None, kind: str, about: Callable[[], Mapping[str, Any]], details: Sequence[str]
) -> Sequence[str]:
    if _Form.json:
        from aimyproxy.cli import jsonlog

        return (jsonlog.spelled(text, colour, kind, about(), details),)
    lines = [printable_lines(line) for line in (text, *details)]
    return [click.style(line, fg=colour) for line in lines] if colour else lines


@contextmanager
def saying_aside() -> Iterator[None]:
    """A context in which `say` never waits: who has a bot to serve can't stop where a terminal isn't read."""
    teller = to_standard_error(_left_out)
    with teller.running():
        _tellers.append(teller)
        try:
            yield
        finally:
            _tellers.remove(teller)


def _left_out(count: int) -> str:
    text = f"{count:,} lines are left out here: nobody read them in time."
    return _lines(text, "yellow", "left_out", lambda: {"count": count}, ())[0]


def say_set_aside(path: Path, set_aside: Path) -> None:
    """That the file ended in what a crash left, and where that is now."""
    say(
        f"{path} ended in an unfinished line of {set_aside.stat().st_size} bytes (a crash?).",
        "yellow",
        "warning",
        details=(f"  Set aside in {set_aside}; all other exchanges are there.",),
    )


def counted(number: int, noun: str) -> str:
    """`1 exchange`, `2 exchanges`."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def user_column(user: str) -> str:
    """A userId in a table: its end, where it is too long, since that tells users of a channel apart."""
    shown = printable(user)
    return f"{shown if len(shown) <= _USER else f'…{shown[1 - _USER :]}':<{_USER}}"


def event_column(event: str) -> str:
    """An event in a table, or what stands in its place."""
    return f"{shortened(printable(event), _EVENT):<{_EVENT}}"


def local_time(moment: str, form: str = "%H:%M:%S") -> str:
    """An exchange's moment in this machine's time zone; as it is where it is no time."""
    # Many exchanges share a second, and nobody is shown less.
    return _local_time(f"{moment[:19]}Z" if _UTC.fullmatch(moment) else moment, form)


@lru_cache(maxsize=64)
def _local_time(moment: str, form: str) -> str:
    try:
        return datetime.fromisoformat(moment).astimezone().strftime(form)
    except ValueError:
        return moment


def exchange_line(exchange: Exchange, time_form: str = "%H:%M:%S") -> str:
    """An exchange in one line, without its id: time, channel, user, event, status, milliseconds, effect."""
    from aimyproxy import aimylogic

    channel, _, user = exchange.conversation or (None, None, "-")
    event = exchange.event if exchange.event is not None else f"{exchange.request.method} {exchange.request.path}"
    parts = [
        local_time(exchange.at, time_form),
        f"{shortened(channel or '-', _CHANNEL):<{_CHANNEL}}",
        user_column(user),
        event_column(event),
        f"{exchange.response.status if exchange.response else '':>3}",
        f"{exchange.timing.total_ms:>7.0f} ms",
        shortened(aimylogic.effect_summary(exchange.request, exchange.response), _EFFECT),
        shortened(f"{exchange.failure.kind}: {exchange.failure.message}", _PROBLEM) if exchange.failure else "",
    ]
    return printable("  ".join(part for part in parts if part))
