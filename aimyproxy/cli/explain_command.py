"""`aimyproxy explain`: in plain words, what replay has learned from a recording, and which mocks come before that."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from aimyproxy.cli.options import recordings_option
from aimyproxy.cli.output import counted
from aimyproxy.errors import EXIT_OK, InvalidOption
from aimyproxy.wording import printable, shortened

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from aimyproxy.answering.answers import Answer
    from aimyproxy.answering.fitting import Decision
    from aimyproxy.answering.index import Index
    from aimyproxy.answering.misses import Miss
    from aimyproxy.answering.mocks import Mock
    from aimyproxy.answering.models import EventModel
    from aimyproxy.exchange import Exchange
    from aimyproxy.store.folder import RecordingsFolder
    from aimyproxy.store.recording import Recording

_MOST_CASES = 4


@click.command("explain")
@click.argument("name")
@click.argument("event", required=False)
@click.option(
    "--for",
    "identity",
    metavar="ID",
    type=int,
    envvar="AIMYPROXY_EXPLAIN_FOR",
    help="Tell what answers the request of this exchange, and why the other mocks don't.",
)
@click.option("--pin", metavar="PATH", multiple=True, help="Let this path of the request decide; repeatable.")
@click.option("--forbid", metavar="PATH", multiple=True, help="Let this path never decide; repeatable.")
@click.option("--forget", is_flag=True, help="Forget what was pinned and forbidden for EVENT.")
@recordings_option
def command(
    name: str,
    event: str | None,
    identity: int | None,
    pin: tuple[str, ...],
    forbid: tuple[str, ...],
    forget: bool,
    folder: RecordingsFolder,
) -> int:
    """Tell what replay has learned from the recording NAME: what each answer of EVENT depends on, and the evidence.

    And which mocks EVENT has, in the order in which they are tried. Without EVENT, of all events. Where the recording
    misleads, --pin and --forbid say what decides; that is kept in the recording's hints.json, and a running replay
    takes it up.
    """
    recording = folder.open(name)
    if pin or forbid or forget:
        if event is None:
            raise click.UsageError("--pin, --forbid and --forget need the EVENT that they are about.")
        hint(recording, event, pin, forbid, forget=forget)
    for line in lines(recording, event, identity):
        click.echo(printable(line))
    return EXIT_OK


def lines(recording: Recording, event: str | None, identity: int | None) -> Iterator[str]:
    """What is to be said of this event, of that of the exchange `identity`, or of all; raises InvalidOption."""
    from aimyproxy.mockserver.source import load, read_mocks

    asked = recording.get(identity) if identity is not None else None
    if asked and event not in (None, asked.event):
        raise InvalidOption(
            f"Exchange {identity} of {recording.name} is of {_called(asked.event)}, not {_called(event)}."
        )
    index, mocks = load(recording, "learned"), read_mocks(recording.mocks)
    known = list(dict.fromkeys([*index.models(), *(mock.event for mock in mocks)]))
    wanted = [asked.event] if asked else known if event is None else [event]
    if not asked and not set(wanted) <= set(known):
        there = ", ".join(shortened(one) for one in sorted(filter(None, known))) or "none"
        raise InvalidOption(
            f"Nothing is recorded of the event {event!r} in {recording.name}, and no mock answers it (there: {there})."
        )
    recorded = {number for number, _ in recording} if mocks else set[int]()
    for number, shown in enumerate(wanted):
        if number:
            yield ""
        own = [mock for mock in mocks if mock.event == shown]
        yield from _event_lines(shown, index, own, recorded)
        if asked and identity is not None:
            yield from _judged(recording, index, own, identity, asked)


def _event_lines(event: str | None, index: Index, mocks: list[Mock], recorded: Collection[int]) -> Iterator[str]:
    from aimyproxy.cli.explain_mocks import listed

    model = index.models().get(event or "")
    if model and event is not None:
        yield from explained(event, model)
    else:
        yield f"{shortened(event) if event is not None else '(no event)'}: nothing learned"
    yield from listed(mocks, recorded)


def _judged(recording: Recording, index: Index, mocks: list[Mock], identity: int, asked: Exchange) -> Iterator[str]:
    from aimyproxy.answering.asked import Asked
    from aimyproxy.cli.explain_mocks import judged

    yield from judged(identity, mocks, Asked.of(asked.request).root, _given(recording, index, identity, asked))


def _given(recording: Recording, index: Index, identity: int, asked: Exchange) -> Answer | Miss:
    """What replay gives to a recorded request when its conversation has come as far as it had when it was recorded."""
    from aimyproxy.answering.replayer import Replayer

    replayer = Replayer(index, recording.name)
    for number, exchange in recording:
        if number == identity:
            break
        if exchange.conversation == asked.conversation:
            replayer.answer(exchange.request)
    return replayer.answer(asked.request)[1]


def _called(event: str | None) -> str:
    return "no event" if event is None else f"the event {event!r}"


def hint(recording: Recording, event: str, pin: Iterable[str], forbid: Iterable[str], *, forget: bool) -> None:
    """Keep what the user knows of an event's deciding paths; raises InvalidDocument at what is no path."""
    from aimyproxy.answering.background import Hints

    hints = recording.hints.read()
    members = {} if forget else hints.get(event, {})
    pinned, forbidden = _spelled(pin), _spelled(forbid)
    # What is said now takes back what was said before.
    members = {
        "pin": [*(path for path in members.get("pin", []) if path not in {*pinned, *forbidden}), *pinned],
        "forbid": [*(path for path in members.get("forbid", []) if path not in {*pinned, *forbidden}), *forbidden],
    }
    Hints.parse(members["pin"], members["forbid"])
    kept = {member: paths for member, paths in members.items() if paths}
    hints = {known: value for known, value in hints.items() if known != event} | ({event: kept} if kept else {})
    recording.hints.write(hints)


def _spelled(paths: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(path if path.startswith("$") else f"$.{path}" for path in paths))


def explained(event: str, model: EventModel) -> Iterator[str]:
    """What was learned of an event, in lines."""
    from aimyproxy.answering.features import words

    yield f"{shortened(event)}: {counted(model.lessons, 'exchange')}"
    if len(model.outcomes) > 1:
        kinds = ", ".join(model.outcomes)
        yield f"  the kind of answer ({kinds}) {_depends(model.outcome)}"
    for path, decision in model.decisions():
        if path:
            yield f"  {words(path)} {_depends(decision)}"
            yield from (f"      {case}" for case in _cases(decision))
    if not any(path for path, _ in model.decisions()):
        yield "  the answer changes nothing"


def _depends(decision: Decision) -> str:
    from aimyproxy.answering.features import words

    if decision.noise:
        return f"differs without a reason (noise): {_served(decision)} ({_seen(decision)})"
    evidence = f"({decision.right} of {decision.rows} follow from the others)"
    if not decision.keys:
        return f"= {_only(decision)} {evidence}" if decision.trusted else f"can't be told {evidence}"
    return f"depends on {_joined(words(key) for key in decision.keys)} {evidence}"


def _served(decision: Decision) -> str:
    from aimyproxy.answering.expressions import ABSENT, Constant

    if decision.kind:
        return f"{decision.kind.words}, served as recorded or, with --fresh, made anew"
    if decision.fallback == Constant(ABSENT):
        return "left out for new users, since it may be somebody's own"
    return "served as recorded"


def _seen(decision: Decision) -> str:
    return f"{counted(decision.rows, 'value')} seen"


def _only(decision: Decision) -> str:
    return next((expression.words() for expression in decision.table.values()), decision.fallback.words())


def _cases(decision: Decision) -> list[str]:
    if not decision.keys or decision.noise:
        return []
    distinct = list(dict.fromkeys(expression.words() for expression in decision.table.values()))
    more = [f"and {len(distinct) - _MOST_CASES} more"] if len(distinct) > _MOST_CASES else []
    return distinct[:_MOST_CASES] + more


def _joined(parts: Iterable[str]) -> str:
    found = list(parts)
    return found[0] if len(found) == 1 else ", ".join(found[:-1]) + " and " + found[-1]
