from __future__ import annotations

import pytest

from aimyproxy.diff.selection import ALL, Selection
from aimyproxy.errors import InvalidOption
from tests import builders


def of(user, action="start"):
    return builders.exchange(builders.request(userId=user, action=action))


def test_events_and_users():
    """All of what is given has to hold."""
    selection = Selection(("start",), ("u1", "u2"))
    assert [selection.takes(one) for one in (of("u1"), of("u1", "pay"), of("u3"), of("u2"))] == [1, 0, 0, 1]
    assert ALL.takes(of("u3", "pay"))


def test_a_share_of_conversations_is_always_the_same_ones():
    """Whole ones: what happened in one depends on what happened before."""
    tenth, half = Selection(share=0.1), Selection(share=0.5)
    taken = {number for number in range(2000) if tenth.takes(of(f"u{number}"))}
    assert 140 < len(taken) < 260
    assert all(half.takes(of(f"u{number}", "pay")) for number in taken)
    assert all(tenth.takes(of(f"u{number}", "pay")) for number in taken)


def test_a_page_without_a_conversation_is_chosen_by_what_it_is_asked():
    """It has no user."""
    pages = [builders.exchange(builders.Request("GET", "/", (), builders.Body.of(b"%d" % n))) for n in range(200)]
    taken = sum(Selection(share=0.5).takes(page) for page in pages)
    assert 60 < taken < 140
    assert not Selection(users=("u1",)).takes(pages[0])


def test_what_is_not_there_is_named():
    """With what there is."""
    with pytest.raises(InvalidOption, match=r"--event strat: there is no such event; shop has pay, start"):
        Selection(("strat",)).check({"start", "pay", None}, 5, "shop has")
    with pytest.raises(InvalidOption, match=r"--user u9, u8: no exchange that was chosen is of such a userId"):
        Selection(users=("u9", "u8")).check({"start"}, 0, "shop has")
    Selection(users=("u9",)).check({"start"}, 1, "shop has")
