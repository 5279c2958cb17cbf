"""`diff.json`: what a person tells every diff of a recording, by path; indented, to be edited."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aimyproxy.store.mocksfile import PrettyStorage

if TYPE_CHECKING:
    from pathlib import Path

    from aimyproxy.jsonvalue import JSON


class RulesFile:
    """`{"$.order.id": {"ignore": true}, "$.total": {"tolerance": "0.01"}}`: rules by the JSONPath that they are for."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._storage = PrettyStorage(path, '{"$.path": {"ignore": true}, …}')

    def read(self) -> dict[str, dict[str, JSON]]:
        """The rules; none where there is no file.

        Raises:
            BrokenFile: the file is no JSON, or no object of objects.
        """
        return self._storage.read() or {}
