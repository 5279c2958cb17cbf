"""A recording's file written whole, in line form: when it begins, and where more changes than an append does."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from aimyproxy import jsonvalue
from aimyproxy.errors import RecordingExists, StoreError
from aimyproxy.store import atomic, lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from aimyproxy.jsonvalue import JSON


def create(path: Path, about: dict[str, JSON]) -> None:
    """Write an empty file that `about` describes; it appears whole or not at all.

    Raises:
        RecordingExists: another process was faster.
        StoreError: the operating system refused.
    """
    try:
        with atomic.prepared(path, [lines.header(about), lines.CLOSER]) as temporary:
            os.link(temporary, path)
        atomic.sync_folder(path.parent)
    except FileExistsError:
        raise RecordingExists(f"{path} exists already.") from None
    except OSError as error:
        raise StoreError(f"{path} can't be created: {error.strerror}.") from None


def check_foreign(tables: Iterable[str], path: Path) -> None:
    """Raise StoreError where there are tables that line form has no place for, before they get lost."""
    if named := ", ".join(f'"{name}"' for name in tables):
        raise StoreError(
            f"{path} holds what is no part of a recording and would get lost in writing: {named}. "
            "Move it into another file; nothing was changed."
        )


def replace(path: Path, about: dict[str, JSON], documents: Iterable[tuple[int, JSON]]) -> None:
    """Put a file of these documents, and with what describes them, in the place of the one that is there.

    Raises:
        StoreError: the file is as it was.
    """
    try:
        atomic.replace(path, _encoded(about, documents))
    except OSError as error:
        raise StoreError(f"{path} can't be rewritten: {error.strerror}. It is as it was.") from None


def _encoded(about: dict[str, JSON], documents: Iterable[tuple[int, JSON]]) -> Iterator[bytes]:
    yield lines.header(about)
    for index, (identity, document) in enumerate(documents):
        yield lines.line(identity, jsonvalue.dumps(document), first=index == 0)
    yield lines.CLOSER
