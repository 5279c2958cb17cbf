"""The options of `replay` about its answers: how they are chosen, how long they take, and what goes wrong."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from aimyproxy.errors import InvalidOption

if TYPE_CHECKING:
    from collections.abc import Callable

    from aimyproxy.answering.faults import Faults
    from aimyproxy.answering.fresh import Dice
    from aimyproxy.answering.latency import Latency
    from aimyproxy.answering.serving import Match, Serving


@dataclass(frozen=True, slots=True)
class Answering:
    """How answers are chosen, how long they take and what goes wrong; `seed` is that of all dice."""

    match: Match
    serving: Serving
    latency: Latency
    faults: Faults
    seed: int


def answer_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Pass how to answer as `answering`."""

    @click.option(
        "--match",
        type=click.Choice(["exact", "learned", "event"]),
        default="learned",
        show_default=True,
        help="How much to generalise: answer recorded requests only, as the recording teaches, or each event's usual "
        "way.",
    )
    @click.option(
        "--after-last",
        type=click.Choice(["last", "cycle", "miss"]),
        default="last",
        show_default=True,
        help="Where a user asks more often than any did in the recording: the last answer again, from the first on, "
        "none.",
    )
    @click.option("--fresh", is_flag=True, help="Make timestamps, UUIDs and random values anew instead of as recorded.")
    @click.option(
        "--latency",
        default="none",
        show_default=True,
        help="How long answers take: none, recorded, x2 (twice the recorded), 200ms, 100..400ms.",
    )
    @click.option(
        "--fault",
        "faults",
        envvar="AIMYPROXY_REPLAY_FAULT",
        metavar="EVENT=FAULT",
        multiple=True,
        help="Let an event (* for all) fail: timeout, reset, slow, garbage, empty or a status, and how often if not "
        "always, as in pay=500:30%; repeatable.",
    )
    @click.option("--seed", type=int, default=1, show_default=True, help="The same seed, the same faults and waits.")
    @functools.wraps(command)
    def wrapped(*arguments: Any, **options: Any) -> Any:
        from aimyproxy.answering.serving import Serving

        match, fresh, seed = options.pop("match"), options.pop("fresh"), options.pop("seed")
        if fresh and match != "learned":
            raise click.UsageError("--fresh needs --match learned: what is noise is learned from the recording.")
        serving = Serving(options.pop("after_last"), _dice() if fresh else None)
        latency, faults = _latency(options.pop("latency")), _faults(options.pop("faults"), seed)
        return command(*arguments, answering=Answering(match, serving, latency, faults, seed), **options)

    return wrapped


def _dice() -> Dice:
    from aimyproxy.answering.fresh import Dice

    return Dice()


def _latency(given: str) -> Latency:
    """The latency of `--latency`; raises InvalidOption."""
    from aimyproxy.answering.latency import Latency

    try:
        return Latency.parse(given)
    except InvalidOption as error:
        raise InvalidOption(f"--latency: {error}") from None


def _faults(given: tuple[str, ...], seed: int) -> Faults:
    """The faults of `--fault`; raises InvalidOption."""
    from aimyproxy.answering.faults import Fault, Faults

    rules = []
    for one in given:
        event, equals, fault = one.rpartition("=")
        if not (event and equals):
            raise InvalidOption(f"--fault {one!r} has to be EVENT=FAULT, for example pay=timeout or *=500:10%.")
        try:
            rules.append((event, Fault.parse(fault)))
        except InvalidOption as error:
            raise InvalidOption(f"--fault {one!r}: {error}") from None
    return Faults(rules, seed)
