"""`aimyproxy explain`: in plain words, what replay has learned from a recording."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from aimyproxy.cli.options import recordings_option
from aimyproxy.cli.output import counted, printable
from aimyproxy.errors import EXIT_OK, InvalidOption

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from aimyproxy.answering.fitting import Decision
    from aimyproxy.answering.models import EventModel
    from aimyproxy.store.folder import RecordingsFolder
    from aimyproxy.store.recording import Recording

_MOST_CASES = 4


@click.command("explain")
@click.argument("name")
@click.argument("event", required=False)
@click.option("--pin", metavar="PATH", multiple=True, help="Let this path of the request decide; repeatable.")
@click.option("--forbid", metavar="PATH", multiple=True, help="Let this path never decide; repeatable.")
@click.option("--forget", is_flag=True, help="Forget what was pinned and forbidden for EVENT.")
@recordings_option
def command(
    name: str,
    event: str | None,
    pin: tuple[str, ...],
    forbid: tuple[str, ...],
    forget: bool,
    folder: RecordingsFolder,
) -> int:
    """Tell what replay has learned from the recording NAME: what each answer of EVENT depends on, and the evidence.

    Without EVENT, of all events. Where the recording misleads, --pin and --forbid say what decides; that is kept in
    the recording's hints.json, and a running replay takes it up.
    """
    from aimyproxy.mockserver.source import load

    recording = folder.open(name)
    if pin or forbid or forget:
        if event is None:
            raise click.UsageError("--pin, --forbid and --forget need the EVENT that they are about.")
        hint(recording, event, pin, forbid, forget=forget)
    index = load(recording, "learned")
    models = index.models()
    if event is not None and event not in models:
        known = ", ".join(sorted(models)) or "none"
        raise InvalidOption(f"Nothing is recorded of the event {event!r} in {name} (there: {known}).")
    for number, shown in enumerate([event] if event is not None else models):
        if number:
            click.echo()
        for line in explained(shown, models[shown]):
            click.echo(printable(line))
    return EXIT_OK


def hint(recording: Recording, event: str, pin: Iterable[str], forbid: Iterable[str], *, forget: bool) -> None:
    """Keep what the user knows of an event's deciding paths; raises InvalidDocument at what is no path."""
    from aimyproxy.answering.fitting import Hints

    hints = recording.hints.read()
    members = {} if forget else hints.get(event, {})
    for member, paths in (("pin", pin), ("forbid", forbid)):
        spelled = [path if path.startswith("$") else f"$.{path}" for path in paths]
        members[member] = list(dict.fromkeys([*members.get(member, []), *spelled]))
    Hints.parse(members["pin"], members["forbid"])
    kept = {member: paths for member, paths in members.items() if paths}
    hints = {known: value for known, value in hints.items() if known != event} | ({event: kept} if kept else {})
    recording.hints.write(hints)


def explained(event: str, model: EventModel) -> Iterator[str]:
    """What was learned of an event, in lines."""
    from aimyproxy.answering.features import words

    yield f"{event}: {counted(model.lessons, 'exchange')}"
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
        return f"differs without a reason (noise): served as recorded ({counted(decision.rows, 'value')} seen)"
    evidence = f"({decision.right} of {decision.rows} follow from the others)"
    if not decision.keys:
        return f"= {_only(decision)} {evidence}" if decision.trusted else f"can't be told {evidence}"
    return f"depends on {_joined(words(key) for key in decision.keys)} {evidence}"


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
