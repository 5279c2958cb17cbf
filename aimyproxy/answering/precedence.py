"""Which of an event's mocks comes before which, and which can never win; for explaining, not for answering."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aimyproxy.answering.conditions import specificity

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from aimyproxy.answering.conditions import Condition
    from aimyproxy.answering.mocks import Mock
    from aimyproxy.jsonvalue import JSON


def tried(mocks: Iterable[Mock]) -> list[Mock]:
    """The mocks (in the order of the file) that are rules of their own, in the order in which they are tried."""
    # sorted() leaves equally specific ones in the order of the file.
    return sorted((mock for mock in mocks if not mock.edits_exchange), key=lambda mock: specificity(mock.conditions))


def edits(mocks: Iterable[Mock]) -> list[Mock]:
    """The mocks that answer in the place of an exchange, in the order of the file."""
    return [mock for mock in mocks if mock.edits_exchange]


def hiding(mock: Mock, mocks: Sequence[Mock]) -> Mock | None:
    """The first of these mocks that always answers before this one does, so that it can never win; None without any.

    `mocks` are in the order of `tried`, or of `edits` where this one edits an exchange.
    """
    for earlier in mocks[: mocks.index(mock)]:
        if earlier.enabled and _always_before(earlier, mock):
            return earlier
    return None


def _always_before(earlier: Mock, mock: Mock) -> bool:
    if mock.edits_exchange:
        return earlier.from_exchange == mock.from_exchange
    # What merges lets the next one through.
    return not earlier.merge and all(
        any(own.implies(condition) for own in mock.conditions) for condition in earlier.conditions
    )


def failing(mock: Mock, root: JSON) -> Condition | None:
    """The first condition of the mock that does not hold for this request; None where all do."""
    return next((condition for condition in mock.conditions if not condition.holds(root)), None)


def winning(mocks: Iterable[Mock], root: JSON) -> list[Mock]:
    """Of the mocks `tried`, those that answer this request: the first that holds, and behind one that merges the next."""
    found = []
    for mock in mocks:
        if mock.enabled and failing(mock, root) is None:
            found.append(mock)
            if not mock.merge:
                break
    return found
