from __future__ import annotations

import errno
import json
import os
import resource
import signal
import subprocess
import sys
import threading

import pytest
import tinydb
from hypothesis import given
from hypothesis import strategies as st

from aimyproxy import jsonvalue
from aimyproxy.errors import BrokenFile, RecordingExists, RecordingNotFound, StoreError
from aimyproxy.store.appendable import AppendableFile, Busy
from aimyproxy.store.lines import CLOSER
from aimyproxy.store.snapshot import Snapshot
from aimyproxy.store.tables import ExchangeDB
from aimyproxy.store.whole import create
from tests.strategies import objects

ABOUT = {"format": 1, "created": "2026-11-22T10:15:30.123456Z", "target": "https://hook.example.com/bot"}
DOCUMENTS = [{"n": 1, "text": "Хочу пиццу 🍕"}, {"n": 2, "deep": {"}}": ["\n}}\n", {}]}}, {"n": 3, "empty": ""}]


@pytest.fixture
def path(tmp_path):
    create(tmp_path / "exchanges.json", ABOUT)
    return tmp_path / "exchanges.json"


def filled(path, documents=DOCUMENTS):
    file = AppendableFile(path)
    for document in documents:
        file.append([jsonvalue.dumps(document)])
    file.close()
    return path


def contents(path):
    with Snapshot(path) as snapshot:
        return list(snapshot)


def stock(path):
    with tinydb.TinyDB(path, encoding="utf-8") as database:
        return [(document.doc_id, dict(document)) for document in database.table("exchanges")]


def test_the_file_is_as_documented(path):
    """One document a line, between a header of two lines and closing brackets."""
    assert path.read_text() == (
        '{"recording": {"1": {"format":1,"created":"2026-11-22T10:15:30.123456Z",'
        '"target":"https://hook.example.com/bot"}},\n"exchanges": {\n}}\n'
    )
    filled(path)
    lines = path.read_text().splitlines()
    assert lines[1:] == [
        '"exchanges": {',
        '"1": {"n":1,"text":"Хочу пиццу 🍕"},',
        '"2": {"n":2,"deep":{"}}":["\\n}}\\n",{}]}},',
        '"3": {"n":3,"empty":""}',
        "}}",
    ]
    assert path.stat().st_mode & 0o777 == 0o600


@given(st.lists(st.lists(objects, max_size=3), max_size=5), st.booleans())
def test_stock_tinydb_reads_it_after_any_appends(tmp_path_factory, batches, reopened):
    """After every append the file is a TinyDB database with all documents so far."""
    path = tmp_path_factory.mktemp("any") / "exchanges.json"
    create(path, ABOUT)
    file, expected = AppendableFile(path), []
    for batch in batches:
        if reopened:
            file.close()
            file = AppendableFile(path)
        ids = file.append([jsonvalue.dumps(document) for document in batch])
        expected += zip(ids, batch, strict=True)
        assert stock(path) == contents(path) == expected
    file.close()
    assert [identity for identity, _ in expected] == list(range(1, len(expected) + 1))
    with tinydb.TinyDB(path) as database:
        assert database.table("recording").get(doc_id=1) == ABOUT


def test_an_existing_file_is_not_created_again(path):
    """Two processes that create one recording don't overwrite each other's."""
    filled(path)
    with pytest.raises(RecordingExists):
        create(path, ABOUT)
    assert len(contents(path)) == 3
    assert [entry.name for entry in path.parent.iterdir()] == ["exchanges.json"]


def test_a_missing_file_is_not_made_up(tmp_path):
    """Opening is not creating."""
    with pytest.raises(RecordingNotFound, match="does not exist"):
        AppendableFile(tmp_path / "exchanges.json")


def test_a_file_cut_at_every_byte_opens_again(path):
    """Of the last two lines nothing that is complete is lost, and what is torn is kept beside the file."""
    whole = filled(path).read_bytes()
    start = whole.index(b'"2": ')
    complete = {3: whole.index(b'{"n":3'), 2: whole.index(b'{"n":2'), 1: whole.index(b'{"n":1')}
    ends = {number: whole.index(b"\n", at) - (number < 3) for number, at in complete.items()}
    for cut in range(start, len(whole)):
        path.write_bytes(whole[:cut])
        expected = [(number, DOCUMENTS[number - 1]) for number in (1, 2, 3) if ends[number] <= cut]
        assert contents(path) == expected, whole[:cut]
        file = AppendableFile(path)
        torn = whole[max(ends[number] for number, _ in expected) : cut].strip(b",\n}")
        if torn:
            assert file.set_aside is not None
            assert file.set_aside.read_bytes() == torn
            file.set_aside.unlink()
        else:
            assert file.set_aside is None
        assert file.append([b'{"new":true}']) == [len(expected) + 1]
        file.close()
        assert stock(path) == [*expected, (len(expected) + 1, {"new": True})]


@pytest.mark.parametrize("count", [0, 1, 3])
def test_an_append_torn_after_every_byte_is_undone(path, count):
    """Whatever part of the one write reached the disk over the old brackets, the documents before it stay."""
    before = filled(path, DOCUMENTS[:count]).read_bytes()
    appended = (b",\n" if count else b"\n") + b'"9": {"n":4,"brackets":"}}","x":{}}\n}}\n'
    end = len(before) - len(CLOSER)
    for length in range(len(appended)):
        path.write_bytes(before[:end] + appended[:length] + before[end + length :])
        finished = length >= len(appended) - len(CLOSER)
        expected = [(index + 1, document) for index, document in enumerate(DOCUMENTS[:count])]
        if finished:
            expected.append((9, {"n": 4, "brackets": "}}", "x": {}}))
        assert contents(path) == expected, path.read_bytes()
        AppendableFile(path).close()
        assert stock(path) == expected


def test_zeros_after_a_power_loss_are_torn_bytes(path):
    """A file system may have grown the file without the data."""
    whole = filled(path).read_bytes()
    path.write_bytes(whole[: -len(CLOSER)] + b',\n"4": {"n":4' + b"\0" * 100)
    file = AppendableFile(path)
    assert file.set_aside.read_bytes().endswith(b"\0")
    file.close()
    assert len(stock(path)) == 3


def edited(path, change):
    path.write_text(change(path.read_text()))


@pytest.mark.parametrize(
    "change",
    [
        lambda text: json.dumps(json.loads(text), indent=2, ensure_ascii=False),
        lambda text: json.dumps(json.loads(text)),
        lambda text: text.replace('"3": {"n":3', '"3": {\n  "n": 3'),
        lambda text: text.replace('"2": {"n":2', '"2": {\n  "n": 2'),
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.rstrip("\n"),
        lambda text: text + "\n\n",
        lambda text: text.replace('"2": ', '"2" : '),
        lambda text: text.replace(',\n"2"', ',\n\n"2"'),
    ],
    ids=["indented", "compact", "last", "middle", "crlf", "no newline", "newlines", "key", "blank line"],
)
def test_a_file_that_a_person_edited_opens(path, change):
    """Any valid JSON is read, and appended to; the next rewrite puts it back in line form."""
    edited(filled(path), change)
    expected = [(index + 1, document) for index, document in enumerate(DOCUMENTS)]
    assert contents(path) == expected
    with Snapshot(path) as snapshot:
        assert snapshot.get(2) == DOCUMENTS[1]
        assert snapshot.get(9) is None
        assert snapshot.torn == 0
    file = AppendableFile(path)
    assert file.append([b'{"n":4}']) == [4]
    assert file.set_aside is None
    assert contents(path) == stock(path) == [*expected, (4, {"n": 4})]
    file.rewrite(contents(path))
    file.close()
    assert [line[:4] for line in path.read_text().splitlines()[2:]] == ['"1":', '"2":', '"3":', '"4":', "}}"]


@pytest.mark.parametrize(
    ("change", "line", "column"),
    [
        (lambda text: text.replace('"n":2', '"n":oops'), 4, 11),
        (lambda text: text.replace('{"n":3', '{"n":3,\n"x":oops'), 6, 5),
        (lambda text: text.replace('"empty":""', '"empty":'), 5, 21),
        (lambda text: text.replace('"exchanges"', "exchanges"), 2, 1),
        (lambda text: text.replace(',\n"2"', '\n"2"'), 4, 1),
        (lambda text: text.replace('"3":', '"2":'), 5, 1),
        (lambda _: "", 1, 1),
        (lambda _: "oops", 1, 1),
    ],
)
def test_a_broken_file_is_an_error_with_a_place(path, change, line, column):
    """It is never an empty recording, neither for readers nor for writers, and it stays as it is."""
    edited(filled(path), change)
    before = path.read_bytes()
    with pytest.raises(BrokenFile) as caught:
        contents(path)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert str(caught.value).startswith(f"{path}:{line}:{column}: not valid JSON")
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[]", 'it has no table "exchanges"'),
        ('{"exchanges": {}}', 'it has no table "recording"'),
        ('{"recording": {"1": {}}}', 'it has no table "exchanges"'),
        ('{"recording": {"1": {}}, "exchanges": {"x": {}}}', "ids are whole numbers"),
    ],
)
def test_other_json_is_no_recording(path, text, problem):
    """Valid JSON of another kind is refused with the reason."""
    path.write_text(text)
    with pytest.raises(BrokenFile, match=problem):
        contents(path)
    with pytest.raises(BrokenFile, match=problem):
        AppendableFile(path)


def test_bytes_that_are_no_utf8_have_a_place_too(path):
    """An editor with the wrong encoding is found out."""
    text = filled(path).read_bytes()
    path.write_bytes(text.replace("🍕".encode(), b"\xff"))
    with pytest.raises(BrokenFile, match="not valid UTF-8") as caught:
        contents(path)
    assert (caught.value.line, caught.value.column) == (3, 32)


def test_a_snapshot_does_not_see_what_comes_later(path):
    """Neither appends nor rewrites disturb a reader that has begun."""
    file = AppendableFile(filled(path))
    with Snapshot(path) as snapshot:
        walk = iter(snapshot)
        first = next(walk)
        file.append([b'{"n":4}'])
        file.rewrite([(7, {"n": 7})])
        file.append([b'{"n":8}'])
        assert [first, *walk] == [(index + 1, document) for index, document in enumerate(DOCUMENTS)]
    assert contents(path) == [(7, {"n": 7}), (8, {"n": 8})]
    file.close()


def test_a_file_replaced_while_it_is_open_is_noticed(path):
    """An appender continues in the file that is under the name now."""
    file, other = AppendableFile(filled(path)), AppendableFile(path)
    other.rewrite([(5, {"n": 5})])
    assert file.append([b'{"n":6}']) == [6]
    assert contents(path) == [(5, {"n": 5}), (6, {"n": 6})]
    path.write_text(path.read_text().replace('"6": {"n":6}', '"4": {"n":4}'))
    # An id that was given once is not given again.
    assert file.append([b'{"n":7}']) == [7]
    path.unlink()
    assert file.append([b'{"n":1}']) == [1]
    assert stock(path) == [(1, {"n": 1})]
    file.close()
    other.close()


def test_a_rewrite_that_fails_leaves_the_file_as_it_was(path, monkeypatch):
    """The disk may be full at the worst moment."""
    before = filled(path).read_bytes()
    file = AppendableFile(path)

    def refuse(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", refuse)
        with pytest.raises(StoreError, match="can't be rewritten: No space left on device"):
            file.rewrite([])
    assert path.read_bytes() == before
    assert [entry.name for entry in path.parent.iterdir()] == ["exchanges.json"]
    file.close()


def test_an_append_that_fails_half_way_leaves_the_file_as_it_was(path):
    """A real limit on the file's size tears a real write; the next append finds a whole file."""
    filled(path)
    script = f"""
import resource, signal
from pathlib import Path
from aimyproxy.errors import StoreError
from aimyproxy.store.appendable import AppendableFile
path = Path({str(path)!r})
file = AppendableFile(path)
before = path.read_bytes()
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 50, resource.RLIM_INFINITY))
try:
    file.append([b'{{"n":"' + b"x" * 500 + b'"}}'])
except StoreError as error:
    print(error)
assert path.read_bytes() == before
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
assert file.append([b'{{"n":4}}']) == [4]
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "can't be written: File too large" in done.stdout
    assert len(stock(path)) == 4


def test_a_read_only_file_can_be_read(path):
    """Only the first append needs the right to write."""
    if os.geteuid() == 0:
        assert len(contents(filled(path))) == 3
        return
    filled(path).chmod(0o400)
    assert len(contents(path)) == 3
    with pytest.raises(StoreError, match="can't be opened for writing"):
        AppendableFile(path)


def test_threads_share_one_file(path):
    """Appends from several threads don't mix."""
    file = AppendableFile(path)

    def run(number):
        for index in range(100):
            file.append([jsonvalue.dumps({"thread": number, "n": index})])

    threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    file.close()
    found = stock(path)
    assert [identity for identity, _ in found] == list(range(1, 401))
    for number in range(4):
        assert [document["n"] for _, document in found if document["thread"] == number] == list(range(100))


APPENDER = """
import sys
from pathlib import Path
from aimyproxy.store.appendable import AppendableFile
file = AppendableFile(Path(sys.argv[1]))
for index in range(int(sys.argv[3])):
    identity = file.append([b'{"process":%s,"n":%d}' % (sys.argv[2].encode(), index)])[0]
    if len(sys.argv) > 4:
        print(identity, flush=True)
file.close()
"""


def appender(path, process, count, *more):
    command = [sys.executable, "-c", APPENDER, str(path), str(process), str(count), *more]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_two_processes_lose_nothing_and_repeat_no_id(path):
    """10,000 appends each, at once."""
    running = [appender(path, number, 10_000) for number in (1, 2)]
    assert [process.wait() for process in running] == [0, 0]
    for process in running:
        process.stdout.close()
    found = stock(path)
    assert [identity for identity, _ in found] == list(range(1, 20_001))
    for number in (1, 2):
        assert [document["n"] for _, document in found if document["process"] == number] == list(range(10_000))


def test_readers_see_a_whole_file_while_another_process_appends(path):
    """Ours at every moment; stock TinyDB, which takes no lock, unless its read and a write fall together."""
    running = appender(path, 1, 10_000)
    sizes, collisions, reads = [], 0, 0
    while running.poll() is None:
        sizes.append(len(contents(path)))
        reads += 1
        try:
            found = stock(path)
        except json.JSONDecodeError:
            collisions += 1
            continue
        assert [identity for identity, _ in found] == list(range(1, len(found) + 1))
    running.stdout.close()
    assert running.returncode == 0
    assert sizes == sorted(sizes)
    assert collisions <= reads / 2
    assert len(stock(path)) == 10_000


def test_killed_appenders_lose_nothing_that_they_reported(path):
    """`kill -9` at arbitrary moments, many times over: the file opens and holds every id that was told."""
    told = 0
    for round_number in range(12):
        running = appender(path, round_number, 100_000, "tell")
        for _ in range(1 + 37 * round_number):
            told = int(running.stdout.readline())
        running.send_signal(signal.SIGKILL)
        rest = running.stdout.read().split("\n")
        running.wait()
        running.stdout.close()
        told = max([told, *(int(line) for line in rest[:-1] if line)])
        found = contents(path)
        assert [identity for identity, _ in found] == list(range(1, len(found) + 1))
        assert len(found) >= told
    assert len(stock(path)) >= told


def test_reading_walks_in_bounded_memory(path):
    """A file of 60 MB is walked without holding it."""
    document = jsonvalue.dumps({"text": "x" * 2000})
    file = AppendableFile(path)
    for _ in range(30):
        file.append([document] * 1000)
    file.close()
    script = f"""
import resource
from pathlib import Path
from aimyproxy.store.snapshot import Snapshot
from aimyproxy.store.tables import ExchangeDB
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with Snapshot(Path({str(path)!r})) as snapshot:
    count = sum(1 for _ in snapshot)
print(count, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    count, grown = map(int, done.stdout.split())
    assert count == 30_000
    assert grown < 10_000 * (resource.getpagesize() // 4096)


def test_flushing_reports_a_disk_that_refuses(path, monkeypatch):
    """The next flush tries again."""
    file = AppendableFile(path)
    file.sync()
    file.append([b"{}"])
    calls = []

    def refuse(descriptor):
        calls.append(descriptor)
        if len(calls) == 1:
            raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(StoreError, match="can't be flushed to the disk: Input/output error"):
        file.sync()
    file.sync()
    file.sync()
    assert len(calls) == 2
    file.close()


def test_a_last_line_deleted_by_hand_leaves_a_comma_that_is_repaired(path):
    """The next append finds the place where it belongs."""
    edited(filled(path), lambda text: text.replace('"3": {"n":3,"empty":""}\n', ""))
    assert [identity for identity, _ in contents(path)] == [1, 2]
    file = AppendableFile(path)
    assert file.append([b'{"n":4}']) == [3]
    file.close()
    assert [identity for identity, _ in stock(path)] == [1, 2, 3]


def test_a_folder_removed_while_it_is_open_comes_back(path):
    """What comes from then on is kept."""
    file = AppendableFile(filled(path))
    path.unlink()
    path.parent.rmdir()
    assert file.append([b'{"n":1}']) == [1]
    file.close()
    assert stock(path) == [(1, {"n": 1})]


def test_lines_in_another_order_repeat_no_id(path):
    """A person may have moved them."""

    def swapped(text):
        one, two, three = text.splitlines()[2:5]
        return text.replace("\n".join((one, two, three)), "\n".join((three + ",", one, two.rstrip(","))))

    edited(filled(path), swapped)
    assert [identity for identity, _ in contents(path)] == [3, 1, 2]
    file, other = AppendableFile(path), AppendableFile(path)
    assert [file.append([b"{}"]), other.append([b"{}"]), file.append([b"{}"])] == [[4], [5], [6]]
    file.close()
    other.close()
    assert [identity for identity, _ in stock(path)] == [3, 1, 2, 4, 5, 6]


def test_a_file_in_one_line_opens_at_once(path):
    """As `jq -c` leaves it; the work grows with the size, not with its square."""
    filled(path, [{"n": number, "text": "x" * 1000} for number in range(2000)])
    edited(path, lambda text: json.dumps(json.loads(text)))
    assert len(contents(path)) == 2000


def test_foreign_tables_keep_a_file_from_being_rewritten(path):
    """What stock TinyDB put beside our tables is read over, and named before a write would drop it."""
    filled(path)
    with tinydb.TinyDB(path, encoding="utf-8") as database:
        database.table("notes").insert({"by": "hand"})
    before = path.read_bytes()
    assert [document for _, document in contents(path)] == DOCUMENTS
    for write in (lambda: AppendableFile(path), lambda: ExchangeDB(path).table("exchanges").insert({"n": 4})):
        with pytest.raises(StoreError, match='would get lost in writing: "notes"'):
            write()
    assert path.read_bytes() == before


def test_our_database_takes_no_foreign_table(path):
    """Line form has no place for it."""
    filled(path)
    with ExchangeDB(path) as database, pytest.raises(StoreError, match='"notes"'):
        database.table("notes").insert({"by": "hand"})
    assert [document for _, document in contents(path)] == DOCUMENTS


def test_who_does_not_wait_is_told_that_others_write(path):
    """Another file object, as another process would be, and another thread of the same one."""
    file, other = AppendableFile(path), AppendableFile(path)
    with other.transaction(), pytest.raises(Busy):
        file.append([b"{}"], wait=False)
    refused = []

    def append():
        try:
            file.append([b"{}"], wait=False)
        except Busy as busy:
            refused.append(busy)

    with file.transaction():
        thread = threading.Thread(target=append)
        thread.start()
        thread.join()
    assert len(refused) == 1
    assert file.append([b"{}"], wait=False) == [1]
    file.close()
    other.close()
