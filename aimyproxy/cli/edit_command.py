"""`aimyproxy edit`: change what replay answers in the place of one exchange."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from aimyproxy.cli.options import recordings_option
from aimyproxy.cli.output import say
from aimyproxy.errors import EXIT_OK

if TYPE_CHECKING:
    from aimyproxy.exchange import Exchange
    from aimyproxy.jsonvalue import JSON
    from aimyproxy.store.folder import RecordingsFolder
    from aimyproxy.store.recording import Recording


@click.command("edit")
@click.argument("name")
@click.argument("identity", metavar="ID", type=int)
@recordings_option
def command(name: str, identity: int, folder: RecordingsFolder) -> int:
    """Edit the response of exchange ID in $EDITOR and save it as a mock.

    The recording itself stays as it is; the mock wins over it wherever that exchange would have answered.
    """
    edit(folder.open(name), identity)
    return EXIT_OK


def edit(recording: Recording, identity: int) -> None:
    """Let the user edit the exchange's answer (or the mock that an earlier edit made of it) and save it."""
    from aimyproxy import jsonvalue
    from aimyproxy.cli import drafts

    exchange = recording.get(identity)
    earlier = _earlier_edit(recording, identity)
    known: dict[str, JSON] = earlier[1] if earlier else {"event": exchange.event, **_recorded(exchange)}
    is_json = "answer" in known
    text = jsonvalue.pretty(known["answer"]) + "\n" if is_json else known.get("text", "")
    draft = recording.folder / f"draft-{identity}.{'json' if is_json else 'txt'}"
    again = f"aimyproxy edit {recording.name} {identity}"
    typed = drafts.edited(draft, text, again)
    if typed is None:
        draft.unlink()
        say("Nothing was changed.")
        return
    changed = {"answer": drafts.parsed(draft, typed, again)} if is_json else {"text": typed}
    document = {**known, **changed, "from_exchange": identity}
    if earlier:
        recording.mocks.replace(earlier[0], document)
    else:
        recording.mocks.add(document)
    draft.unlink()
    say(f"Saved in {recording.mocks.path}: replay gives this answer in the place of exchange {identity}.")


def _earlier_edit(recording: Recording, identity: int) -> tuple[int, dict[str, JSON]] | None:
    for known, document in recording.mocks.read():
        if document.get("from_exchange") == identity and not document.get("when"):
            return known, document
    return None


def _recorded(exchange: Exchange) -> dict[str, JSON]:
    response = exchange.response
    if response is None:
        return {"answer": {}}
    body: dict[str, JSON] = {"text": response.body.value} if response.body.kind == "text" else {}
    if response.body.kind == "json":
        body = {"answer": response.body.value}
    return body or {"answer": {}}
