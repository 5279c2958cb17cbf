"""Dice that fall the same way again."""

from __future__ import annotations

from aimyproxy.answering.chances import MOST, Chances


def drawn(chances, event, times=5):
    return [chances.of(event).random() for _ in range(times)]


def test_an_event_draws_the_same_whatever_comes_in_between():
    """With the same seed and for the same purpose."""
    alone, mixed, numbers = Chances(7, "fault"), Chances(7, "fault"), []
    for _ in range(5):
        drawn(mixed, "start")
        numbers += drawn(mixed, "pay", 1)
        drawn(mixed, None)
    assert numbers == drawn(alone, "pay")


def test_seeds_events_and_purposes_draw_differently():
    """No two of them the same."""
    every = [
        drawn(Chances(7, "fault"), "pay"),
        drawn(Chances(8, "fault"), "pay"),
        drawn(Chances(7, "latency"), "pay"),
        drawn(Chances(7, "fault"), "start"),
        drawn(Chances(7, "fault"), None),
        drawn(Chances(7, "fault"), "None"),
        drawn(Chances(7, "fault"), ""),
        drawn(Chances(7, "fault"), "half an emoji: \ud83d"),
    ]
    assert len({tuple(numbers) for numbers in every}) == len(every)


def test_made_up_events_fill_no_memory():
    """The first ones keep their own dice; those beyond share the dice of no event."""
    chances = Chances(7, "fault")
    for number in range(MOST + 100):
        chances.of(f"event {number}")
    assert len(chances._dice) <= MOST + 1
    assert chances.of("event 0") is not chances.of("event 1")
    assert chances.of("one more") is chances.of(None)
