from __future__ import annotations

import json
import subprocess
import sys

import pytest
import tinydb
from hypothesis import given
from hypothesis import strategies as st

from aimyproxy.errors import BrokenFile, ExchangeNotFound, InvalidName, RecordingExists, RecordingNotFound, StoreError
from aimyproxy.store.folder import RecordingsFolder
from aimyproxy.store.mocksfile import MocksFile
from aimyproxy.store.recording import Recording
from aimyproxy.store.tables import ExchangeDB
from tests import builders
from tests.strategies import objects


@pytest.fixture
def recording(tmp_path):
    recording = Recording.create(tmp_path / "shop", "https://hook.example.com/bot")
    yield recording
    recording.close()


def named(*names):
    return [builders.exchange(builders.request(name=name)) for name in names]


def test_exchanges_come_back_as_they_went_in(recording):
    """In order, with ids from 1."""
    exchanges = named("Иван", "Пётр", "Анна")
    assert [recording.append(exchange) for exchange in exchanges] == [1, 2, 3]
    assert list(recording) == list(enumerate(exchanges, 1))
    assert recording.get(2) == exchanges[1]
    assert len(recording) == 3
    assert recording.about()["target"] == "https://hook.example.com/bot"
    assert recording.torn_bytes() == 0


def test_single_exchanges_are_replaced_and_removed(recording):
    """The others keep their ids; an id that isn't there changes nothing."""
    first, second, third, other = named("a", "b", "c", "d")
    for exchange in (first, second, third):
        recording.append(exchange)
    recording.replace(2, other)
    recording.remove([1])
    assert list(recording) == [(2, other), (3, third)]
    with pytest.raises(ExchangeNotFound, match="no exchange 1"):
        recording.remove([2, 1])
    with pytest.raises(ExchangeNotFound):
        recording.replace(9, other)
    with pytest.raises(ExchangeNotFound):
        recording.get(1)
    assert list(recording) == [(2, other), (3, third)]
    assert recording.append(first) == 4


def test_a_document_that_is_no_exchange_is_named_with_its_line(recording):
    """A person who edits by hand finds the place."""
    for exchange in named("a", "b"):
        recording.append(exchange)
    first, method, second = recording.path.read_text().rpartition('"method":"POST"')
    recording.path.write_text(first + method.replace('"POST"', "5") + second)
    with pytest.raises(BrokenFile, match=r"exchange 2: request\.method has to be a string, not 5") as caught:
        list(recording)
    assert caught.value.line == 4


def test_our_table_answers_tinydb_queries(recording):
    """With stock TinyDB's results, whether it reads or changes."""
    for exchange in named("Иван", "Пётр", "Анна"):
        recording.append(exchange)
    query = tinydb.Query()
    with ExchangeDB(recording.path) as ours, tinydb.TinyDB(recording.path) as stock:
        mine, theirs = ours.table("exchanges"), stock.table("exchanges")
        for condition in (query.request.json.name == "Пётр", query.event == "start", query.event == "none"):
            assert mine.search(condition) == theirs.search(condition)
            assert mine.get(condition) == theirs.get(condition)
            assert mine.count(condition) == theirs.count(condition)
            assert mine.contains(condition) == theirs.contains(condition)
        assert mine.all() == theirs.all()
        assert mine.get(doc_id=2) == theirs.get(doc_id=2)
        assert mine.get(doc_id=9) is None
        assert mine.get(doc_ids=[1, 3]) == theirs.get(doc_ids=[1, 3])
        assert [document.doc_id for document in mine] == [1, 2, 3]
        assert ours.table("recording").get(doc_id=1)["format"] == 1
        assert len(ours.table("recording")) == 1
        assert ours.tables() == {"recording", "exchanges"}


def test_our_table_changes_as_tinydb_would(recording):
    """Update, upsert, remove and insert leave the same documents as stock TinyDB's, in our form."""
    recording.append(named("Иван")[0])
    query = tinydb.Query()
    with ExchangeDB(recording.path) as database:
        table = database.table("exchanges")
        assert table.insert({"event": "x"}) == 2
        assert table.insert_multiple([{"event": "y"}, {"event": "z"}]) == [3, 4]
        assert table.update({"seen": True}, query.event == "x") == [2]
        assert table.remove(doc_ids=[3]) == [3]
        assert table.upsert({"event": "z", "new": 1}, query.event == "z") == [4]
        database.table("recording").update({"note": "hello"})
        expected = [{"event": "x", "seen": True}, {"event": "z", "new": 1}]
        assert table.all()[1:] == expected
    with tinydb.TinyDB(recording.path) as stock:
        assert stock.table("exchanges").all()[1:] == expected
        assert stock.table("recording").all()[0]["note"] == "hello"
    assert recording.path.read_text().splitlines()[3] == '"2": {"event":"x","seen":true},'
    with ExchangeDB(recording.path) as database:
        database.table("exchanges").truncate()
        assert len(database.table("exchanges")) == 0
        assert database.table("exchanges").insert({}) == 1


@given(st.lists(objects, max_size=4))
def test_mocks_come_back_as_they_went_in(tmp_path_factory, documents):
    """The file is a stock TinyDB database too, indented for people."""
    path = tmp_path_factory.mktemp("mocks") / "mocks.json"
    mocks = MocksFile(path)
    assert mocks.read() == []
    assert [mocks.add(document) for document in documents] == list(range(1, len(documents) + 1))
    assert mocks.read() == list(enumerate(documents, 1))
    if documents:
        with tinydb.TinyDB(path, encoding="utf-8") as stock:
            assert stock.table("mocks").all() == documents


def test_a_mock_is_replaced_whole(tmp_path):
    """No member of the old one stays."""
    mocks = MocksFile(tmp_path / "shop" / "mocks.json")
    mocks.add({"event": "a", "note": "old"})
    mocks.add({"event": "b"})
    mocks.replace(1, {"event": "c"})
    assert mocks.read() == [(1, {"event": "c"}), (2, {"event": "b"})]
    assert json.loads(mocks.path.read_text())["mocks"]["1"] == {"event": "c"}
    assert mocks.path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b"oops", "mocks.json:1:1: not valid JSON"),
        (b'{"mocks": {\n"1": {},\n"1": {}}}', 'mocks.json:3:1: not valid JSON: the key "1" stands twice'),
        (b"[]", "has to be"),
        (b'{"mocks": []}', "has to be"),
        (b'{"mocks": {"x": {}}}', "ids are whole numbers"),
        (b"\xff", ":1:1: not valid UTF-8"),
    ],
)
def test_broken_mocks_are_an_error(tmp_path, raw, problem):
    """They are neither ignored nor overwritten."""
    path = tmp_path / "mocks.json"
    path.write_bytes(raw)
    with pytest.raises(BrokenFile, match=problem.replace("[", r"\[")):
        MocksFile(path).read()
    with pytest.raises(BrokenFile):
        MocksFile(path).add({})
    assert path.read_bytes() == raw


def test_mocks_that_cannot_be_read_or_written(tmp_path):
    """A folder in the file's place stands for all that the operating system refuses."""
    (tmp_path / "mocks.json").mkdir()
    with pytest.raises(StoreError, match="has to be a file, and is a folder"):
        MocksFile(tmp_path / "mocks.json").read()
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="can't be"):
        MocksFile(tmp_path / "file" / "mocks.json").add({})


@pytest.mark.parametrize("name", ["shop", "shop-v2", "shop@shadow", "магазин", "2026.11", "a" * 100])
def test_usual_names_are_names(tmp_path, name):
    """Letters of any script."""
    folder = RecordingsFolder(tmp_path)
    _, created = folder.open_or_create(name, None)
    assert created
    assert folder.names() == [name]
    assert folder.open(name).name == name


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../x", "a/b", "/etc", ".hidden", "-x", "a b", "x.", "a" * 101, "a\n", "~"]
)
def test_names_do_not_leave_the_folder(tmp_path, name):
    """Whatever is no plain name is refused before anything is touched."""
    with pytest.raises(InvalidName):
        RecordingsFolder(tmp_path / "r").open_or_create(name, None)
    assert not (tmp_path / "r").exists()


def test_the_folder_opens_what_it_has(tmp_path):
    """And says what it has where a name is wrong."""
    folder = RecordingsFolder(tmp_path / "recordings")
    assert folder.names() == []
    with pytest.raises(RecordingNotFound, match=r"no recording shop .*\(there: none\)"):
        folder.open("shop")
    Recording.create(folder.path("shop"), None)
    with pytest.raises(RecordingExists):
        Recording.create(folder.path("shop"), None)
    assert folder.open_or_create("shop", None)[1] is False
    with pytest.raises(RecordingNotFound, match=r"\(there: shop\)"):
        folder.open("shopp")
    folder.remove("shop")
    assert folder.names() == []


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path):
    """With the operating system's reason."""
    (tmp_path / "file").touch()
    folder = RecordingsFolder(tmp_path / "file")
    with pytest.raises(StoreError, match="can't be"):
        folder.open_or_create("shop", None)
    with pytest.raises(StoreError, match="can't be read"):
        folder.names()


MOCKER = """
import sys
from pathlib import Path
from aimyproxy.store.folder import RecordingsFolder
recording, _ = RecordingsFolder(Path(sys.argv[1])).open_or_create("new", None)
for number in range(10):
    recording.mocks.add({"event": f"{sys.argv[2]}-{number}"})
"""


def test_mocks_written_at_the_same_time_are_all_kept(tmp_path):
    """Also where the recording is made by whoever is first."""
    command = [sys.executable, "-c", MOCKER, str(tmp_path)]
    running = [subprocess.Popen([*command, str(process)]) for process in range(4)]
    assert [process.wait() for process in running] == [0] * 4
    found = RecordingsFolder(tmp_path).open("new").mocks.read()
    assert [identity for identity, _ in found] == list(range(1, 41))
    assert len({document["event"] for _, document in found}) == 40


def test_folders_of_other_names_are_no_recordings(tmp_path):
    """They don't keep the others from being listed."""
    folder = RecordingsFolder(tmp_path)
    folder.open_or_create("shop", None)
    (tmp_path / "shop").rename(tmp_path / ".hidden")
    folder.open_or_create("shop", None)
    assert folder.names() == ["shop"]


@pytest.mark.parametrize("version", [0, -1, True, "1", None])
def test_a_format_that_never_was_is_refused(recording, version):
    """Only a later one can be helped by an upgrade."""
    text = recording.path.read_text()
    recording.path.write_text(text.replace('"format":1', f'"format":{json.dumps(version)}'))
    with pytest.raises(BrokenFile, match='"format"'):
        recording.about()
