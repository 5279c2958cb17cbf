from __future__ import annotations

import copy
import itertools
import multiprocessing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimyproxy import limiter as limiter_module
from aimyproxy.errors import InvalidOption
from aimyproxy.limiter import Limiter, Rate, SharedLimiter


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


def alone(rate, clock, folder):
    return Limiter(rate, clock)


def shared(rate, clock, folder):
    """Of three processes, whichever is asked."""
    first = SharedLimiter(rate, folder / "addresses", clock)
    return InTurn([copy.copy(first), copy.copy(first), copy.copy(first)])


class InTurn:
    def __init__(self, limiters):
        self._limiters = itertools.cycle(limiters)

    def wait(self, address):
        return next(self._limiters).wait(address)


@pytest.mark.parametrize("made", [alone, shared])
def test_the_rate_may_come_at_once_and_then_one_by_one(tmp_path, made):
    """What is refused does not count, and the wait that is told is enough."""
    clock = Clock()
    limiter = made(Rate.parse("4/m"), clock, tmp_path)
    assert [limiter.wait("a") for _ in range(4)] == [0.0] * 4
    wait = limiter.wait("a")
    assert wait == pytest.approx(15)
    assert limiter.wait("a") == pytest.approx(15)
    assert limiter.wait("b") == 0.0
    clock.now += wait
    assert limiter.wait("a") == 0.0
    assert limiter.wait("a") == pytest.approx(15)
    clock.now += 60
    assert [limiter.wait("a") for _ in range(4)] == [0.0] * 4


@pytest.mark.parametrize("made", [alone, shared])
@given(count=st.integers(1, 50), pauses=st.lists(st.floats(0, 3), max_size=200))
def test_no_address_gets_more_than_the_rate(tmp_path_factory, made, count, pauses):
    """In any time: so many at once, and so many for each of its seconds."""
    clock = Clock()
    limiter = made(Rate(count, 1.0, ""), clock, tmp_path_factory.mktemp("rates"))
    passed = []
    for pause in pauses:
        clock.now += pause
        if limiter.wait("a") == 0.0:
            passed.append(clock.now)
    for first, begun in enumerate(passed):
        for last in range(first, len(passed)):
            assert last - first + 1 <= count * (1 + passed[last] - begun) + 0.01 * count + 1e-6


def test_addresses_are_forgotten_before_they_are_too_many():
    """Those that were silent longest."""
    limiter = Limiter(Rate.parse("1/h"), Clock(), most=3)
    for address in "abcd":
        assert limiter.wait(address) == 0.0
    assert limiter.wait("b") > 0
    assert limiter.wait("a") == 0.0
    assert len(limiter._due) == 3


def test_of_too_many_addresses_that_share_a_place_the_most_silent_is_forgotten(tmp_path, monkeypatch):
    """Others are known on."""
    monkeypatch.setattr(limiter_module, "_GROUPS", 1)
    clock = Clock()
    limiter = SharedLimiter(Rate.parse("1/h"), tmp_path / "addresses", clock)
    for address in "abcdefgh":
        clock.now += 1
        assert limiter.wait(address) == 0.0
    assert [limiter.wait(address) > 0 for address in "abcdefgh"] == [True] * 8
    assert limiter.wait("i") == 0.0
    assert [limiter.wait(address) > 0 for address in "bcdefghi"] == [True] * 8
    assert limiter.wait("a") == 0.0


def ask(limiter, times, passed):
    passed.put(sum(limiter.wait("a") == 0.0 for _ in range(times)))


def test_processes_that_count_at_once_miss_nothing(tmp_path):
    """None of them lets in what another has let in already."""
    limiter = SharedLimiter(Rate.parse("1000/h"), tmp_path / "addresses")
    context = multiprocessing.get_context("spawn")
    passed = context.Queue()
    processes = [context.Process(target=ask, args=(limiter, 1000, passed)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    # While they ask, a few more become due.
    assert 1000 <= sum(passed.get() for _ in processes) <= 1010


@pytest.mark.parametrize("text", ["", "100", "0/s", "-1/s", "1.5/s", "100/d", "100 / s", "/s"])
def test_a_rate_is_a_number_and_a_time(text):
    """Anything else is told with an example."""
    with pytest.raises(InvalidOption, match="as 100/s"):
        Rate.parse(text)
