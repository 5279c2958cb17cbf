"""`aimyproxy redact`: replace what is secret or personal in recordings that exist."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from aimyproxy.cli.options import recordings_option
from aimyproxy.cli.output import counted, say
from aimyproxy.cli.redaction import redact_option, rules_of, warn_of_key
from aimyproxy.errors import EXIT_OK

if TYPE_CHECKING:
    from aimyproxy.redaction.rules import Rules
    from aimyproxy.store.folder import RecordingsFolder
    from aimyproxy.store.recording import Recording


@click.command("redact")
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@redact_option
@recordings_option
def command(names: tuple[str, ...], redact: tuple[str, ...], folder: RecordingsFolder) -> int:
    """Replace the secrets in the recordings NAME, in all their files; with --redact, other values, too.

    By the rules that a recording has already and these; they hold for what is recorded later, and commands that run
    take them up. What is replaced can't be put back.
    """
    rules = rules_of(redact)
    # All of them are known before the first is changed.
    recordings = [folder.open(name) for name in names]
    for recording in recordings:
        _redact(recording, rules)
    return EXIT_OK


def _redact(recording: Recording, rules: Rules) -> None:
    from aimyproxy.store.afterwards import redact
    from aimyproxy.store.redacted import key_of, standing_of

    if (known := standing_of(recording)).key:
        warn_of_key(key_of(recording), known)
    outcome = redact(recording, rules)
    recording.close()
    others = f", and {', '.join(outcome.files)}" if outcome.files else ""
    say(
        f"{recording.name}: {counted(outcome.changed, 'exchange')} of {outcome.exchanges:,} changed{others}; "
        f"redacted are {', '.join((standing_of(recording).rules or rules).document())}."
    )
    say("Copies elsewhere (backups, git's history, freed blocks of the disk) are as they were.", "yellow", "warning")
