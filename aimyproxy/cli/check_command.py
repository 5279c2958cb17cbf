"""`aimyproxy check`: read a recording whole and name everything that is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from aimyproxy.cli.options import recordings_option
from aimyproxy.cli.output import counted, say
from aimyproxy.errors import EXIT_DIFFERENT, EXIT_OK, AimyproxyError, InvalidDocument
from aimyproxy.wording import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aimyproxy.exchange import Exchange
    from aimyproxy.jsonvalue import JSON
    from aimyproxy.store.folder import RecordingsFolder
    from aimyproxy.store.recording import Recording


_MOST_NAMED: Final = 5


@click.command("check")
@click.argument("names", metavar="[NAME]...", nargs=-1)
@recordings_option
def command(names: tuple[str, ...], folder: RecordingsFolder) -> int:
    """Check the recordings NAME (all of them where none is named) from the first byte to the last.

    Exit status 1 if anything is wrong. Nothing is changed.
    """
    status = EXIT_OK
    names = names or tuple(folder.names())
    if not names:
        say(f"There are no recordings in {folder.root}.")
    for name in names:
        recording = folder.open(name)
        problems = 0
        for problem in problems_of(recording):
            click.echo(printable(f"{name}: {problem}"))
            problems += 1
        if problems:
            status = EXIT_DIFFERENT
        else:
            mocks = counted(len(recording.mocks.read()), "mock")
            for note in _notes(recording):
                say(f"{name}: {note}", "yellow", "warning")
            say(f"{name}: fine, {counted(len(recording), 'exchange')} and {mocks}.")
    return status


def problems_of(recording: Recording) -> Iterator[str]:
    """Each thing that is wrong with the recording, as a sentence."""
    from aimyproxy.store.atomic import leftovers

    known: set[int] = set()
    try:
        if torn := recording.torn_bytes():
            yield f"{recording.path} ends in an unfinished line of {torn} bytes; the next `record` sets it aside."
        elif not recording.is_closed():
            yield f"{recording.path} does not end as JSON has to; the next `record` repairs that."
        for identity, document in recording.documents(_parse_strictly):
            known.add(identity)
            yield from (f"exchange {identity}: {problem}" for problem in _exchange_problems(document))
    except AimyproxyError as error:
        yield str(error)
        return
    yield from _secrets(recording)
    yield from _mock_problems(recording, known)
    yield from _told_problems(recording)
    for path in recording.marked():
        yield f"{path} begins with a byte order mark, which other readers of JSON refuse; save it as UTF-8 without one."
    for left in leftovers(recording.folder):
        yield f"{left} is half of a file that a process was writing when it was killed; remove it."
    for left in sorted(recording.folder.glob("*.torn-*")):
        yield f"{left} holds the bytes of an unfinished line that a crash left; remove it when you don't need them."


def _secrets(recording: Recording) -> Iterator[str]:
    """That there are secrets which nobody replaced, or that nobody can by the rules and the key that are there."""
    from aimyproxy.store.afterwards import unredacted
    from aimyproxy.store.redacted import key_of, standing_of

    file = key_of(recording)
    try:
        known, key = standing_of(recording), file.read()
    except AimyproxyError as error:
        yield str(error)
        return
    if key is not None and known.other_key(key):
        yield f"{file.path} is not the key that the recording was redacted by; it makes other replacements."
    try:
        found = unredacted(recording)
    except AimyproxyError:
        # It is named already.
        return
    what = "secrets"
    if known.rules and known.rules.spelled:
        what = f"values to be redacted ({', '.join(known.rules.document())})"
    advice = f"`aimyproxy redact {recording.name}` replaces them."
    if ids := found.exchanges:
        shown = ", ".join(map(str, ids[:_MOST_NAMED])) + (", …" if len(ids) > _MOST_NAMED else "")
        holding = "1 exchange holds" if len(ids) == 1 else f"{len(ids):,} exchanges hold"
        yield f"{holding} {what} as they came ({shown}); {advice}"
    for name in found.files:
        yield f"{recording.folder / name} holds {what} as they came; {advice}"


def _notes(recording: Recording) -> Iterator[str]:
    """What is not wrong, but good to know."""
    from aimyproxy.store.redacted import key_of, standing_of

    known, file = standing_of(recording), key_of(recording)
    if known.key and not file.path.exists():
        yield (
            f"{file.path} is missing: replay doesn't find what was replaced, and what is recorded from now on "
            "gets other replacements. If there is a copy, put it back."
        )
    if known.key and known.since < known.key_since:
        before = f"exchanges before {known.key_since}"
        yield f"{before} were redacted by another key: the same values have other replacements there."


def _parse_strictly(line: bytes) -> JSON:
    from aimyproxy import jsonvalue

    # Reading a recording, the last of several members of one name counts; a person who wrote them should know.
    jsonvalue.loads(line)
    return jsonvalue.loads_edited(line.decode())


def _told_problems(recording: Recording) -> Iterator[str]:
    """What is wrong with what a person told replay and diff of paths."""
    from aimyproxy.diff.run import rules_of
    from aimyproxy.mockserver.source import read_hints

    try:
        read_hints(recording.hints)
    except AimyproxyError as error:
        yield str(error)
    try:
        rules_of(recording, {})
    except AimyproxyError as error:
        yield str(error)


def _exchange_problems(document: object) -> Iterator[str]:
    from aimyproxy import aimylogic
    from aimyproxy.documents import from_document

    try:
        exchange = from_document(document)
    except InvalidDocument as error:
        yield f"{error}."
        return
    event, conversation = aimylogic.identify(exchange.request.body.variables())
    if (event, conversation) != (exchange.event, exchange.conversation):
        yield f"its event and conversation are not those of its request, which are {event!r} and {conversation}."
    yield from _answer_problems(exchange)


def _answer_problems(exchange: Exchange) -> Iterator[str]:
    from datetime import datetime

    if exchange.response is None and exchange.failure is None:
        yield "it has neither a response nor a failure."
    try:
        datetime.fromisoformat(exchange.at)
    except ValueError:
        yield f"at is no time: {exchange.at!r}."


def _mock_problems(recording: Recording, known: set[int]) -> Iterator[str]:
    from aimyproxy.answering.mocks import Mock

    try:
        documents = recording.mocks.read()
    except AimyproxyError as error:
        yield str(error)
        return
    for identity, document in documents:
        try:
            mock = Mock.parse(identity, document)
        except InvalidDocument as error:
            yield f"mock {identity}: {error}."
            continue
        if mock.from_exchange is not None and mock.from_exchange not in known:
            yield f"mock {identity}: from_exchange is {mock.from_exchange}, and there is no such exchange."
