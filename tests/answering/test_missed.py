"""Misses, grouped."""

from __future__ import annotations

from aimyproxy.answering.missed import MissedEvents
from aimyproxy.answering.misses import Miss


def missed(*events, most=10):
    found = MissedEvents(most)
    for number, event in enumerate(events):
        found.add(Miss(event, None, f"reason {number}", (), "do this"))
    return found


def test_misses_are_grouped_by_event():
    """The most frequent first, of equals the first met, with the latest explanation."""
    found = missed("pay", "start", None, "start", None)
    assert [(one.latest.event, one.count, one.latest.reason) for one in found.ranked()] == [
        ("start", 2, "reason 3"),
        (None, 2, "reason 4"),
        ("pay", 1, "reason 0"),
    ]
    assert (found.total, found.others) == (5, 0)


def test_made_up_events_fill_no_memory():
    """What finds no room is counted all the same; clearing makes room, and the total goes on."""
    found = missed("a", "b", "c", "a", "d", most=2)
    assert ([one.latest.event for one in found.ranked()], found.total, found.others) == (["a", "b"], 5, 2)
    found.clear()
    assert (found.ranked(), found.total, found.others) == ([], 5, 0)
    found.add(Miss("d", None, "", (), ""))
    assert ([one.latest.event for one in found.ranked()], found.total) == (["d"], 6)


def test_long_names_fill_no_memory_either():
    """They are cut, and so may fall together."""
    found = MissedEvents()
    for last in "ab":
        found.add(Miss("e" * 10_000 + last, ("telegram", None, "u" * 10_000), "", (), ""))
    [one] = found.ranked()
    assert (one.count, one.latest.event, one.latest.conversation) == (2, "e" * 200, ("telegram", None, "u" * 200))
