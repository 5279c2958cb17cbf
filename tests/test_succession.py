"""What is done and said when a worker ends."""

from __future__ import annotations

import signal

import pytest

from aimyproxy.succession import Succession, end_of, never_ready, replaced


def test_the_place_stays_empty_for_longer_each_time():
    """Whatever kills them shall not keep the machine busy; after a good life, all begins anew."""
    place = Succession()
    assert [place.pause(0.1) for _ in range(9)] == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]
    assert [place.pause(life) for life in (11, 1, 60, 10)] == [0.25, 0.5, 0.25, 0.5]


@pytest.mark.parametrize(
    ("status", "said"), [(-signal.SIGKILL, "by SIGKILL"), (3, "with status 3"), (0, "with status 0")]
)
def test_it_is_said_how_one_ended(status, said):
    """In the words of those who look for it."""
    assert end_of(status) == said
    assert replaced("Worker 2", said) == f"Worker 2 ended {said}; another one takes its place."
    assert str(never_ready(said)) == f"The workers can't begin: one ended {said} before it was ready."
