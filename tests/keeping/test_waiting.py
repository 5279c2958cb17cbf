from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aimyproxy.keeping.waiting import NO_ROOM, Held, Room, Waiting


def emptied(waiting):
    """All that waits, batch after batch."""
    while batch := waiting.first():
        yield from batch
        waiting.drop(len(batch))


@given(st.lists(st.binary(max_size=40), max_size=200), st.integers(0, 150), st.integers(0, 2000))
def test_what_fits_comes_out_in_its_order(documents, exchanges, size):
    """Never more than there is room for, counted and weighed; what comes out makes room."""
    waiting = Waiting(Room(exchanges, size))
    held = [Held(document, number) for number, document in enumerate(documents)]
    taken = [one for one in held if waiting.add(one)]
    assert len(waiting) == len(taken) <= exchanges
    assert sum(len(one.document) for one in taken) <= size
    assert list(emptied(waiting)) == taken
    assert len(waiting) == 0
    again = [one for one in held if waiting.add(one)]
    assert again == taken


def test_a_batch_that_is_not_worked_off_comes_again():
    """Nothing is lost where a walk ends early; what is added meanwhile comes last."""
    waiting = Waiting(Room())
    for number in range(100):
        waiting.add(Held(b"%d" % number))
    first = waiting.first()
    waiting.add(Held(b"100"))
    assert [int(held.document) for held in emptied(waiting)] == list(range(101))
    assert first[0] == Held(b"0")


def test_no_room_is_none():
    """Not even for nothing."""
    assert not Waiting(NO_ROOM).add(Held(b""))
