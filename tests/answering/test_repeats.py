from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aimyproxy.answering.repeats import Repeats


def test_what_comes_again_is_told_from_what_does_not():
    """The first time, nobody knows whether there will be another."""
    repeats = Repeats()
    assert not repeats.again(b"a")
    assert repeats.again(b"a")
    assert not repeats.again(b"b")
    repeats.keep(b"a", 1)
    assert (repeats.get(b"a"), repeats.get(b"b"), len(repeats)) == (1, None, 1)


@given(st.lists(st.binary(max_size=6)), st.integers(1, 5), st.integers(1, 20))
def test_memory_is_bounded(came, most, most_bytes):
    """In values, in bytes, and in what came once; and what is found is what was made of these very bytes."""
    repeats = Repeats(most, most_bytes)
    for one in came:
        assert repeats.get(one) in (None, b"of " + one)
        if repeats.again(one):
            repeats.keep(one, b"of " + one)
        kept = [known for known in came if repeats.get(known) is not None]
        assert len(repeats) <= most
        assert sum(map(len, set(kept))) <= most_bytes
        assert len(repeats._once) <= most
