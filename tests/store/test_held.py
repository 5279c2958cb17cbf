from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimyproxy.documents import to_document
from aimyproxy.errors import BrokenFile, NewerFormat
from aimyproxy.glance import Glance
from aimyproxy.store.held import HeldRecording, NotInLines
from aimyproxy.store.recording import Recording
from tests.builders import exchange, request
from tests.test_documents import exchanges


@pytest.fixture
def recording(tmp_path):
    made = Recording.create(tmp_path / "shop", None)
    yield made
    made.close()


def edit(recording, change):
    recording.path.write_bytes(change(recording.path.read_bytes()))


@given(st.lists(exchanges, max_size=5))
def test_what_is_held_is_what_is_walked(tmp_path_factory, made):
    """The same ids, at a glance, and the same exchanges and variables."""
    recording = Recording.create(tmp_path_factory.mktemp("held") / "shop", None)
    for one in made:
        recording.append(one)
    held = HeldRecording(recording)
    walked = list(recording)
    assert list(held.glances()) == [(identity, Glance.of(one)) for identity, one in walked]
    for position, (_, one) in enumerate(walked):
        assert held.exchange(position) == one
        assert held.variables(position) == one.request.body.variables()
    recording.close()


def test_what_happens_to_the_file_later_does_not_show(recording):
    """Neither a removal nor an edit in its place."""
    for name in ("Анна", "Олег"):
        recording.append(exchange(request(name=name)))
    held = HeldRecording(recording)
    assert [identity for identity, _ in held.glances()] == [1, 2]
    recording.path.write_bytes(b"x" * recording.path.stat().st_size)
    assert held.variables(1)["name"] == "Олег"


def test_gaps_and_blank_lines_are_passed_over(recording):
    """As they are where the recording is walked."""
    for _ in range(3):
        recording.append(exchange())
    recording.remove([2])
    edit(recording, lambda data: data.replace(b',\n"3"', b',\n\n"3"'))
    assert [identity for identity, _ in HeldRecording(recording).glances()] == [1, 3]


@pytest.mark.parametrize(
    "change",
    [
        lambda data: json.dumps(json.loads(data), indent=2).encode(),
        lambda data: data.replace(b'"1": {"at', b'"3": {"at'),
        lambda data: data.replace(b'"1": {"at', b'"one": {"at'),
        lambda data: data.replace(b',\n"2"', b',\r\n"2"'),
        lambda data: data.replace(b'{"at"', b'{"at":,"at"', 1),
        lambda data: data.replace(b',\n"2"', b'\n"2"'),
    ],
)
def test_what_a_person_edited_has_to_be_walked(recording, change):
    """Held lines are only those that this program wrote."""
    for _ in range(2):
        recording.append(exchange())
    edit(recording, change)
    with pytest.raises(NotInLines):
        list(HeldRecording(recording).glances())


def test_an_exchange_that_is_none_is_named(recording):
    """With its line, at once."""
    for _ in range(2):
        recording.append(exchange())
    edit(
        recording,
        lambda data: data.replace(b'"method":"POST"', b'"method":5', 2).replace(b'"method":5', b'"method":"POST"', 1),
    )
    with pytest.raises(BrokenFile, match=r"exchanges\.json:4:1: exchange 2: request\.method has to be a string, not 5"):
        list(HeldRecording(recording).glances())


def test_what_a_glance_does_not_see_is_named_when_it_is_read(recording):
    """A text of bytes that are no UTF-8."""
    for _ in range(2):
        recording.append(exchange())
    edit(recording, lambda data: data.replace("Иван".encode(), b"\xff\xfe", 1))
    held = HeldRecording(recording)
    assert len(list(held.glances())) == 2
    for read in (held.exchange, held.variables):
        with pytest.raises(BrokenFile, match=r"exchanges\.json:3:1: exchange 1: "):
            read(0)
    assert held.exchange(1) == exchange()


def test_a_later_format_is_not_held(recording):
    """It may mean something else."""
    recording.append(exchange())
    edit(recording, lambda data: data.replace(b'"format":1', b'"format":9'))
    with pytest.raises(NewerFormat):
        HeldRecording(recording)
    assert to_document(exchange())["event"] == "start"
