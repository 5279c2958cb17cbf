from __future__ import annotations

from random import Random

import pytest

from aimyproxy.diff.latency import Latency, Times, chance_of_larger


def compared(before, after):
    latency = Latency()
    for pair in zip(before, after, strict=True):
        latency.add(*pair)
    return latency.compared()


def around(middle, count, seed):
    chance = Random(seed)
    return [chance.lognormvariate(0, 0.3) * middle for _ in range(count)]


@pytest.mark.parametrize(
    ("before", "after", "slower"),
    [
        (around(40, 40, 1), around(80, 40, 2), True),
        (around(40, 40, 1), around(40, 40, 2), False),
        (around(80, 40, 1), around(40, 40, 2), False),
        (around(40, 7, 1), around(400, 7, 2), False),
        (around(1, 1000, 1), around(20, 1000, 2), False),
        (around(400, 900, 1), around(440, 900, 2), False),
        ([40.0] * 20, [40.0] * 20, False),
        ([40.0] * 20, [80.0] * 20, True),
    ],
)
def test_slower_is_more_than_chance_and_more_than_a_hair(before, after, slower):
    """By a test, a fifth, and 25 milliseconds."""
    assert compared(before, after).slower is slower


def test_the_figures_of_both_sides():
    """Count, median, and what 95 of a hundred stay below."""
    found = compared(range(1, 101), range(101, 201))
    assert (found.baseline, found.candidate) == (Times(100, 50.5, 96), Times(100, 150.5, 196))
    assert compared([5.0], [6.0]).baseline == Times(1, 5.0, 5.0)


def test_what_was_not_timed_counts_for_nothing():
    """Pairs only."""
    assert compared([None, 1.0], [1.0, None]) is None


def test_of_many_pairs_a_sample_is_kept():
    """Each has the same chance; all are counted."""
    found = compared([float(number) for number in range(20_000)], [float(number) for number in range(20_000)])
    assert found.baseline.count == 20_000
    assert 8_500 < found.baseline.median < 11_500
    assert not found.slower


@pytest.mark.parametrize(
    ("before", "after", "chance"),
    [
        # By hand: for the second one U is 13, its mean 8, its variance 16/12 * (9 - 48/56).
        ([1, 2, 3, 4, 5], [6, 7, 8, 9, 10], 0.006093),
        ([1, 2, 2, 3], [2, 3, 3, 4], 0.0860),
        ([5, 6], [1, 2], 0.9736),
        ([3, 3], [3, 3], 1.0),
    ],
)
def test_the_test_is_mann_and_whitneys(before, after, chance):
    """With ties and the correction for continuity."""
    assert chance_of_larger(before, after) == pytest.approx(chance, rel=0.001)
