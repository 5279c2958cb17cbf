"""`hints.json`: what a person knows about deciding paths, by event; indented, to be edited."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aimyproxy.store.mocksfile import PrettyStorage

if TYPE_CHECKING:
    from pathlib import Path

    from aimyproxy.errors import BrokenFile
    from aimyproxy.jsonvalue import JSON

MEMBERS = ("pin", "forbid")


class HintsFile:
    """`{"choose": {"pin": ["$.pizza"], "forbid": ["$.name"]}}`: JSONPaths of the request, by event."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._storage = PrettyStorage(path, '{"event": {"pin": ["$.path", …]}, …}')

    def read(self) -> dict[str, dict[str, list[str]]]:
        """The hints; none where there is no file.

        Raises:
            BrokenFile: the file is no JSON, or says something else.
        """
        hints = self._storage.read() or {}
        for event, members in hints.items():
            if not (members.keys() <= set(MEMBERS) and all(_texts(paths) for paths in members.values())):
                raise self.broken(event, f'{event!r} has to be {{"pin": ["$.path", …], "forbid": ["$.path", …]}}')
        return hints

    def broken(self, event: str, problem: str) -> BrokenFile:
        """The error that says what is wrong with the hints for an event, and where they stand."""
        return self._storage.broken(problem, event)

    def write(self, hints: dict[str, dict[str, list[str]]]) -> None:
        """Replace the hints."""
        self._storage.write(hints)


def _texts(value: JSON) -> bool:
    return isinstance(value, list) and all(isinstance(path, str) for path in value)
