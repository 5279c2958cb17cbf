"""The mocks that are rules of their own (not edits of an exchange), found by dictionary look-ups."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

from aimyproxy import jsonvalue
from aimyproxy.answering.conditions import Equals, specificity

if TYPE_CHECKING:
    from collections.abc import Iterable, KeysView, Sequence

    from aimyproxy.answering.answers import Answerer
    from aimyproxy.answering.conditions import Condition
    from aimyproxy.answering.mocks import Mock
    from aimyproxy.jsonvalue import JSON
    from aimyproxy.selectors import Selector


@dataclass(frozen=True, slots=True)
class _Rule:
    """A mock's answer, its rank (lower wins), and the conditions that no dictionary can decide."""

    rank: tuple[int, ...]
    further: tuple[Condition, ...]
    answerer: Answerer


@dataclass(frozen=True, slots=True)
class _Group:
    """The rules whose conditions look at the same places, by the values that they want there."""

    paths: tuple[Selector, ...]
    rules: dict[bytes, list[_Rule]] = field(default_factory=dict)

    def matching(self, root: JSON) -> Iterable[_Rule]:
        """The rules whose conditions all hold."""
        found = [path.values(root) for path in self.paths]
        if not all(found):
            return ()
        candidates = self.rules.get(jsonvalue.canonical([values[0] for values in found]), ())
        return (rule for rule in candidates if all(condition.holds(root) for condition in rule.further))


class Rules:
    """All rules of a recording. A look-up costs as much as there are different sets of paths for the event."""

    def __init__(self) -> None:
        self._groups: dict[str | None, dict[tuple[str, ...], _Group]] = {}
        self._added = 0
        self._laid = 0

    def __len__(self) -> int:
        return self._added

    @property
    def events(self) -> KeysView[str | None]:
        """The events that have a rule."""
        return self._groups.keys()

    def copy(self) -> Rules:
        """The same rules; what is added to one of the two is not in the other."""
        other = Rules()
        other._groups = {
            event: {
                spelled: _Group(group.paths, {key: list(rules) for key, rules in group.rules.items()})
                for spelled, group in groups.items()
            }
            for event, groups in self._groups.items()
        }
        other._added, other._laid = self._added, self._laid
        return other

    def add(self, mock: Mock, answerer: Answerer, *, first: bool = False) -> None:
        """Add the next mock of the file and what it answers with; `first` lets it win over all that says as much."""
        # A dictionary decides that one place has one value; all else is tried one by one.
        keyed: dict[Selector, JSON] = {}
        further: list[Condition] = []
        for condition in sorted(mock.conditions, key=lambda condition: condition.path.spelled):
            if condition.path.steps is not None and isinstance(condition.wanted, Equals):
                keyed[condition.path] = condition.wanted.value
            else:
                further.append(condition)
        paths = tuple(keyed)
        groups = self._groups.setdefault(mock.event, {})
        group = groups.setdefault(tuple(path.spelled for path in paths), _Group(paths))
        key = jsonvalue.canonical(list(keyed.values()))
        self._added += 1
        self._laid -= first
        order = self._laid if first else self._added
        rank = (*specificity(mock.conditions), order)
        group.rules.setdefault(key, []).append(_Rule(rank, tuple(further), answerer))

    def find(self, event: str | None, *roots: JSON) -> Sequence[Answerer]:
        """The answerer of the most specific rule that holds, the first of equally specific ones; nothing without any.

        A rule holds where its conditions do in one of the roots: a request as it came, and as it is redacted.
        Behind one that merges, the next, which it is laid over, and so on.
        """
        groups = self._groups.get(event)
        if not groups:
            return ()
        matching = chain.from_iterable(group.matching(root) for root in roots for group in groups.values())
        found: list[Answerer] = []
        for rule in sorted(matching, key=lambda rule: rule.rank):
            if found and found[-1] is rule.answerer:
                continue
            found.append(rule.answerer)
            if not rule.answerer.merge:
                break
        return found
