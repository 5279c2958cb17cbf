"""What an answer may depend on: the request's values, how often the user was here before, and where they came from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from aimyproxy import aimylogic

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from aimyproxy.jsonvalue import JSON, Path

OCCURRENCE: Final[Path] = ("\0occurrence",)
"""How often the event came in its conversation up to now, this time included: 1, 2, …"""
PREVIOUS: Final[Path] = ("\0previous",)
"""The conversation's event before this one; None at first contact."""
ANSWER: Final = "\0answer"
"""Where the answer's own values stand among a situation's values, for texts that repeat them."""
_LENGTH: Final = "\0length"

_MOST: Final = 400
_MOST_ELEMENTS: Final = 4
# In the order in which equally good explanations are preferred: the author's own variables come before all of these.
_SYSTEM_ORDER: Final = ("queryText", "channelType", "userId", "channelId", "httpStatus", "httpResponse")


@dataclass(frozen=True, slots=True)
class Situation:
    """A request as a learner or an answerer looks at it.

    `values` are its scalars by path (volatile ones left out), own variables first, with OCCURRENCE and PREVIOUS among
    them and the length of each array under its path and a mark; `variables` are all the request's variables. Of a
    recorded request, `order` is its place in the recording, `moment` when it came in seconds since 1970, and `told`
    all that may be somebody's own in it.
    """

    variables: Mapping[str, JSON]
    values: dict[Path, JSON] = field(default_factory=dict)
    order: int = 0
    told: frozenset[str] = frozenset()
    moment: float | None = None

    @classmethod
    def of(cls, variables: Mapping[str, JSON], occurrence: int, previous: str | None) -> Situation:
        """The situation of a request that is its event's `occurrence`-th in the conversation, after `previous`."""
        own = [name for name in variables if name not in aimylogic.SYSTEM_VARIABLES]
        system = [name for name in _SYSTEM_ORDER if name in variables]
        values: dict[Path, JSON] = {}
        channel = variables.get("channelType")
        for name in own:
            _collect(values, (name,), variables[name], channel)
        for name in system[:2]:
            _collect(values, (name,), variables[name], channel)
        values[OCCURRENCE] = occurrence
        values[PREVIOUS] = previous
        for name in system[2:]:
            _collect(values, (name,), variables[name], channel)
        _collect(values, (aimylogic.RAW_REQUEST,), variables.get(aimylogic.RAW_REQUEST, {}), channel)
        return cls(variables, values)

    def at(self, path: Path) -> JSON:
        """The value of any kind at this path of the variables; KeyError or IndexError where it leads nowhere."""
        value: JSON = self.variables
        for step in path:
            if isinstance(step, str) != isinstance(value, dict) or not isinstance(value, dict | list):
                raise KeyError(path)
            value = value[step]  # type: ignore[index]
        return value

    def containers(self) -> Iterator[tuple[Path, JSON]]:
        """The objects and arrays of the author's own variables, outer before inner, arrays' elements left out."""
        for name, value in self.variables.items():
            if name not in aimylogic.SYSTEM_VARIABLES:
                yield from _containers((name,), value)


def words(path: Path) -> str:
    """The path for people: `order.items[0].qty`, `the occurrence`, `the number of order.items`."""
    if path == OCCURRENCE:
        return "how often the user was here"
    if path == PREVIOUS:
        return "the event before"
    if path[0] == ANSWER:
        return f"the answer's {words(path[1:])}"
    if path[-1] == _LENGTH:
        return f"the number of {words(path[:-1])}"
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".")


def _collect(values: dict[Path, JSON], path: Path, value: JSON, channel: JSON) -> None:
    if len(values) >= _MOST or aimylogic.is_volatile(path, channel):
        return
    if isinstance(value, dict):
        for key, member in value.items():
            _collect(values, (*path, key), member, channel)
    elif isinstance(value, list):
        values[*path, _LENGTH] = len(value)
        for index, element in enumerate(value[:_MOST_ELEMENTS]):
            _collect(values, (*path, index), element, channel)
        if value:
            _collect(values, (*path, -1), value[-1], channel)
    else:
        values[path] = value


def _containers(path: Path, value: JSON) -> Iterator[tuple[Path, JSON]]:
    if isinstance(value, dict | list):
        yield path, value
    if isinstance(value, dict):
        for key, member in value.items():
            yield from _containers((*path, key), member)
