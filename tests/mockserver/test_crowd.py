from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from aimyproxy.mockserver.crowd import Crowd


class Member:
    def __init__(self, since):
        self.since = since
        self.dropped = False

    def idle_since(self):
        return self.since

    def drop(self):
        self.dropped = True


def entered(crowd, *since):
    members = [Member(moment) for moment in since]
    for member in members:
        crowd.enter(member)
    return members


def dropped(members):
    return [member.dropped for member in members]


def test_the_longest_idle_one_makes_room():
    """Those that are busy stay, and so does the new one."""
    members = entered(Crowd(3), math.inf, 5.0, 4.0, 6.0)
    assert dropped(members) == [False, False, True, False]


def test_who_came_first_goes_first():
    """Where they are idle since the same moment."""
    assert dropped(entered(Crowd(2), 1.0, 1.0, 1.0, 1.0)) == [True, True, False, False]


def test_where_all_are_busy_a_new_one_is_turned_away():
    """Until one of them has ended."""
    crowd = Crowd(2)
    busy, also, new = entered(crowd, math.inf, math.inf, 1.0)
    assert dropped((busy, also, new)) == [False, False, True]
    crowd.leave(new)
    crowd.leave(busy)
    assert dropped(entered(crowd, 2.0)) == [False]


@given(st.integers(1, 300), st.lists(st.one_of(st.just(math.inf), st.floats(0, 9)), max_size=400))
def test_there_are_never_more_than_there_may_be(most, moments):
    """Of those that were dropped none was busy, but a newcomer; and no more went than had to, by one in a hundred."""
    members = entered(Crowd(most), *moments)
    staying = [member for member in members if not member.dropped]
    assert len(staying) <= most
    assert len(staying) >= min(len(members), most - most // 100)
    busy_ones = [member for member in members if member.since == math.inf]
    assert sum(member.dropped for member in busy_ones) <= max(0, len(busy_ones) - 1)
