"""How long answers take."""

from __future__ import annotations

from random import Random

import pytest

from aimyproxy.answering.index import Index
from aimyproxy.answering.latency import SAMPLES, Latency, Waits
from aimyproxy.errors import InvalidOption
from aimyproxy.exchange import Failure
from tests.builders import exchange, request


def waits(**times):
    found = Waits()
    for event, recorded in times.items():
        for one in recorded:
            found.add(event, one)
    return found


def drawn(spelled, event="start", known=None, seed=1):
    latency, random = Latency.parse(spelled), Random(seed)
    return [latency.drawn(event, known or waits(), random) for _ in range(200)]


def test_by_default_nothing_waits():
    """As fast as it can."""
    assert set(drawn("none", known=waits(start=[50]))) == {0.0}


def test_recorded_times_are_those_of_the_event():
    """Each of them now and then; those of all where it has none; none where nothing was measured."""
    known = waits(start=[10, 20], order=[500])
    assert set(drawn("recorded", known=known)) == {10, 20}
    assert set(drawn("x2.5", known=known)) == {25, 50}
    assert set(drawn("recorded", "new", known)) == {10, 20, 500}
    assert set(drawn("recorded")) == {0.0}
    assert set(drawn("recorded", known=waits(start=[None]))) == {0.0}


@pytest.mark.parametrize(
    ("spelled", "least", "most"),
    [
        ("200ms", 200, 200),
        ("1.5s", 1500, 1500),
        ("100..400ms", 100, 400),
        ("100ms..0.4s", 100, 400),
        ("0.1..0.4s", 100, 400),
        ("0ms", 0, 0),
    ],
)
def test_a_range_is_kept(spelled, least, most):
    """In milliseconds or seconds."""
    found = drawn(spelled)
    assert least <= min(found) <= max(found) <= most
    if least != most:
        assert len(set(found)) > 100


def test_where_an_event_has_no_time_each_recorded_one_is_as_likely():
    """Events that came often count as often."""
    known = waits(often=[10] * 90, seldom=[500] * 10)
    assert 2 < drawn("recorded", "new", known).count(500) < 60


def test_only_the_latest_times_are_kept():
    """A long recording fills no memory."""
    assert min(drawn("recorded", known=waits(start=range(SAMPLES + 10)))) >= 10


def test_the_same_seed_waits_the_same():
    """So that a run can be repeated."""
    assert drawn("1..90ms", seed=5) == drawn("1..90ms", seed=5) != drawn("1..90ms", seed=6)


@pytest.mark.parametrize(
    "spelled", ["", "fast", "x", "x-1", "200", "400..100ms", "-5ms", "2h", "3601s", "1..2..3ms", "x" + "9" * 400, "٣ms"]
)
def test_what_is_no_latency_is_refused(spelled):
    """With the forms that there are."""
    with pytest.raises(InvalidOption, match=r"write none, recorded, x2, 200ms or 100\.\.400ms"):
        Latency.parse(spelled)


def test_the_index_knows_how_long_each_event_took():
    """Of the exchanges that had an answer."""
    failed = exchange(request(action="pay"), failure=Failure("timeout", "no answer"))
    index = Index.build(enumerate([exchange(), exchange(request(action="order")), failed, exchange()], 1))
    assert {event: list(times) for event, times in index.waits.by_event.items()} == {
        "start": [41.2] * 2,
        "order": [41.2],
    }
