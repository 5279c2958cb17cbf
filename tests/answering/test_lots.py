from __future__ import annotations

from collections import Counter

import pytest

from aimyproxy.answering.lots import drawn


@pytest.mark.parametrize("most", [1, 2, 8, 50])
def test_as_many_are_drawn_as_there_is_room_for(most):
    """Each at most once, in order."""
    for count in range(120):
        found = drawn(count, most)
        assert len(found) == min(count, most)
        assert list(found) == sorted(set(found))
        assert set(found) <= set(range(count))


@pytest.mark.parametrize("turns", [2, 3, 4, 8, 10, 16, 32])
def test_what_takes_turns_is_drawn_alike(turns):
    """No turn is left out, and none has much more than its share; the beginning and the end have theirs, too."""
    found = drawn(20_000, 1_000)
    counts = Counter(number % turns for number in found)
    assert len(counts) == turns
    assert max(counts.values()) < 1.6 * 1_000 / turns
    assert all(70 < sum(start <= number < start + 2_000 for number in found) < 140 for start in range(0, 20_000, 2_000))
