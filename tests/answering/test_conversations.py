from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aimyproxy.answering.conversations import Conversations


def user(name):
    return ("telegram", "bot", name)


def counted(conversations, conversation, asked):
    """How often each was asked before; once more now."""
    return list(conversations.ask(conversation, asked)[0].values())


def test_each_conversation_counts_for_itself():
    """Two users who talk at the same time never mix."""
    conversations = Conversations()
    assert counted(conversations, user("a"), ["start", b"key"]) == [0, 0]
    assert counted(conversations, user("a"), ["start"]) == [1]
    assert counted(conversations, user("b"), ["start"]) == [0]
    assert counted(conversations, None, ["start"]) == [0]
    assert counted(conversations, user("a"), [b"key", "order", "start"]) == [1, 0, 2]


def test_the_one_silent_for_longest_is_forgotten():
    """Memory is bounded; who talks stays."""
    conversations = Conversations(most=2)
    for name in "aba":
        counted(conversations, user(name), ["start"])
    counted(conversations, user("c"), ["start"])
    assert counted(conversations, user("a"), ["start"]) == [2]
    assert counted(conversations, user("b"), ["start"]) == [0]
    assert len(conversations) == 2


def test_conversations_begin_anew_when_they_are_forgotten():
    """Those of one user in every channel, or all, those without a user included."""
    conversations = Conversations()
    for conversation in (user("a"), user("b"), ("vk", "bot", "a"), None):
        conversations.ask(conversation, ["start"], "start")
    assert conversations.forget("a") == 2
    assert [counted(conversations, user(name), ["start"]) for name in "ab"] == [[0], [1]]
    assert [conversations.ask(user(name), [], "order")[1] for name in "ab"] == [None, "start"]
    assert conversations.forget() == 3
    assert counted(conversations, None, ["start"]) == [0]


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from(["x", "y"]))))
def test_it_counts_what_was_asked_before(asked):
    """And keeps no more conversations than allowed."""
    conversations, seen = Conversations(most=6), []
    for name, event in asked:
        assert counted(conversations, user(name), [event]) == [seen.count((name, event))]
        seen.append((name, event))
    assert len(conversations) == len({name for name, _ in asked})
