"""JSONPath (RFC 9535), wherever a person names a place: to one place it is walked here, else by python-jsonpath."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from aimyproxy.errors import InvalidDocument

if TYPE_CHECKING:
    from aimyproxy.jsonvalue import JSON, Path

_STEP: Final = re.compile(
    r"""\.(?P<name>[^\W\d]\w*)
      | \[(?P<index>0|-?[1-9][0-9]{0,8})\]
      | \['(?P<single>(?:[^'\\\x00-\x1f]|\\['\\/bfnrt]|\\u[0-9a-fA-F]{4})*)'\]
      | \[(?P<double>"(?:[^"\\\x00-\x1f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*")\]""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Selector:
    """A parsed JSONPath. `steps` is set where it leads to at most one place; `query` is compiled otherwise."""

    spelled: str
    steps: Path | None
    query: Any = field(default=None, compare=False)

    @classmethod
    def parse(cls, spelled: str) -> Selector:
        """The selector that the text spells; raises InvalidDocument where it is no JSONPath."""
        if not spelled.startswith("$"):
            raise InvalidDocument(f"{spelled!r} is no JSONPath: paths begin with $, for example $.channelType")
        steps = _singular(spelled)
        return cls(spelled, steps, None if steps is not None else _compiled(spelled))

    def values(self, root: JSON) -> list[JSON]:
        """What the path selects in this JSON value; empty where it leads nowhere."""
        if self.steps is None:
            if isinstance(root, str):
                # Nothing is inside a text; the library would take it for the spelling of a value.
                return []
            found: list[JSON] = self.query.findall(root)
            return found
        return _walked(root, self.steps)

    def places(self, root: JSON) -> list[Path]:
        """Where in this JSON value what the path selects stands, as `values` finds it; indices count from the front."""
        if self.steps is None:
            if isinstance(root, str):
                return []
            return [tuple(match.parts) for match in self.query.finditer(root)]
        return _places(root, self.steps)


def _places(root: JSON, steps: Path) -> list[Path]:
    if not _walked(root, steps):
        return []
    place: list[str | int] = []
    value = root
    for step in steps:
        place.append(step + len(value) if isinstance(step, int) and step < 0 else step)
        value = value[step]
    return [tuple(place)]


def _singular(spelled: str) -> Path | None:
    steps: list[str | int] = []
    position = 1
    while position < len(spelled):
        found = _STEP.match(spelled, position)
        if not found:
            return None
        steps.append(_step(found))
        position = found.end()
    return tuple(steps)


def _step(found: re.Match[str]) -> str | int:
    if found["name"] is not None:
        return found["name"]
    if found["index"] is not None:
        return int(found["index"])
    if found["double"] is not None:
        return str(json.loads(found["double"]))
    return str(json.loads('"' + found["single"].replace("\\'", "'").replace('"', '\\"') + '"'))


def _walked(root: JSON, steps: Path) -> list[JSON]:
    value = root
    for step in steps:
        if isinstance(step, str):
            if not isinstance(value, dict) or step not in value:
                return []
        elif not isinstance(value, list) or not -len(value) <= step < len(value):
            return []
        value = value[step]
    return [value]


@cache
def _environment() -> Any:
    # 0.1 s to import, for paths that hardly anyone writes.
    import jsonpath

    class Environment(jsonpath.JSONPathEnvironment):
        # Of its own it gives up at 100 levels; bodies are JSON down to some 250, and texts below.
        max_recursion_depth = 300

    return Environment(strict=True)


def _compiled(spelled: str) -> Any:
    environment = _environment()
    import jsonpath

    try:
        return environment.compile(spelled)
    except jsonpath.JSONPathError as error:
        raise InvalidDocument(f"{spelled!r} is no JSONPath ({str(error).splitlines()[0]})") from None
