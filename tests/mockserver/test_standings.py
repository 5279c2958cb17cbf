"""Conversations that several processes count together."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimyproxy.answering.conversations import Conversations
from aimyproxy.mockserver import standings
from aimyproxy.mockserver.standings import SharedConversations

USER = ("vk", "bot", "7")
EVENTS = ["start", "order", "pay"]


@pytest.fixture
def table(tmp_path):
    standings.create(tmp_path / "table")
    return tmp_path / "table"


@pytest.fixture
def two(table):
    """The same table as two processes see it."""
    both = [SharedConversations(table, lambda: EVENTS) for _ in range(2)]
    yield both
    for one in both:
        one.close()


def counted(conversations, conversation, asked):
    """How often each was asked before; once more now."""
    return list(conversations.ask(conversation, asked)[0].values())


def test_what_one_counts_the_other_sees(two):
    """Counters and the event before; each conversation has its own."""
    one, other = two
    assert counted(one, USER, [b"key", "start"]) == [0, 0]
    assert counted(other, USER, ["start", b"other"]) == [1, 0]
    assert counted(one, ("vk", "bot", "8"), ["start"]) == [0]
    assert counted(one, None, ["start"]) == [0]
    assert counted(other, None, ["start"]) == [1]
    assert one.ask(USER, [], "start")[1] is None
    assert other.ask(USER, [], "order")[1] == "start"
    assert one.ask(USER, [], "unheard of")[1] == "order"
    assert other.ask(USER, [], "pay")[1] not in (None, *EVENTS)
    assert other.ask(None, [], "pay")[1] is None


asking = st.lists(
    st.tuples(st.sampled_from([None, USER, ("vk", None, "8")]), st.lists(st.sampled_from([b"k", *EVENTS]), unique=True))
)


@given(asking)
def test_they_are_what_one_process_counts(tmp_path_factory, asked):
    """Whoever of them is asked."""
    path = tmp_path_factory.mktemp("standings") / "table"
    standings.create(path)
    alone, both = Conversations(), [SharedConversations(path, lambda: EVENTS) for _ in range(2)]
    for number, (conversation, what) in enumerate(asked):
        shared = both[number % 2]
        event = next((one for one in what if isinstance(one, str)), None)
        assert shared.ask(conversation, what, event) == alone.ask(conversation, what, event)
    for one in both:
        one.close()


def test_processes_count_at_the_same_time(table):
    """And nothing is counted twice, or not at all."""
    code = (
        "import sys, pathlib\n"
        "from aimyproxy.mockserver.standings import SharedConversations\n"
        "shared = SharedConversations(pathlib.Path(sys.argv[1]), lambda: [])\n"
        "print(*[shared.ask(('vk', 'bot', '7'), ['start'])[0]['start'] for _ in range(2000)])\n"
    )

    def counted(_):
        return subprocess.run([sys.executable, "-c", code, table], check=True, capture_output=True, text=True).stdout

    with ThreadPoolExecutor(3) as pool:
        seen = [int(number) for output in pool.map(counted, range(3)) for number in output.split()]
    assert sorted(seen) == list(range(6000))


def test_too_many_conversations_are_forgotten(tmp_path, monkeypatch):
    """The file never grows, and who was here a moment ago is known."""
    monkeypatch.setattr(standings, "_PARTS", 4)
    standings.create(tmp_path / "table")
    shared = SharedConversations(tmp_path / "table", list)
    size = (tmp_path / "table").stat().st_size
    for number in range(200):
        shared.ask(("vk", "bot", str(number)), [b"%d" % key for key in range(60)])
    assert counted(shared, ("vk", "bot", "199"), [b"59"]) == [1]
    assert counted(shared, ("vk", "bot", "0"), [b"%d" % key for key in range(60)]) == [0] * 60
    shared.close()
    assert (tmp_path / "table").stat().st_size == size
