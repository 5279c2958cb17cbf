"""`aimyproxy rm`: delete a recording."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from aimyproxy.cli.options import recordings_option
from aimyproxy.cli.output import counted, say
from aimyproxy.errors import EXIT_OK, AimyproxyError

if TYPE_CHECKING:
    from aimyproxy.store.folder import RecordingsFolder


@click.command("rm")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Don't ask.")
@recordings_option
def command(name: str, yes: bool, folder: RecordingsFolder) -> int:
    """Delete the recording NAME with all its exchanges and mocks; asks first."""
    recording = folder.open(name)
    try:
        contents = f"{counted(len(recording), 'exchange')} and {counted(len(recording.mocks.read()), 'mock')}"
    except AimyproxyError:
        contents = "contents that can't be read"
    if not yes and not click.confirm(f"Delete {recording.folder} with {contents}?", err=True):
        say("Nothing was deleted.")
        return EXIT_OK
    folder.remove(name)
    say(f"Deleted {recording.folder} with {contents}.")
    return EXIT_OK
