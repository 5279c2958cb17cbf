"""What an answer may depend on: the request's values, how often the user was here before, and where they came from."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

from aimyproxy import aimylogic

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from aimyproxy.exchange import Conversation
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


class _Place:
    """A place inside the requests of a channel, which are much alike: its path, and what is inside, looked at once."""

    __slots__ = ("_channel", "_places", "inside", "path", "volatile")

    def __init__(self, places: _Places, path: Path, channel: JSON) -> None:
        self._places = places
        self._channel = channel
        self.path = path
        self.volatile = aimylogic.is_volatile(path, channel)
        self.inside: dict[str | int, _Place] = {}

    def at(self, step: str | int) -> _Place:
        """The place one step further in."""
        return self.inside.get(step) or self.opened(step)

    def opened(self, step: str | int) -> _Place:
        """The place one step further in, for the first time."""
        place = self.inside[step] = _Place(self._places, (*self.path, step), self._channel)
        self._places.opened()
        return place


class _Places:
    """The places of all channels; forgotten where they get too many, as in bots whose keys are data."""

    def __init__(self, most: int = 20_000) -> None:
        self._most = most
        self._roots: dict[JSON, _Place] = {}
        self._count = 0

    def root(self, channel: JSON) -> _Place:
        """The root of the requests of a `channelType`, which may be any value."""
        name = channel if isinstance(channel, str) else None
        root = self._roots.get(name)
        if root is None:
            root = self._roots[name] = _Place(self, (), name)
            self.opened()
        return root

    def opened(self) -> None:
        """Count one more."""
        self._count += 1
        if self._count > self._most:
            self._roots.clear()
            self._count = 0


_PLACES: Final = _Places()


@dataclass(frozen=True)
class Situation:
    """A request as a learner or an answerer looks at it: its event's `occurrence`-th in the conversation.

    `variables` are all that it has, `previous` is the conversation's event before. Of a recorded request, `order` is
    its place in the recording, `moment` when it came in seconds since 1970, `told` all that may be somebody's own in
    it, and `remembered` what its conversation said earlier and was answered now. One that was widened has the values
    of the one `within` and those `added`.
    """

    variables: Mapping[str, JSON]
    occurrence: int
    previous: str | None
    moment: float | None = None
    order: int = 0
    told: frozenset[str] = frozenset()
    remembered: frozenset[str] = frozenset()
    within: Situation | None = None
    added: Mapping[Path, JSON] = field(default_factory=dict)

    # Only now that somebody asks for them: of a long recording, most situations are never looked at.
    @cached_property
    def values(self) -> dict[Path, JSON]:
        """The scalars by path (volatile ones left out), own variables first, with OCCURRENCE and PREVIOUS among them.

        The length of each array stands under its path and a mark.
        """
        if self.within is not None:
            return {**self.within.values, **self.added}
        variables = self.variables
        own = [name for name in variables if name not in aimylogic.SYSTEM_VARIABLES]
        system = [name for name in _SYSTEM_ORDER if name in variables]
        values: dict[Path, JSON] = {}
        root = _PLACES.root(variables.get("channelType"))
        _collect_members(values, root, {name: variables[name] for name in (*own, *system[:2])})
        values[OCCURRENCE] = self.occurrence
        values[PREVIOUS] = self.previous
        _collect_members(values, root, {name: variables[name] for name in system[2:]})
        _collect_members(values, root, {aimylogic.RAW_REQUEST: variables.get(aimylogic.RAW_REQUEST, {})})
        return values

    @cached_property
    def conversation(self) -> Conversation | None:
        """Whose request it is."""
        return aimylogic.identify(self.variables)[1]

    def heard(self, order: int, told: frozenset[str]) -> Situation:
        """This situation, whose request is the recording's number `order` and tells these values of somebody."""
        # What dataclasses.replace() does, in half the time: a recording has many.
        return Situation(self.variables, self.occurrence, self.previous, self.moment, order, told, self.remembered)

    def widened(self, more: Mapping[Path, JSON]) -> Situation:
        """This situation with more values, which are those of its answer."""
        within = self.within or self
        added = {**self.added, **more}
        return Situation(
            self.variables,
            self.occurrence,
            self.previous,
            self.moment,
            self.order,
            self.told,
            self.remembered,
            within,
            added,
        )

    def at(self, path: Path) -> JSON:
        """The value of any kind at this path of the variables; KeyError or IndexError where it leads nowhere."""
        value: JSON = self.variables
        for step in path:
            container: JSON = dict if isinstance(step, str) else list
            if type(value) is not container:
                raise KeyError(path)
            value = value[step]
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


def _collect_members(values: dict[Path, JSON], place: _Place, members: Mapping[str, JSON]) -> None:
    for key, member in members.items():
        if len(values) >= _MOST:
            return
        within = place.inside.get(key) or place.opened(key)
        if isinstance(member, dict | list):
            _collect(values, within, member)
        elif not within.volatile:
            values[within.path] = member


def _collect(values: dict[Path, JSON], place: _Place, value: JSON) -> None:
    if len(values) >= _MOST or place.volatile:
        return
    if isinstance(value, dict):
        _collect_members(values, place, value)
    elif isinstance(value, list):
        values[place.at(_LENGTH).path] = len(value)
        for index, element in enumerate(value[:_MOST_ELEMENTS]):
            _collect(values, place.at(index), element)
        if value:
            _collect(values, place.at(-1), value[-1])
    else:
        values[place.path] = value


def _containers(path: Path, value: JSON) -> Iterator[tuple[Path, JSON]]:
    if isinstance(value, dict | list):
        yield path, value
    if isinstance(value, dict):
        for key, member in value.items():
            yield from _containers((*path, key), member)
