"""Files that a person, an editor or a crash left behind: read as Python's json reads them, or refused in a sentence."""

from __future__ import annotations

import json
import os
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tinydb import TinyDB

from aimyproxy import aimylogic, jsonvalue
from aimyproxy.content import kept_body, kept_text
from aimyproxy.errors import BrokenFile, StoreError
from aimyproxy.exchange import FAILURE_KINDS, Exchange, Failure, Request, Response, Timing
from aimyproxy.store import lines
from aimyproxy.store.recording import EXCHANGES_FILE, HINTS_FILE, MOCKS_FILE, RULES_FILE, Recording
from tests import builders
from tests.bench.fuzz.seeds import TOKENS, seeds
from tests.bench.fuzz.targets import TARGETS, recording_in

NAMES = (EXCHANGES_FILE, MOCKS_FILE, HINTS_FILE, RULES_FILE)


@pytest.fixture(scope="session")
def begun(tmp_path_factory):
    return seeds(tmp_path_factory.mktemp("seeds") / "shop")


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """One for all examples: each begins with a new recording in it."""
    return tmp_path_factory.mktemp("fuzzed") / "shop"


@st.composite
def changed(draw, files):
    """A file with some pieces put in, taken out, doubled or moved, mostly where JSON has its joints."""
    data = draw(st.sampled_from(files))
    for _ in range(draw(st.integers(1, 3))):
        joints = [index for index, byte in enumerate(data) if byte in b'{}[],:"\n'] or [0]
        start, end = sorted([draw(st.sampled_from([*joints, len(data)])), draw(st.sampled_from(joints))])
        piece = draw(st.sampled_from([*TOKENS, b"", data[start:end]]) | st.binary(max_size=4))
        data = data[:start] + piece + data[draw(st.sampled_from([start, end, start + 1])) :]
    return data


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
def test_any_file_is_read_as_it_is_or_refused(name, begun, folder, data):
    """By everything that reads it; what can be read survives an append."""
    TARGETS[name](data.draw(changed(begun[name])), folder)


@pytest.mark.parametrize("name", NAMES)
def test_files_as_people_leave_them_are_read(name, begun, folder):
    """Indented, in one line, with CRLF and a byte order mark; torn, too, where it is what record writes."""
    for data in begun[name]:
        TARGETS[name](data, folder)


def put(path, kind):
    path.unlink(missing_ok=True)
    if kind == "a folder":
        path.mkdir()
    elif kind == "a pipe":
        os.mkfifo(path)
    elif kind == "a device":
        path.symlink_to("/dev/zero")
    elif kind == "loop":
        path.symlink_to(path.name)
    else:
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(path.name)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["a folder", "a pipe", "a device", "loop", "socket"])
def test_what_is_no_file_is_named(tmp_path, monkeypatch, name, kind):
    """Nobody waits for the other end of a pipe, or reads a device until memory is full."""
    recording = recording_in(tmp_path / "shop")
    monkeypatch.chdir(recording.folder)
    put(recording.folder / name, kind)
    readers = {
        EXCHANGES_FILE: recording.about,
        MOCKS_FILE: recording.mocks.read,
        HINTS_FILE: recording.hints.read,
        RULES_FILE: recording.rules.read,
    }
    with pytest.raises(StoreError, match=name) as refused:
        readers[name]()
    assert not kind.startswith("a ") or str(refused.value).endswith(f"has to be a file, and is {kind}.")
    if name == EXCHANGES_FILE:
        with pytest.raises(StoreError, match=name):
            recording.append(builders.exchange())


@pytest.mark.parametrize("key", ["0", "-1", "01", " 1", "1_0", "٢", "x", "", "9" * 19, "9" * 5000])
def test_ids_are_spelled_in_one_way(tmp_path, key):
    """`01` would be 1 to TinyDB, and so another exchange's or mock's."""
    recording = recording_in(tmp_path / "shop")
    recording.path.write_bytes(recording.path.read_bytes().replace(b'"3": ', f'"{key}": '.encode()))
    before = recording.path.read_bytes()
    with pytest.raises(BrokenFile, match=r"exchanges\.json:5:1: exchange '.*'…? is no id") as refused:
        list(recording)
    assert len(str(refused.value)) < 300
    with pytest.raises(BrokenFile, match="is no id"):
        recording.append(builders.exchange())
    assert recording.path.read_bytes() == before
    recording.mocks.path.write_text(json.dumps({"mocks": {key: {"event": "e", "answer": {}}}}, indent=1))
    with pytest.raises(BrokenFile, match=r"mocks\.json:3:3: mock '.*'…? is no id"):
        recording.mocks.read()


@pytest.mark.parametrize("document", [5, "x", [], [["event", "a"]], None, True])
def test_what_is_no_object_is_no_document(tmp_path, document):
    """TinyDB would make one of a list of pairs."""
    recording = recording_in(tmp_path / "shop")
    recording.mocks.path.write_text(json.dumps({"mocks": {"1": document}}))
    with pytest.raises(BrokenFile, match=r"mocks\.json:1:12: mock 1: it has to be an object, not "):
        recording.mocks.read()
    tables = json.loads(recording.path.read_text())
    tables["exchanges"]["2"] = document
    recording.path.write_text(json.dumps(tables))
    for reading in (lambda: list(recording), lambda: recording.get(2), lambda: recording.append(builders.exchange())):
        with pytest.raises(BrokenFile, match=r"exchanges\.json:1:\d+: exchange 2: it has to be an object, not "):
            reading()


def test_an_id_that_stands_twice_is_told_of_by_whoever_looks_for_it(tmp_path):
    """Not the first of the two is given, where others read the second."""
    recording = recording_in(tmp_path / "shop")
    recording.path.write_bytes(recording.path.read_bytes().replace(b'"3": ', b'"1": '))
    with pytest.raises(BrokenFile, match='5:1: not valid JSON: the key "1" stands twice'):
        recording.get(1)


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [(b"}},\n", b'},"2":{"x":1}},\n', "recording.2"), (b"}},\n", b'}},"more":{"1":{"x":1}},\n', "more")],
)
def test_what_stands_beside_the_recordings_description_is_not_lost(tmp_path, old, new, name):
    """It is read past, and nothing is written over it."""
    recording = recording_in(tmp_path / "shop")
    recording.path.write_bytes(recording.path.read_bytes().replace(old, new, 1))
    assert len(list(recording)) == 3
    before = recording.path.read_bytes()
    with pytest.raises(StoreError, match=f'would get lost in writing: "{name}"'):
        recording.append(builders.exchange())
    assert recording.path.read_bytes() == before


@pytest.mark.parametrize("levels", [252, 253, 500, 1000, 3000])
def test_nesting_that_other_readers_refuse_is_refused(tmp_path, levels):
    """In a line as in an indented file, at the bracket that is too much."""
    recording = recording_in(tmp_path / "shop")
    # The text's place is three levels deep in its document.
    deep = b"[" * (levels - 3) + b"]" * (levels - 3)
    recording.path.write_bytes(
        recording.path.read_bytes().replace(b'"name":"\xd0\x98\xd0\xb2', b'"deep":%s,"name":"' % deep, 1)
    )
    if levels == 252:
        assert len(list(recording)) == 3
    else:
        with pytest.raises(BrokenFile, match=r"exchanges\.json:3:\d+: not valid JSON: (nested too deep|depth limit)"):
            list(recording)


def test_integers_of_any_size_are_kept(tmp_path):
    """In a line as in an indented file; what no float can hold is refused."""
    recording = recording_in(tmp_path / "shop")
    data = recording.path.read_bytes()
    for spelled in ("9" * 19, "9" * 30, "-" + "9" * 30):
        recording.path.write_bytes(data.replace(b"1180.5", spelled.encode()))
        assert recording.get(2).response.body.value == {"total": int(spelled)}
        recording.append(builders.exchange())
        recording.close()
    recording.path.write_bytes(data.replace(b"1180.5", b"9" * 400))
    with pytest.raises(BrokenFile, match=r":4:\d+: not valid JSON: number is infinity"):
        list(recording)


def test_a_torn_line_may_hold_a_number_of_thousands_of_digits(tmp_path):
    """It is a line like any other."""
    recording = recording_in(tmp_path / "shop")
    whole = recording.path.read_bytes()
    recording.path.write_bytes(whole.removesuffix(lines.CLOSER) + b',\n"4": {"x":' + b"9" * 5000)
    assert recording.torn_bytes() > 5000
    assert len(list(recording)) == 3


@given(text=st.text(max_size=80), start=st.booleans())
def test_plain_text_is_read_alike_by_all(text, start):
    """What is called plain, orjson reads as Python's json does."""
    spelled = json.dumps({"a": text, "n": 10**18 if start else -(10**17)}).encode()
    assert jsonvalue.loads_stored(spelled) == json.loads(spelled)


TEXTS = st.binary(max_size=20) | st.text(max_size=10).map(lambda text: text.encode("utf-8", "replace"))
BODIES = st.one_of(
    st.binary(max_size=60),
    st.sampled_from([token for token in TOKENS if len(token) < 2000]),
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(st.characters(), max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(), max_size=5), inner),
        max_leaves=6,
    ).map(lambda value: json.dumps({"action": value, "userId": value, "channelId": "c"}).encode()),
)
HEADERS = st.lists(st.tuples(TEXTS, TEXTS).map(lambda pair: (kept_text(pair[0]), kept_text(pair[1]))), max_size=3).map(
    tuple
)
ENCODINGS = st.sampled_from(["", "", "gzip", "br", "nonsense"])
MILLISECONDS = st.none() | st.floats(0, 1e9)


@st.composite
def exchanges(draw):
    """Whatever the proxy can make of bytes."""
    body = kept_body(draw(BODIES), draw(ENCODINGS), 1000)
    event, conversation = aimylogic.identify(body.variables())
    answer = kept_body(draw(BODIES), draw(ENCODINGS), 1000)
    answered = draw(st.booleans())
    failed = not answered or draw(st.booleans())
    return Exchange(
        "2026-11-22T10:15:30.123456Z",
        event,
        conversation,
        Request(kept_text(draw(TEXTS)), kept_text(draw(TEXTS)), draw(HEADERS), body),
        Response(draw(st.integers(100, 999)), draw(HEADERS), answer) if answered else None,
        Failure(draw(st.sampled_from(FAILURE_KINDS)), kept_text(draw(TEXTS))) if failed else None,
        Timing(draw(MILLISECONDS), draw(st.floats(0, 1e9))),
        draw(st.none() | st.tuples(st.just("shop"), st.integers(1, 10**18 - 1))),
    )


@given(kept=st.lists(exchanges(), min_size=1, max_size=4))
def test_whatever_passes_the_proxy_comes_back(folder, kept):
    """Equal, from a file that Python's json and TinyDB read alike."""
    recording = recording_in(folder)
    recording.remove([1, 2, 3])
    identities = [recording.append(one) for one in kept]
    assert list(recording) == list(zip(identities, kept, strict=True))
    assert [recording.get(identity) for identity in identities] == kept
    recording.close()
    stock = json.loads(recording.path.read_text(encoding="utf-8"))["exchanges"]
    assert {int(key): document for key, document in stock.items()} == dict(Recording(folder).documents())
    with TinyDB(recording.path) as db:
        assert {document.doc_id: dict(document) for document in db.table("exchanges")} == dict(recording.documents())
