from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aimyproxy.answering.repeats import Repeats


def test_only_what_comes_again_is_kept():
    """The first time, nobody knows whether there will be another."""
    repeats = Repeats()
    repeats.made(b"a", 1)
    assert (repeats.get(b"a"), len(repeats)) == (None, 0)
    repeats.made(b"a", 2)
    assert repeats.get(b"a") == 2
    assert repeats.get(b"b") is None


@given(st.lists(st.binary(max_size=6)), st.integers(1, 5), st.integers(1, 20))
def test_memory_is_bounded(came, most, most_bytes):
    """In values, in bytes, and in what came once; and what is found is what was made of these very bytes."""
    repeats = Repeats(most, most_bytes)
    for one in came:
        assert repeats.get(one) in (None, b"of " + one)
        repeats.made(one, b"of " + one)
        kept = [known for known in came if repeats.get(known) is not None]
        assert len(repeats) <= most
        assert sum(map(len, set(kept))) <= most_bytes
        assert len(repeats._once) <= most
