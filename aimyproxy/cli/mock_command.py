"""`aimyproxy mock`: write an answer of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from aimyproxy.cli.options import recordings_option
from aimyproxy.cli.output import say
from aimyproxy.errors import EXIT_OK, InvalidOption

if TYPE_CHECKING:
    from aimyproxy.jsonvalue import JSON
    from aimyproxy.store.folder import RecordingsFolder


@click.command("mock")
@click.argument("name")
@click.argument("event")
@click.option("--answer", help="The JSON to answer with; opens $EDITOR where neither this nor --text is given.")
@click.option("--text", help="A text to answer with instead of JSON.")
@click.option(
    "--when",
    "conditions",
    envvar="AIMYPROXY_MOCK_WHEN",
    metavar="PATH=VALUE",
    multiple=True,
    help="Only where the request has this, as in channelType=telegram or '$.order.items[0].qty=2'; repeatable.",
)
@click.option("--status", type=click.IntRange(200, 599), help="The HTTP status; 200 unless given.")
@click.option("--delay", type=click.FloatRange(min=0), help="Milliseconds to wait before answering.")
@click.option("--note", help="A remark for whoever reads mocks.json.")
@recordings_option
def command(
    name: str,
    event: str,
    answer: str | None,
    text: str | None,
    conditions: tuple[str, ...],
    status: int | None,
    delay: float | None,
    note: str | None,
    folder: RecordingsFolder,
) -> int:
    """Write a mock for EVENT into the recording NAME, which is made if there is none.

    A mock wins over what was recorded. Several for one event: the one with the most conditions that hold wins.
    """
    from aimyproxy.replay.mocks import Mock

    if answer is not None and text is not None:
        raise click.UsageError("Give --answer or --text, not both.")
    document: dict[str, JSON] = {"event": event}
    if conditions:
        document["when"] = dict(condition(given) for given in conditions)
    more = {"status": status, "delay_ms": delay, "note": note, "text": text}
    document |= {member: value for member, value in more.items() if value is not None}
    # Before the editor opens: what is wrong on the command line should not cost the user an answer typed.
    Mock.parse(0, document if text is not None else {**document, "answer": {}})
    recording, created = folder.open_or_create(name, None)
    if answer is not None:
        document["answer"] = typed_answer(answer)
    elif text is None:
        document["answer"] = _answer_from_editor(folder, name, event)
    identity = recording.mocks.add(document)
    if created:
        say(f"New recording {name} in {recording.folder}.")
    say(f"Mock {identity} for {event!r} saved in {recording.mocks.path}.")
    return EXIT_OK


def condition(given: str) -> tuple[str, JSON]:
    """The path and the value of `PATH=VALUE`; a value that is no JSON is a string, a path without `$` gets one.

    Raises:
        InvalidOption: there is no `=`.
    """
    from aimyproxy import jsonvalue
    from aimyproxy.errors import InvalidJSON

    path, equals, value = given.partition("=")
    if not equals or not path:
        raise InvalidOption(f"--when {given!r} has to be PATH=VALUE, for example channelType=telegram.")
    path = path if path.startswith("$") else f"$.{path}"
    try:
        return path, jsonvalue.loads(value)
    except InvalidJSON:
        return path, value


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


def _answer_from_editor(folder: RecordingsFolder, name: str, event: str) -> JSON:
    from aimyproxy.cli import drafts

    safe = "".join(char if char.isalnum() else "_" for char in event)[:60]
    draft = folder.path(name) / f"draft-mock-{safe}.json"
    again = f"aimyproxy mock {name} {event}"
    typed = drafts.edited(draft, "{\n  \n}\n", again)
    answer = drafts.parsed(draft, "{}" if typed is None else typed, again)
    draft.unlink()
    return answer
