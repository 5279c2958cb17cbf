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
    """The mocks (in the order of the file) in the order in which they are tried: last those that edit an exchange."""
    # sorted() leaves equally specific ones in the order of the file.
    return sorted(mocks, key=lambda mock: (mock.edits_exchange, specificity(mock.conditions)))


def hiding(mock: Mock, mocks: Sequence[Mock]) -> Mock | None:
    """The first of the mocks `tried` that answers whenever this one could, so that it never wins; None without any."""
    before = mocks[: mocks.index(mock)]
    return next((earlier for earlier in before if earlier.enabled and _always_before(earlier, mock)), None)


def _always_before(earlier: Mock, mock: Mock) -> bool:
    if earlier.edits_exchange:
        return earlier.from_exchange == mock.from_exchange
    # What merges lets the next one through.
    return not earlier.merge and all(
        any(own.implies(condition) for own in mock.conditions) for condition in earlier.conditions
    )


def failing(mock: Mock, root: JSON) -> Condition | None:
    """The first condition of the mock that does not hold for this request; None where all do."""
    return next((condition for condition in mock.conditions if not condition.holds(root)), None)


def winning(mocks: Iterable[Mock], root: JSON) -> list[Mock]:
    """Those of the mocks `tried` that answer this request, edited exchanges aside: the first, and what it lies over."""
    found = []
    for mock in mocks:
        if mock.enabled and not mock.edits_exchange and failing(mock, root) is None:
            found.append(mock)
            if not mock.merge:
                break
    return found
