from __future__ import annotations

import sys
import threading

import pytest

from aimyproxy.answering.asked import Asked
from aimyproxy.answering.index import Index
from aimyproxy.errors import BrokenFile
from aimyproxy.mockserver import source as source_module
from aimyproxy.mockserver.source import Source, load
from aimyproxy.store.recording import Recording
from tests.builders import exchange, request
from tests.mockserver.observers import Remembering
from tests.processes import eventually


@pytest.fixture(params=[0, 1_000_000], ids=["held", "read whole"])
def recording(tmp_path, request, monkeypatch):
    """A recording of one exchange, taken for a long one and for a short one."""
    monkeypatch.setattr(source_module, "_SMALL", request.param)
    made = Recording.create(tmp_path / "shop", None)
    made.append(exchange())
    yield made
    made.close()


class Polled:
    """A source with its observer and the indexes that it handed out."""

    def __init__(self, recording):
        self.source = Source(recording)
        self.observer = Remembering()
        self.taken = []

    def poll(self, times=1):
        for _ in range(times):
            self.source.poll(self.taken.append, self.observer)


def test_unchanged_files_are_left_alone(recording):
    """Looking costs two stats."""
    polled = Polled(recording)
    polled.poll(3)
    assert polled.source.index.summary() == "1 exchange, 0 mocks, 1 event"
    assert (polled.taken, polled.observer.good, polled.observer.bad) == ([], [], [])


def test_an_edit_of_mocks_or_hints_builds_nothing_anew(recording, monkeypatch):
    """A long recording takes its time."""
    built = []
    make = Index.of.__func__
    monkeypatch.setattr(Index, "of", classmethod(lambda cls, *given: built.append(1) or make(cls, *given)))
    polled = Polled(recording)
    recording.mocks.add({"event": "order", "answer": {}})
    recording.mocks.add({"event": "start", "when": {"$.name": "Анна"}, "from_exchange": 1, "answer": {"greeting": "1"}})
    recording.mocks.add(
        {"event": "start", "when": {"$.name": "Олег"}, "from_exchange": 99, "answer": {"greeting": "2"}}
    )
    polled.poll(2)
    assert (len(built), len(polled.taken)) == (1, 1)
    fresh = Source(recording).index
    for index in (polled.source.index, fresh):
        assert index.summary() == "1 exchange, 3 mocks, 2 events"
        for changes in ({}, {"action": "order"}, {"name": "Анна"}, {"name": "Олег"}):
            asked = Asked.of(request(**changes))
            assert index.find(asked, {}) == fresh.find(asked, {})
    recording.mocks.add({"event": "start", "from_exchange": 1, "answer": {"greeting": "edited"}})
    polled.poll(2)
    assert polled.source.index.find(Asked.of(request()), {}).source.mock == 4
    recording.hints.write({"start": {"pin": ["$.name"], "forbid": []}})
    polled.poll(2)
    assert [*polled.source.index.models()["start"].deciding()] == [("name",)]
    assert (len(built), len(polled.taken)) == (2, 3)


def test_edits_of_both_files_are_taken_over(recording):
    """A new mock, a new exchange, a removed one."""
    polled = Polled(recording)
    recording.mocks.add({"event": "order", "answer": {}})
    polled.poll(2)
    recording.append(exchange(request(action="bye")))
    polled.poll(2)
    recording.mocks.path.unlink()
    recording.remove([1])
    polled.poll(2)
    assert polled.observer.good == [
        "Picked up an edit: 1 exchange, 1 mock, 2 events.",
        "Picked up an edit: 2 exchanges, 1 mock, 3 events.",
        "Picked up an edit: 1 exchange, 0 mocks, 1 event.",
    ]
    assert [index.exchanges for index in polled.taken] == [1, 2, 1]
    assert polled.source.index is polled.taken[-1]


def test_a_broken_edit_is_reported_once_and_its_repair_too(recording):
    """With file, line and column; what was good before stays."""
    polled = Polled(recording)
    before = polled.source.index
    path = recording.mocks.path
    path.write_text('{"mocks": {\n  "1": {"event": "start", "answer": {}},\n}}', encoding="utf-8")
    polled.poll(5)
    assert polled.source.index is before
    [trouble] = polled.observer.bad
    assert trouble.startswith(f"{path}:2:40: not valid JSON")
    assert trouble.endswith("What was good before stays in use.")
    path.write_text('{"mocks": {\n  "1": {"event": "start", "answer": {}}\n}}', encoding="utf-8")
    polled.poll(2)
    assert polled.observer.good == ["Repaired: 1 exchange, 1 mock, 1 event."]
    assert len(polled.observer.bad) == 1


def test_another_breakage_is_another_report(recording):
    """The user sees what is wrong with what he has just saved."""
    polled = Polled(recording)
    for text in ("[", '{"mocks": {"1": {"evnt": 1}}}'):
        recording.mocks.path.write_text(text, encoding="utf-8")
        polled.poll(3)
    assert len(polled.observer.bad) == 2
    assert ":1:12: mock 1: 'evnt' is no member of a mock" in polled.observer.bad[1]


def test_a_file_that_is_only_half_written_is_no_news(recording):
    """Editors write in steps; what the next look finds whole is not reported."""
    polled = Polled(recording)
    recording.mocks.path.write_text("{", encoding="utf-8")
    polled.poll()
    recording.mocks.path.write_text("{}", encoding="utf-8")
    polled.poll(2)
    assert polled.observer.bad == []
    assert polled.observer.good == ["Picked up an edit: 1 exchange, 0 mocks, 1 event."]


def test_a_recording_that_vanishes_serves_on(recording):
    """Until it is back."""
    polled = Polled(recording)
    aside = recording.path.with_name("aside")
    recording.path.rename(aside)
    polled.poll(3)
    assert len(polled.observer.bad) == 1
    aside.rename(recording.path)
    polled.poll(2)
    assert polled.observer.good == ["Repaired: 1 exchange, 0 mocks, 1 event."]


def test_an_edit_of_an_exchange_that_is_gone_is_warned_of(recording):
    """Once, when it becomes so."""
    polled = Polled(recording)
    recording.mocks.add({"event": "start", "answer": {}, "from_exchange": 9})
    polled.poll()
    recording.mocks.add({"event": "start", "answer": {}})
    polled.poll()
    assert len(polled.observer.bad) == 1
    assert "exchange 9" in polled.observer.bad[0]


def test_a_recording_that_is_broken_from_the_start_is_an_error(recording):
    """There is no good state to go on with."""
    recording.mocks.path.write_text('{"mocks": {"1": []}}', encoding="utf-8")
    with pytest.raises(BrokenFile):
        Source(recording)


def test_who_began_to_load_earlier_is_not_done_later(recording, monkeypatch):
    """What was asked to be loaded now must not give way to what the watcher read before."""
    polled = Polled(recording)
    reading, going_on = threading.Event(), threading.Event()

    def slow(*given):
        index = load(*given)
        if not reading.is_set():
            reading.set()
            going_on.wait(30)
        return index

    monkeypatch.setattr("aimyproxy.mockserver.source.load", slow)
    recording.append(exchange())
    watcher = threading.Thread(target=polled.poll)
    watcher.start()
    assert reading.wait(30)
    recording.append(exchange())
    asked = threading.Thread(target=polled.source.reload, args=(polled.taken.append,))
    asked.start()
    # Time enough to overtake, where nothing keeps it from that.
    asked.join(0.3)
    going_on.set()
    watcher.join()
    asked.join()
    assert [index.exchanges for index in polled.taken] == [2, 3]
    assert polled.source.index.exchanges == 3


def test_what_turns_out_to_be_broken_is_told_when_it_was_read(tmp_path, monkeypatch):
    """A glance passes over a text whose bytes are no UTF-8; all else answers."""
    monkeypatch.setattr(source_module, "_SMALL", 0)
    recording = Recording.create(tmp_path / "shop", None)
    for name in ("Анна", "Олег"):
        recording.append(exchange(request(name=name, userId=name)))
    recording.path.write_bytes(recording.path.read_bytes().replace('"name":"Анна"'.encode(), b'"name":"\xff\xff"'))
    polled = Polled(recording)
    polled.poll()
    assert polled.observer.bad == []
    assert polled.source.index.find(Asked.of(request(name="Олег", userId="Олег")), {}).source.exchange == 2
    polled.source.index.find(Asked.of(request(name="Анна", userId="Анна")), {})
    polled.poll(2)
    [trouble] = polled.observer.bad
    assert "exchanges.json:3:1: exchange 1: " in trouble
    assert trouble.endswith("It answers nothing.")
    recording.close()


def test_what_nobody_asks_for_is_read_on_in_the_background(tmp_path, monkeypatch):
    """What turns out to be broken is told though no request needed it; an edited index goes on, too."""
    monkeypatch.setattr(source_module, "_SMALL", 0)
    monkeypatch.setattr(source_module, "_READING_SECONDS", 0)
    monkeypatch.setattr(source_module, "_MANY", 100)
    recording = Recording.create(tmp_path / "shop", None)
    for number in range(200):
        recording.append(exchange(request(name="last" if number == 199 else "any", userId=f"u{number}")))
    recording.path.write_bytes(recording.path.read_bytes().replace(b'"name":"last"', b'"name":"\xff\xff"'))
    source, observer, taken = Source(recording), Remembering(), []
    with source.watching(taken.append, observer):
        eventually(lambda: observer.bad, "the broken exchange", 20)
        recording.mocks.add({"event": "order", "answer": {}})
        eventually(lambda: taken, "a new index", 10)
        assert list(taken[-1].read_on()) == [None] * 200
    assert ["exchange 200: " in told for told in observer.bad] == [True]
    recording.close()


def test_a_new_index_has_learned_what_the_one_before_had(recording):
    """No request waits for that."""
    polled = Polled(recording)
    recording.append(exchange(request(action="order")))
    polled.poll()
    assert polled.source.index.learned == set()
    polled.source.index.find(Asked.of(request(userId="new")), {})
    recording.append(exchange(request(action="bye")))
    polled.poll()
    assert polled.source.index.learned == {"start"}


def test_the_files_are_watched_in_the_background(recording):
    """And no longer when the context ends."""
    source, observer, taken = Source(recording), Remembering(), []
    with source.watching(taken.append, observer):
        recording.mocks.add({"event": "order", "answer": {}})
        eventually(lambda: taken, "a new index", 10)
    recording.mocks.add({"event": "bye", "answer": {}})
    assert taken[-1].mocks == 1


def test_who_watches_gets_over_what_nobody_foresaw(recording, monkeypatch):
    """No files left, say: that is told once, and edits are picked up when there are again."""
    monkeypatch.setattr(source_module, "_POLL_SECONDS", 0.001)
    source, observer, taken = Source(recording), Remembering(), []
    tries, original = [], source.poll

    def poll(*arguments):
        tries.append(True)
        if len(tries) < 4:
            raise OSError("Too many open files")
        original(*arguments)

    monkeypatch.setattr(source, "poll", poll)
    with source.watching(taken.append, observer):
        recording.mocks.add({"event": "order", "answer": {}})
        eventually(lambda: taken, "a new index", 10)
    assert observer.bad == ["Edits can't be looked for now (Too many open files); that is tried again and again."]


def test_requests_get_their_turn_sooner_while_it_learns_in_the_background(recording, monkeypatch):
    """And as ever again afterwards: the process may be somebody's test run."""
    usual, during = sys.getswitchinterval(), []
    monkeypatch.setattr(Index, "prepare", lambda *_: during.append(sys.getswitchinterval()))
    observer = Remembering()
    with Source(recording).watching(lambda _: None, observer):
        eventually(lambda: during, "it learns")
    assert during[0] < usual / 5
    assert sys.getswitchinterval() == usual
