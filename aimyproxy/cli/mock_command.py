"""`aimyproxy mock`: write an answer of one's own."""

from __future__ import annotations

import importlib.resources
import re
from typing import TYPE_CHECKING, Final

import click

from aimyproxy.cli.options import Number, recordings_option
from aimyproxy.cli.output import say
from aimyproxy.errors import EXIT_OK, InvalidOption

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aimyproxy.jsonvalue import JSON
    from aimyproxy.store.folder import RecordingsFolder
    from aimyproxy.store.recording import Recording


_PATH: Final = r"""(?P<path>(?:\[(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^\]'"])*\]|[^\[=~<>?!])+)"""
_WHEN: Final = re.compile(_PATH + r"(?:(?P<operator>~=|>=|<=|=|>|<)(?P<value>.*)|(?P<exists>[?!]))", re.DOTALL)
_BOUNDS: Final = {">=": "at_least", "<=": "at_most", ">": "above", "<": "below"}


def _print_schema(context: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if wanted:
        schema = importlib.resources.files("aimyproxy.answering").joinpath("mocks.schema.json")
        click.echo(schema.read_text(encoding="utf-8"), nl=False)
        context.exit()


@click.command("mock")
@click.argument("name")
@click.argument("event", required=False)
@click.option("--answer", help="The JSON to answer with; opens $EDITOR where neither this nor --text is given.")
@click.option("--text", help="A text to answer with instead of JSON.")
@click.option(
    "--when",
    "conditions",
    envvar="AIMYPROXY_MOCK_WHEN",
    metavar="CONDITION",
    multiple=True,
    help="Only where the request has this: PATH=VALUE, as in channelType=telegram or '$.order.items[0].qty=2'; "
    "'PATH~=REGEX', 'PATH>=N', 'PATH<=N', 'PATH>N', 'PATH<N', 'PATH?' (it exists), 'PATH!' (it does not); repeatable.",
)
@click.option("--merge", is_flag=True, help="Lay the answer over what replay would have answered without it.")
@click.option("--status", type=click.IntRange(200, 599), help="The HTTP status; 200 unless given.")
@click.option("--delay", type=Number(min=0), help="Milliseconds to wait before answering.")
@click.option(
    "--fault",
    help="What goes wrong: timeout, reset, slow, garbage, empty or a status; 500:30% for how often. Alone, without an "
    "answer: of what would be answered without this mock.",
)
@click.option("--note", help="A remark for whoever reads mocks.json.")
@click.option("--disable", metavar="ID", type=int, help="Let mock ID answer nothing, and keep it.")
@click.option("--enable", metavar="ID", type=int, help="Let mock ID answer again.")
@click.option(
    "--schema",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_schema,
    allow_from_autoenv=False,
    help="Print the JSON Schema of mocks.json, for editors, and stop.",
)
@recordings_option
def command(
    name: str,
    event: str | None,
    answer: str | None,
    text: str | None,
    conditions: tuple[str, ...],
    merge: bool,
    status: int | None,
    delay: float | None,
    fault: str | None,
    note: str | None,
    disable: int | None,
    enable: int | None,
    folder: RecordingsFolder,
) -> int:
    """Write a mock for EVENT into the recording NAME, which is made if there is none.

    A mock wins over what was recorded. Several for one event: the one with the most conditions that hold wins. Strings
    of the answer with {{ … }} are templates, as in "Привет, {{ name }}".
    """
    given: dict[str, JSON] = {"text": text, "merge": merge or None, "status": status, "delay_ms": delay}
    given |= {"fault": fault, "note": note}
    given = {member: value for member, value in given.items() if value is not None}
    if conditions:
        given = {"when": when(conditions), **given}
    if disable is not None or enable is not None:
        if event is not None or given or answer is not None or (disable is not None and enable is not None):
            raise click.UsageError("Give --disable ID or --enable ID alone.")
        return switch(folder.open(name), disable if enable is None else enable, enabled=enable is not None)
    if event is None:
        raise click.UsageError("Missing argument 'EVENT': the event to answer, for example start.")
    if answer is not None and text is not None:
        raise click.UsageError("Give --answer or --text, not both.")
    return write(folder, name, {"event": event, **given}, answer)


def write(folder: RecordingsFolder, name: str, document: dict[str, JSON], answer: str | None) -> int:
    """Add the mock to the recording; its answer is typed in an editor where there is none yet.

    Raises:
        InvalidDocument: it would be no mock; nothing was saved.
    """
    from aimyproxy.answering.mocks import Mock

    # Before the editor opens: what is wrong on the command line should not cost the user an answer typed.
    Mock.parse(0, document if "text" in document else {**document, "answer": {}})
    answered = answer is not None or "text" in document or "fault" in document
    if answer is not None:
        document = {**document, "answer": typed_answer(answer)}
        Mock.parse(0, document)
    recording, created = folder.open_or_create(name, None)
    if not answered:
        typed = _typed_in_editor(folder, name, document)
        if typed is None:
            if created:
                folder.remove(name)
            say("Nothing was typed, and nothing saved.")
            return EXIT_OK
        document = typed
    identity = recording.mocks.add(document)
    if created:
        say(f"New recording {name} in {recording.folder}.")
    say(f"Mock {identity} for {document['event']!r} saved in {recording.mocks.path}.")
    return EXIT_OK


def switch(recording: Recording, identity: int | None, *, enabled: bool) -> int:
    """Let a mock answer or not.

    Raises:
        InvalidOption: there is no such mock.
    """
    mocks = dict(recording.mocks.read())
    if identity not in mocks:
        known = ", ".join(map(str, mocks)) or "none"
        raise InvalidOption(f"Recording {recording.name} has no mock {identity} (there: {known}).")
    recording.mocks.replace(identity, {**mocks[identity], "enabled": enabled})
    say(f"Mock {identity} {'answers again' if enabled else 'answers nothing until --enable'}.")
    return EXIT_OK


def when(given: Iterable[str]) -> dict[str, JSON]:
    """What the `when` of a mock has to be for these conditions; two bounds of one path become one range.

    Raises:
        InvalidOption: one has none of the forms of --when, or a path is given twice.
    """
    found: dict[str, JSON] = {}
    for one in given:
        path, wanted = condition(one)
        if path not in found:
            found[path] = wanted
        elif _is_range(found[path]) and _is_range(wanted) and not found[path].keys() & wanted.keys():
            found[path].update(wanted)
        else:
            raise InvalidOption(f"--when {one!r} is about {path}, as another --when is; give one of them.")
    return found


def condition(given: str) -> tuple[str, JSON]:
    """The path and the wanted value of a condition; a value that is no JSON is a string, a path gets its `$`.

    Raises:
        InvalidOption: it has none of the forms of --when.
    """
    found = _WHEN.fullmatch(given)
    if not found:
        raise InvalidOption(
            f"--when {given!r} has to be PATH=VALUE, for example channelType=telegram, "
            "or PATH~=REGEX, PATH>=N, PATH<=N, PATH>N, PATH<N, PATH? or PATH!."
        )
    path = found["path"] if found["path"].startswith("$") else f"$.{found['path']}"
    if found["exists"]:
        return path, {"exists": found["exists"] == "?"}
    operator, value = found["operator"], found["value"]
    if operator == "~=":
        return path, {"matches": value}
    typed = _typed(value)
    if operator == "=":
        return path, typed
    if isinstance(typed, bool) or not isinstance(typed, int | float):
        raise InvalidOption(f"--when {given!r}: what follows {operator} has to be a number.")
    return path, {_BOUNDS[operator]: typed}


def _is_range(wanted: JSON) -> bool:
    return isinstance(wanted, dict) and bool(wanted) and wanted.keys() <= set(_BOUNDS.values())


def _typed(value: str) -> JSON:
    from aimyproxy import jsonvalue
    from aimyproxy.errors import InvalidJSON

    try:
        return jsonvalue.loads(value)
    except InvalidJSON:
        return value


def typed_answer(text: str) -> JSON:
    """The JSON of `--answer`; raises InvalidOption, showing the place."""
    from aimyproxy import jsonvalue
    from aimyproxy.errors import InvalidJSON

    try:
        return jsonvalue.loads_edited(text)
    except InvalidJSON as error:
        line = text.split("\n")[error.line - 1] if text else ""
        raise InvalidOption(
            f"--answer is not valid JSON: {error}.\n  {line}\n  {' ' * (error.column - 1)}^ Nothing was saved."
        ) from None


def _typed_in_editor(folder: RecordingsFolder, name: str, document: dict[str, JSON]) -> dict[str, JSON] | None:
    """The mock with the answer that is typed now, or None where nothing is."""
    from aimyproxy.answering.mocks import Mock
    from aimyproxy.cli import drafts

    event = document["event"]
    safe = "".join(char if char.isalnum() else "_" for char in event)[:60]
    draft = folder.path(name) / f"draft-mock-{safe}.json"
    again = f"aimyproxy mock {name} {event}"
    typed = drafts.edited(draft, "{\n  \n}\n", again)
    if typed is None:
        draft.unlink()
        return None
    document = {**document, "answer": drafts.parsed(draft, typed, again)}
    # What is no mock stays in the draft.
    Mock.parse(0, document)
    draft.unlink()
    return document
