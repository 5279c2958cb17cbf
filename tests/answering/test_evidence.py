from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aimyproxy.answering.evidence import Evidence
from aimyproxy.answering.features import Situation

KEYS = [(), (("a",),), (("b",),), (("a",), ("b",)), (("a",), ("b",), ("c",))]
ROWS = st.lists(
    st.tuples(
        st.fixed_dictionaries({}, optional={name: st.sampled_from([0, False, 1, "x", None]) for name in "abc"}),
        st.integers(0, 4),
    ),
    min_size=1,
    max_size=30,
)


def evidence(pairs, generic=()):
    """What these pairs of variables and a value show, with expressions that hold in the rows of these bits."""
    constants, numbers = {}, {}
    for index, (_, value) in enumerate(pairs):
        constants[b"%d" % value] = constants.get(b"%d" % value, 0) | 1 << index
        numbers.setdefault(value, len(numbers))
    everywhere = (1 << len(pairs)) - 1
    expressions = {f"expression {index}": bits & everywhere for index, bits in enumerate(generic)}
    rows = [(Situation(variables, 1, None), value) for variables, value in pairs]
    return Evidence(rows, expressions, constants, [numbers[value] for _, value in pairs], {})


def group(variables, keys):
    return [repr(variables.get(key, "nothing")) for (key,) in keys]


@given(ROWS, st.sampled_from(KEYS))
def test_a_cell_is_the_rows_with_the_same_values(pairs, keys):
    """Each row is in one; a boolean is no number, and nothing is not null."""
    for cell in (found := evidence(pairs).cells(keys)):
        assert len({str(group(pairs[index][0], keys)) for index in range(len(pairs)) if cell >> index & 1}) == 1
    assert len(found) == len({str(group(variables, keys)) for variables, _ in pairs})
    assert sum(found) == (1 << len(pairs)) - 1


@given(ROWS, st.sampled_from(KEYS), st.lists(st.integers(0), max_size=2))
def test_a_row_is_right_where_another_one_tells_it(pairs, keys, generic):
    """By having the same value in the same cell, or by an expression that holds in both."""
    shown = evidence(pairs, generic)
    best = max(shown.generic.values(), key=int.bit_count, default=0)
    wanted = 0
    for cell in shown.cells(keys):
        if cell.bit_count() == 1:
            wanted += bool(cell & best)
        else:
            alike = max((cell & bits).bit_count() for bits in shown.constants.values())
            made = max(((cell & bits).bit_count() for bits in shown.generic.values()), default=0)
            wanted += max(alike if alike > 1 else 0, made)
    assert shown.right(keys) == wanted


@given(ROWS, st.sampled_from(KEYS), st.integers(0, 31))
def test_who_asks_for_enough_is_told_exactly_or_that_it_is_less(pairs, keys, least):
    """So that hopeless paths are let go early."""
    exact, told = evidence(pairs).right(keys), evidence(pairs).right(keys, least)
    assert told == exact if exact >= least else told < least
