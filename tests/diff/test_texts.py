from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aimyproxy.diff.texts import TextChange, changed_part

texts = st.text(alphabet="abИ🍕", max_size=30)


@given(st.tuples(texts, texts, texts, texts), st.integers(0, 5))
def test_the_parts_make_both_texts(parts, around):
    """Nothing is lost, nothing common is left in what differs, and no more is around it than asked for."""
    start, one, other, end = parts
    before, after = start + one + end, start + other + end
    change = changed_part(before, after, around)
    left, right = before[: change.start], before[len(before) - change.end :]
    assert left + change.head + change.before + change.tail + right == before
    assert left + change.head + change.after + change.tail + right == after
    assert max(len(change.head), len(change.tail)) <= around
    if change.before and change.after:
        assert change.before[0] != change.after[0]
        assert change.before[-1] != change.after[-1]


def test_a_word_in_a_long_text():
    """Only the word and its surroundings remain."""
    assert changed_part("a" * 50 + " old " + "z" * 50, "a" * 50 + " new " + "z" * 50, 3) == TextChange(
        48, "aa ", "old", "new", " zz", 48
    )
    assert changed_part("aaa", "aaaa") == TextChange(0, "aaa", "", "a", "", 0)
