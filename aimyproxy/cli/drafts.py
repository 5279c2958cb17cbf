"""Answers typed in an editor: kept in a draft until they are valid."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from aimyproxy import jsonvalue
from aimyproxy.errors import BrokenFile, InvalidJSON, InvalidOption, StoreError
from aimyproxy.store import atomic

if TYPE_CHECKING:
    from pathlib import Path

    from aimyproxy.jsonvalue import JSON


def edited(draft: Path, text: str, again: str) -> str | None:
    """What the user makes of the text in an editor, or None where it stays as it is.

    `draft` is the file to edit; where an earlier try left one, the user goes on with that. The caller removes it
    when all is well. `again` is the command that goes on later.

    Raises:
        StoreError: the draft can't be written.
        InvalidOption: the editor's command can't be understood.
    """
    try:
        if not draft.exists():
            atomic.write_synced(draft, [text.encode()])
        click.edit(filename=str(draft))
        typed = draft.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise StoreError(f"{draft} can't be used as a draft: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise BrokenFile(draft, "not valid UTF-8", advice=f"It is kept; `{again}` goes on with it.") from None
    except ValueError:
        raise InvalidOption("The command in $VISUAL or $EDITOR has an open quotation mark.") from None
    return None if typed.strip() == text.strip() else typed


def parsed(draft: Path, typed: str, again: str) -> JSON:
    """The JSON that was typed.

    Raises:
        BrokenFile: naming the draft, line and column, and how to go on.
    """
    try:
        return jsonvalue.loads_edited(typed)
    except InvalidJSON as error:
        raise BrokenFile(
            draft,
            f"not valid JSON: {error.problem}",
            line=error.line,
            column=error.column,
            advice=f"What you typed is kept there; `{again}` goes on with it.",
        ) from None
