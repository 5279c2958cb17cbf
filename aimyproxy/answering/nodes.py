"""Learned values of every shape: a decision for a value as a whole, or the parts of an object or array one by one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

from aimyproxy import jsonvalue
from aimyproxy.answering.expressions import ABSENT, Constant, Value
from aimyproxy.answering.fitting import Decision, fit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from aimyproxy.answering.background import Background
    from aimyproxy.answering.candidates import Row
    from aimyproxy.answering.features import Situation
    from aimyproxy.jsonvalue import JSON, Path


class Node(Protocol):
    """How to make a value of an answer, in parts or whole."""

    def value(self, situation: Situation) -> tuple[Value, bool]:
        """The value, and whether it is known and not guessed."""

    def decisions(self, path: Path) -> Iterator[tuple[Path, Decision]]:
        """All decisions behind it, by the path in the answer; `path` is its own."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A value decided as a whole."""

    decision: Decision

    def value(self, situation: Situation) -> tuple[Value, bool]:
        return self.decision.value(situation)

    def decisions(self, path: Path) -> Iterator[tuple[Path, Decision]]:
        yield path, self.decision


_Present: TypeAlias = "tuple[Situation, JSON]"
"""A row that has a value."""

Presence: TypeAlias = "Decision | None"
"""Whether there is a value at all; None where there always is."""


@dataclass(frozen=True, slots=True)
class Members:
    """An object, member by member."""

    presence: Presence
    members: Mapping[str, Node]

    def value(self, situation: Situation) -> tuple[Value, bool]:
        present, known = _present(self.presence, situation)
        if not present:
            return ABSENT, known
        result: dict[str, JSON] = {}
        for name, node in self.members.items():
            made, certain = node.value(situation)
            known = known and certain
            if made is not ABSENT:
                result[name] = made
        return result, known

    def decisions(self, path: Path) -> Iterator[tuple[Path, Decision]]:
        for name, node in self.members.items():
            yield from node.decisions((*path, name))


@dataclass(frozen=True, slots=True)
class Elements:
    """An array, element by element; behind those that the request has at `path`, where `grows` says so."""

    presence: Presence
    path: Path
    grows: Decision | None
    elements: tuple[Node, ...]

    def value(self, situation: Situation) -> tuple[Value, bool]:
        present, known = _present(self.presence, situation)
        if not present:
            return ABSENT, known
        result: list[JSON] = []
        if self.grows is not None:
            growing, certain = self.grows.value(situation)
            known = known and certain
            result += before(situation, self.path) if growing is True else []
        for node in self.elements:
            made, certain = node.value(situation)
            known = known and certain
            if made is not ABSENT:
                result.append(made)
        return result, known

    def decisions(self, path: Path) -> Iterator[tuple[Path, Decision]]:
        for index, node in enumerate(self.elements):
            yield from node.decisions((*path, -1 if self.grows else index))


def learn(rows: Sequence[Row], path: Path | None, background: Background) -> Node:
    """The node that explains these rows best; `path` is where the value stands in the answer, if it may be an echo."""
    whole = fit(rows, path, background)
    if whole.complete and not whole.keys:
        return Leaf(whole)
    parts = _parts(rows, path, background)
    if parts is None:
        return Leaf(whole)
    decisions = [decision for _, decision in parts.decisions(())]
    if whole.complete:
        return parts if _simpler(decisions, whole) else Leaf(whole)
    better = sum(decision.right / decision.rows for decision in decisions) / len(decisions) > whole.right / whole.rows
    # Noise can be told, and made anew, only of what is plain in itself.
    return parts if better or (whole.noise and any(decision.kind for decision in decisions)) else Leaf(whole)


def _simpler(decisions: Sequence[Decision], whole: Decision) -> bool:
    """Whether parts explain all that the whole does, and by less, so that they hold where the whole was never seen."""
    deciding = {key for decision in decisions for key in decision.keys}
    return deciding < set(whole.keys) and all(decision.complete for decision in decisions)


def learn_member(name: str, rows: Sequence[Row], path: Path | None, background: Background) -> Node:
    """As `learn`, of a member of this name: one that is named after a user's value is kept from the others."""
    if background.reveals([situation for situation, value in rows if value is not ABSENT], name):
        return Leaf(Decision((), {}, Constant(ABSENT), 0, len(rows)))
    return learn(rows, path, background)


def before(situation: Situation, path: Path) -> list[JSON]:
    """The array that the request has at this path; empty where it has none."""
    try:
        value = situation.at(path)
    except (KeyError, IndexError):
        return []
    return value if isinstance(value, list) else []


def _parts(rows: Sequence[Row], path: Path | None, background: Background) -> Node | None:
    there: Sequence[_Present] = [row for row in rows if row[1] is not ABSENT]
    if all(isinstance(value, dict) for _, value in there):
        return _members(rows, there, path, background)
    if all(isinstance(value, list) for _, value in there):
        return _elements(rows, there, path, background)
    return None


def _members(rows: Sequence[Row], there: Sequence[_Present], path: Path | None, background: Background) -> Node | None:
    names = dict.fromkeys(name for _, value in there for name in value)
    if not names:
        return None
    members = {
        name: learn_member(
            name,
            [(situation, value.get(name, ABSENT)) for situation, value in there],
            None if path is None else (*path, name),
            background,
        )
        for name in names
    }
    return Members(_presence(rows, there, background), members)


def _elements(rows: Sequence[Row], there: Sequence[_Present], path: Path | None, background: Background) -> Node | None:
    presence = _presence(rows, there, background)
    same_length = _each(there, path, background)
    if same_length:
        return Elements(presence, (), None, same_length)
    if path is None:
        return None
    usual = min((len(value) for _, value in there if value), default=0)
    added = [(situation, _added(before(situation, path), value, usual)) for situation, value in there]
    grew = [
        (situation, more is not value and bool(before(situation, path)))
        for (situation, more), (_, value) in zip(added, there, strict=True)
    ]
    appended = _each(added, None, background)
    if not appended or not any(value for _, value in grew):
        return None
    return Elements(presence, path, fit(grew, None, background), appended)


def _each(lists: Sequence[_Present], path: Path | None, background: Background) -> tuple[Node, ...] | None:
    """A node for each element, where all these arrays have the same length."""
    lengths = {len(value) for _, value in lists}
    if len(lengths) != 1:
        return None
    return tuple(
        learn(
            [(situation, value[index]) for situation, value in lists],
            None if path is None else (*path, index),
            background,
        )
        for index in range(lengths.pop())
    )


def _added(old: list[JSON], new: list[JSON], usual: int) -> list[JSON]:
    """What was appended to the request's array; all of the new one where it was begun anew."""
    grown = len(new) > len(old) and jsonvalue.same(old, new[: len(old)])
    # Begun anew with the very element that the old one began with: it is as long as arrays are that begin.
    return new[len(old) :] if grown and len(new) > usual else new


def _presence(rows: Sequence[Row], there: Sequence[_Present], background: Background) -> Presence:
    if len(there) == len(rows):
        return None
    return fit([(situation, value is not ABSENT) for situation, value in rows], None, background)


def _present(presence: Presence, situation: Situation) -> tuple[bool, bool]:
    if presence is None:
        return True, True
    value, known = presence.value(situation)
    return value is True, known
