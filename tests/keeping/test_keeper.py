from __future__ import annotations

import asyncio
import dataclasses
import fcntl
import threading
import time
from types import SimpleNamespace

import pytest

from aimyproxy.errors import StoreError
from aimyproxy.keeping import keeper as keeper_module
from aimyproxy.keeping.keeper import Keeper
from aimyproxy.keeping.roles import AsItComes
from aimyproxy.keeping.waiting import NO_ROOM, Room
from aimyproxy.store.appendable import Busy, Outdated
from aimyproxy.store.recording import Recording, stored
from tests import builders
from tests.processes import eventually


class Remembering:
    def __init__(self):
        self.told = []
        self.troubles = []
        self.good = []

    def recorded(self, identity, exchange):
        self.told.append(("recorded", identity, exchange.event))

    def held(self, number, exchange):
        self.told.append(("held", number, exchange.event))

    def lost(self, number, exchange):
        self.told.append(("lost", number, exchange.event))

    def trouble(self, message):
        self.troubles.append(message)

    def news(self, message):
        self.good.append(message)


@pytest.fixture
def observer():
    return Remembering()


@pytest.fixture
def recording(tmp_path):
    recording = Recording.create(tmp_path / "shop", None)
    recording.open_for_append()
    yield recording
    recording.close()


def numbered(number):
    return dataclasses.replace(builders.exchange(), event=str(number))


def keep(keeper, *numbers):
    """What `keep` says of each exchange, one after another."""

    async def all_of_them():
        return [await keeper.keep(numbered(number)) for number in numbers]

    return asyncio.run(all_of_them())


def events(recording):
    return [exchange.event for _, exchange in recording]


def refuse(monkeypatch, recording, method, message="the disk is full."):
    """Let a method of the recording raise until the returned function is called."""
    original = getattr(recording, method)

    def raising(*_, **__):
        raise StoreError(message)

    monkeypatch.setattr(recording, method, raising)
    return lambda: monkeypatch.setattr(recording, method, original)


def test_an_exchange_is_in_the_file_when_it_is_kept(recording, observer):
    """Its id is told, and nothing is wrong."""
    keeper = Keeper(recording, observer)
    assert keep(keeper, 1, 2) == [1, 2]
    assert events(recording) == ["1", "2"]
    assert observer.told == [("recorded", 1, "1"), ("recorded", 2, "2")]
    assert (keeper.health, keeper.reason, keeper.recorded, keeper.incomplete) == ("recording", "", 2, "")


def test_what_a_disk_refuses_waits_and_is_written_in_its_order(recording, observer, monkeypatch):
    """Trouble is told once, its end too; what came later stands behind what came first."""
    keeper = Keeper(recording, observer, seconds=0.001)
    works_again = refuse(monkeypatch, recording, "append_stored")
    assert keep(keeper, *range(200)) == [None] * 200
    assert (keeper.health, keeper.reason, keeper.waiting) == ("holding", "the disk is full.", 200)
    assert keeper.incomplete == "200 exchanges could not be recorded; the bot was served."
    with keeper.running():
        works_again()
        eventually(lambda: keeper.health == "recording", "the disk")
        keep(keeper, 200)
    assert events(recording) == [str(number) for number in range(201)]
    assert observer.troubles == [
        "NOT RECORDED: the disk is full. The bot is served; exchanges wait until that works again."
    ]
    assert observer.good == ["Recording works again; 200 exchanges that waited are in the file."]
    assert (keeper.recorded, keeper.waiting, keeper.lost, keeper.incomplete) == (201, 0, 0, "")
    assert observer.told[:2] == [("held", 1, "0"), ("held", 2, "1")]


def test_what_comes_while_others_wait_waits_too(recording, observer, monkeypatch):
    """Though the disk would take it at once."""
    keeper = Keeper(recording, observer)
    works_again = refuse(monkeypatch, recording, "append_stored")
    keep(keeper, 1)
    works_again()
    assert keep(keeper, 2) == [None]
    with keeper.running():
        pass
    assert events(recording) == ["1", "2"]


def test_where_there_is_no_more_room_exchanges_are_lost_and_counted(recording, observer, monkeypatch):
    """Those that wait are not; health tells the difference, and gets better with the disk."""
    keeper = Keeper(recording, observer, room=Room(exchanges=2))
    works_again = refuse(monkeypatch, recording, "append_stored")
    keep(keeper, 1, 2, 3, 4)
    assert (keeper.health, keeper.waiting, keeper.lost) == ("lost", 2, 2)
    assert observer.troubles[1:] == ["There is no room for more: 2 exchanges wait, others are LOST."]
    assert observer.told[2:] == [("lost", 1, "3"), ("lost", 2, "4")]
    works_again()
    with keeper.running():
        pass
    assert (keeper.health, keeper.recorded, events(recording)) == ("recording", 2, ["1", "2"])
    assert keeper.incomplete == "2 exchanges could not be recorded; the bot was served."


def test_without_room_the_next_exchange_shows_that_the_disk_works(recording, observer, monkeypatch):
    """There is nothing that could be tried before."""
    keeper = Keeper(recording, observer, room=NO_ROOM)
    works_again = refuse(monkeypatch, recording, "append_stored")
    keep(keeper, 1)
    assert keeper.health == "lost"
    works_again()
    assert keep(keeper, 2) == [1]
    assert (keeper.health, observer.good) == ("recording", ["Recording works again."])
    assert observer.troubles == ["NOT RECORDED: the disk is full. The bot is served; exchanges are LOST."]
    assert keeper.incomplete == "1 exchange could not be recorded; the bot was served."


def test_appends_reach_the_disk_while_more_come(recording, observer, monkeypatch):
    """Again and again, and once more at the end."""
    synced = []
    monkeypatch.setattr(recording, "sync", lambda: synced.append(True))
    with Keeper(recording, observer, seconds=0.001).running():
        eventually(lambda: len(synced) > 2, "the disk")
        before = len(synced)
    assert len(synced) > before


def test_a_disk_that_does_not_flush_is_told_once_until_it_does(recording, observer, monkeypatch):
    """What is recorded is in the file, and still not safe."""
    keeper = Keeper(recording, observer, seconds=0.001)
    keep(keeper, 1)
    works_again = refuse(monkeypatch, recording, "sync", "no flush.")
    with keeper.running():
        eventually(lambda: keeper.health == "holding", "the trouble")
        assert keeper.incomplete == "no flush. A power failure may take what was recorded last."
        works_again()
        eventually(lambda: keeper.health == "recording", "the end of the trouble")
    assert observer.troubles == ["NOT SAFE: no flush. A power failure may take what was recorded last."]
    assert observer.good == ["What is recorded is safe on the disk again."]
    assert keeper.incomplete == ""


def test_a_lock_that_somebody_keeps_holds_up_the_bot_for_a_while_only(recording, observer):
    """Then the exchange waits in memory."""
    keeper = Keeper(recording, observer, patience=0.02, seconds=0.001)
    with recording.path.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert keep(keeper, 1) == [None]
        assert keeper.reason.endswith("has been locked by another process for 0.02 s.")
        with keeper.running():
            keep(keeper, 2)
            fcntl.flock(other, fcntl.LOCK_UN)
            eventually(lambda: keeper.waiting == 0, "the lock")
    assert events(recording) == ["1", "2"]


def test_a_lock_that_is_let_go_in_time_costs_nothing(recording, observer):
    """Not even the order."""
    keeper = Keeper(recording, observer, patience=30)

    async def kept_meanwhile():
        with recording.path.open("rb") as other:
            fcntl.flock(other, fcntl.LOCK_EX)
            keeping = asyncio.create_task(keeper.keep(numbered(1)))
            await asyncio.sleep(0.02)
            assert not keeping.done()
            fcntl.flock(other, fcntl.LOCK_UN)
            return await keeping

    assert asyncio.run(kept_meanwhile()) == 1
    assert observer.troubles == []


class Starring(AsItComes):
    """Stars instead of events; as many as there were rules."""

    version = 3
    fails = False
    renewals = 0

    def redacted(self, exchange):
        starred = dataclasses.replace(exchange, event="*" * self.version)
        return starred, stored(starred), self.version

    def renewed(self, document, version):
        self.renewals += 1
        return document.replace(b"*" * version, b"*" * self.version)

    def take_up(self):
        if self.fails:
            raise StoreError("the key is broken.")
        self.version = 5

    def accept(self, about):
        if about["stars"] != self.version:
            raise Outdated

    def restore(self):
        pass


@pytest.fixture
def starring(recording):
    """What redacts, while somebody else changes the rules."""
    redaction = Starring()
    recording.attend(redaction)
    other = Recording(recording.folder)
    with other.transaction() as snapshot:
        other.rewrite(snapshot, {**snapshot.about, "stars": 5})
    other.close()
    return redaction


def test_rules_that_change_hold_for_what_is_under_way(recording, observer, starring):
    """An exchange that was redacted by the old ones is redacted anew, before it is written or shown."""
    keeper = Keeper(recording, observer, redaction=starring)
    assert keep(keeper, 1, 2) == [1, 2]
    assert events(recording) == ["*****"] * 2
    assert [event for _, _, event in observer.told] == ["*****"] * 2


def test_rules_that_change_hold_for_what_waits(recording, observer, starring, monkeypatch):
    """What was held under the old rules is renewed when it is written."""
    works = refuse(monkeypatch, recording, "append_stored")
    keeper = Keeper(recording, observer, redaction=starring, seconds=0.001)
    assert keep(keeper, 1, 2) == [None, None]
    works()
    with keeper.running():
        eventually(lambda: not keeper.waiting, "nothing waits")
    assert events(recording) == ["*****"] * 2


def test_what_waits_is_renewed_once_however_often_it_is_tried(recording, observer, starring, monkeypatch):
    """While another process keeps the file locked, say."""
    works = refuse(monkeypatch, recording, "append_stored")
    keeper = Keeper(recording, observer, redaction=starring)
    keep(keeper, 1)
    works()
    append, tries = recording.append_stored, iter(["outdated", *["busy"] * 20])

    def busy(documents, *, wait):
        problem = next(tries, None)
        if problem:
            raise Outdated if problem == "outdated" else Busy
        return append(documents, wait=wait)

    monkeypatch.setattr(recording, "append_stored", busy)
    with keeper.running():
        pass
    assert events(recording) == ["*****"]
    assert starring.renewals == 1


def test_rules_that_can_not_be_taken_up(recording, observer, starring):
    """Exchanges wait until they can be, and nothing is recorded by the old ones."""
    starring.fails = True
    keeper = Keeper(recording, observer, redaction=starring, seconds=0.001)
    assert keep(keeper, 1) == [None]
    assert keeper.reason == "the key is broken."
    starring.fails = False
    with keeper.running():
        eventually(lambda: not keeper.waiting, "nothing waits")
    assert events(recording) == ["*****"]


def test_what_is_kept_and_told_is_redacted(recording, observer):
    """Neither the file nor the observer sees the original."""
    keeper = Keeper(recording, observer, redaction=Starring())
    keep(keeper, 1)
    assert events(recording) == ["***"]
    assert observer.told == [("recorded", 1, "***")]


def test_what_can_not_be_redacted_is_lost_and_never_shown(recording, observer):
    """The bot is served, and the next exchange is kept."""

    class Failing(AsItComes):
        def redacted(self, exchange):
            if exchange.event == "secret":
                raise ValueError(exchange.event)
            return super().redacted(exchange)

    keeper = Keeper(recording, observer, redaction=Failing())
    assert keep(keeper, "secret", 2) == [None, 1]
    assert observer.troubles == ["NOT RECORDED: an exchange has no stored form (ValueError)."]
    assert (observer.told, keeper.lost) == ([("recorded", 1, "2")], 1)


class Hanging:
    """A call that doesn't return until it is let go; then it does what it does."""

    def __init__(self, monkeypatch, recording, method):
        self._original = getattr(recording, method)
        self.begun = threading.Event()
        self.go = threading.Event()
        monkeypatch.setattr(recording, method, self)

    def __call__(self, *arguments, **options):
        self.begun.set()
        assert self.go.wait(60)
        return self._original(*arguments, **options)


@pytest.fixture
def far(monkeypatch):
    """Recordings are on a disk of another machine."""
    monkeypatch.setattr(keeper_module, "is_local", lambda _: False)


@pytest.mark.usefixtures("far")
def test_on_a_far_disk_another_thread_writes(recording, observer):
    """In order, and the bot gets its answer when that is done."""
    keeper = Keeper(recording, observer, patience=60)
    with keeper.running():
        assert keep(keeper, 1, 2, 3) == [1, 2, 3]
    assert observer.told == [("recorded", 1, "1"), ("recorded", 2, "2"), ("recorded", 3, "3")]
    assert (keeper.recorded, keeper.waiting, observer.troubles, observer.good) == (3, 0, [], [])


@pytest.mark.usefixtures("far")
def test_a_far_disk_that_does_not_answer_holds_up_the_first_bot_for_a_while_only(recording, observer, monkeypatch):
    """What comes then is held at once, flushing goes on, and in the end all is in the file."""
    synced = []
    monkeypatch.setattr(recording, "sync", lambda: synced.append(True))
    keeper = Keeper(recording, observer, patience=0.02, seconds=0.001)
    with keeper.running():
        hanging = Hanging(monkeypatch, recording, "append_stored")
        assert keep(keeper, 1) == [None]
        assert hanging.begun.is_set()
        monkeypatch.setattr(keeper, "_patience", 60)
        assert keep(keeper, 2, 3) == [None, None]
        assert (keeper.health, keeper.waiting) == ("holding", 3)
        before = len(synced)
        eventually(lambda: len(synced) > before + 2, "the disk")
        hanging.go.set()
        eventually(lambda: keeper.health == "recording", "an answer")
        assert keep(keeper, 4) == [4]
    assert events(recording) == ["1", "2", "3", "4"]
    served = "The bot is served; exchanges wait until that works again."
    assert observer.troubles == [
        f"NOT RECORDED: {recording.path} was not written for 0.025 s: its disk doesn't answer. {served}"
    ]
    assert observer.good == ["Recording works again; 3 exchanges that waited are in the file."]
    assert (keeper.recorded, keeper.lost, keeper.incomplete) == (4, 0, "")


@pytest.mark.usefixtures("far")
def test_a_far_disk_that_refuses_is_not_waited_for(recording, observer, monkeypatch):
    """It has answered; and works again as any other."""
    keeper = Keeper(recording, observer, patience=60, seconds=0.001)
    works_again = refuse(monkeypatch, recording, "append_stored")
    with keeper.running():
        assert keep(keeper, 1, 2) == [None, None]
        assert observer.told == [("held", 1, "1"), ("held", 2, "2")]
        works_again()
        eventually(lambda: keeper.health == "recording", "the disk")
    assert events(recording) == ["1", "2"]
    assert keeper.recorded == 2


@pytest.mark.usefixtures("far")
def test_what_there_is_no_room_for_is_written_at_once(recording, observer):
    """There is nothing to wait in."""
    for options in ({"room": NO_ROOM}, {"strict": True}):
        assert keep(Keeper(recording, observer, **options), 1)[0] is not None


@pytest.mark.usefixtures("far")
def test_who_gives_up_waiting_at_the_last_moment_is_counted_once(recording, observer):
    """Whoever is quicker: each exchange is in the file once, and was told as recorded or as held."""
    keeper = Keeper(recording, observer, patience=0.0003, seconds=0.001)

    async def all_at_once():
        return await asyncio.gather(*(keeper.keep(numbered(number)) for number in range(300)))

    with keeper.running():
        kept = asyncio.run(all_at_once())
        eventually(lambda: keeper.recorded == 300, "all")
    assert sorted(events(recording), key=int) == [str(number) for number in range(300)]
    told = [what for what, *_ in observer.told]
    assert told.count("recorded") == sum(identity is not None for identity in kept)
    assert told.count("held") == kept.count(None)
    assert (keeper.waiting, keeper.lost) == (0, 0)


def test_while_a_flush_is_under_way_another_thread_writes(recording, observer, monkeypatch):
    """The disk may be about to answer no more: then the bot must not be the one who notices."""
    keeper = Keeper(recording, observer, patience=0.02, seconds=0.001)
    keep(keeper, 1)
    flush = Hanging(monkeypatch, recording, "sync")
    with keeper.running():
        eventually(lambda: keeper._flusher.busy, "a flush")
        monkeypatch.setattr(keeper, "_patience", 60)
        assert keep(keeper, 2) == [2]
        monkeypatch.setattr(keeper, "_patience", 0.02)
        write = Hanging(monkeypatch, recording, "append_stored")
        assert keep(keeper, 3, 4) == [None, None]
        write.go.set()
        flush.go.set()
    assert events(recording) == ["1", "2", "3", "4"]
    assert (keeper.health, keeper.recorded) == ("recording", 4)


@pytest.mark.parametrize("call", ["append_stored", "sync"])
@pytest.mark.usefixtures("far")
def test_the_end_waits_for_a_disk_that_does_not_answer_for_a_while_only(recording, observer, monkeypatch, call):
    """And says what is missing, or not safe."""
    keeper = Keeper(recording, observer, patience=0.02, grace=0.02)
    hanging = Hanging(monkeypatch, recording, call)
    with keeper.running():
        keep(keeper, 1)
    monkeypatch.setattr(recording, "close", lambda: pytest.fail("that would wait for ever"))
    keeper.close()
    if call == "sync":
        assert keeper.incomplete.endswith("not answered for 0.02 s. A power failure may take what was recorded last.")
    else:
        assert keeper.incomplete == "1 exchange could not be recorded; the bot was served."
    monkeypatch.undo()
    hanging.go.set()
    eventually(lambda: not [one for one in threading.enumerate() if one.name.startswith("keeper")], "the end of all")


def test_a_disk_of_our_own_that_does_not_answer_holds_up_nobody_where_there_are_few(recording, observer, monkeypatch):
    """A bot is never so busy that its exchanges could not be written by another thread."""
    keeper = Keeper(recording, observer, patience=0.02, seconds=0.001)
    monkeypatch.setattr(recording, "sync", lambda: None)
    with keeper.running():
        write = Hanging(monkeypatch, recording, "append_stored")
        assert keep(keeper, 1, 2) == [None, None]
        write.go.set()
        eventually(lambda: keeper.health == "recording", "an answer")
        assert keep(keeper, 3) == [3]
    assert events(recording) == ["1", "2", "3"]


def test_of_many_exchanges_some_are_written_at_once(recording, observer, monkeypatch):
    """Another thread would cost more than the write itself; which of them writes shows in nothing."""
    monkeypatch.setattr(keeper_module, "time", SimpleNamespace(monotonic=lambda: 1000.0, sleep=time.sleep))
    monkeypatch.setattr(recording, "sync", lambda: None)
    by = []
    original = recording.append_stored

    def append_stored(*arguments, **options):
        by.append(threading.current_thread() is threading.main_thread())
        return original(*arguments, **options)

    monkeypatch.setattr(recording, "append_stored", append_stored)
    keeper = Keeper(recording, observer, patience=60)
    with keeper.running():
        assert keep(keeper, *range(90)) == list(range(1, 91))
    assert by.count(False) >= 20
    assert by.count(True) >= 20
    assert by[:20] == [False] * 20
