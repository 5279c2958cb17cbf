from __future__ import annotations

import uuid

import pytest

from aimyproxy.diff.kinds import Seen, kind_of

AT = ["2026-01-01T10:00:00.000000Z", "2026-01-02T11:00:00.000000Z", "2026-01-03T12:00:00.000000Z"]
LATER = ["2026-02-01T10:00:00.000000Z", "2026-02-01T10:00:01.000000Z", "2026-02-01T10:00:02.000000Z"]
SECONDS = [1767261600, 1767351600, 1767441600]
LATER_SECONDS = [1769940000, 1769940001, 1769940002]


def seen(before, after):
    return [Seen(*values) for values in zip(before, after, AT, LATER, strict=True)]


def uuids(first):
    return [str(uuid.UUID(int=number**30 % 2**128, version=4)) for number in range(first, first + 3)]


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        (AT, LATER, "timestamp"),
        (["2026-01-01T13:00:05+03:00", "2026-01-02 11:00", "2026-01-03T12:00:00"], LATER, "timestamp"),
        (SECONDS, LATER_SECONDS, "timestamp"),
        ([moment * 1000 + 17 for moment in SECONDS], [moment + 0.5 for moment in LATER_SECONDS], "timestamp"),
        (AT, AT, None),
        (["2026-05-01T10:00:00Z"] * 3, ["2026-05-02T10:00:00Z"] * 3, None),
        (uuids(3), uuids(9), "UUID"),
        ([one.replace("-", "").upper() for one in uuids(3)], uuids(9), "UUID"),
        (uuids(3)[:1] * 3, uuids(9)[:1] * 3, None),
        (uuids(3), uuids(3), None),
        (["a1b2c3d4", "77aa88bb", "zz99yy88"], ["q1w2e3r4", "m1n2b3v4", "p0o9i8u7"], "token"),
        (["a1b2c3d4", "77aa88bb", "zz99yy88"], ["q1w2e3r4", "m1n2b3v4", "слово"], None),
        (["a1b2c3d4", "77aa88bb1", "zz99yy88"], ["q1w2e3r4", "m1n2b3v4", "p0o9i8u7"], None),
        (["a1b2c3d4", "77aa88bb", "abcdefgh"], ["q1w2e3r4", "m1n2b3v4", "p0o9i8u7"], "token"),
        (["margherita", "pepperonia", "quattrofor"], ["caprichosa", "a1b2c3d4", "hawaianaaa"], None),
        (["Иван", "Анна", "Пётр"], ["Яна", "Олег", "Ольга"], None),
        ([1, 2, 3], [11, 12, 13], None),
        ([True, False, True], [False, True, False], None),
        ([None, None, None], [1, 2, 3], None),
    ],
)
def test_kinds(before, after, kind):
    """By all values of both sides; a clock shows the time, an id never comes twice."""
    assert kind_of(seen(before, after)) == kind


def test_one_value_is_enough_for_a_clock_alone():
    """One UUID may be a constant."""
    assert kind_of(seen(AT, LATER)[:1]) == "timestamp"
    assert kind_of(seen(uuids(3), uuids(9))[:1]) is None
    assert kind_of([]) is None


def test_a_counter_grows_on_both_sides():
    """Four values at least."""
    before, after = [5, 6, 8, 9], [100, 101, 102, 103]
    moments = [AT[0]] * 4
    assert kind_of([Seen(*one) for one in zip(before, after, moments, moments, strict=True)]) == "counter"
    assert kind_of([Seen(*one) for one in zip(before, after[::-1], moments, moments, strict=True)]) is None


@pytest.mark.parametrize(
    ("after", "kind"),
    [
        ([77, 12, 950, 3, 418], "random number"),
        ([77.5, 12, 950, 3, 418], "random number"),
        ([510, 91, 730, 260, 9], None),
        ([77, 12, 950, 3, 77], None),
        ([77, 12, 950, 3, True], None),
    ],
)
def test_random_numbers_have_nothing_to_do_with_each_other(after, kind):
    """Where all of them grew by a tenth, something was changed."""
    before = [500, 90, 700, 250, 8]
    assert kind_of([Seen(*one, AT[0], AT[0]) for one in zip(before, after, strict=True)]) == kind
    assert kind_of([Seen(*one, AT[0], AT[0]) for one in zip(before[:4], after[:4], strict=True)]) is None


def test_what_was_recorded_at_no_moment_is_no_clock():
    """A hand-made recording may say anything."""
    assert kind_of([Seen(AT[0], LATER[0], "once", LATER[0])]) is None
