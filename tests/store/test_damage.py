"""Power failures, modelled: of what came after the last flush, each sector of a disk has any state since then."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimyproxy import jsonvalue
from aimyproxy.errors import BrokenFile
from aimyproxy.store import lines
from aimyproxy.store.appendable import AppendableFile
from aimyproxy.store.snapshot import Snapshot

SECTOR = 512
HEADER = lines.header({"format": 1})
FLUSHED = 2
"""How many documents are flushed in all of these."""


def states(documents):
    """The file's bytes after each append."""
    text, found = HEADER, [HEADER + lines.CLOSER]
    for identity, document in enumerate(documents, 1):
        text += lines.line(identity, jsonvalue.dumps(document), first=identity == 1)
        found.append(text + lines.CLOSER)
    return found


def after_the_failure(size, sectors):
    """The file of this size, with sectors of these states of it, and zeros where a state doesn't reach."""
    parts = [
        state[at : at + SECTOR].ljust(SECTOR, b"\0") for at, state in zip(range(0, size, SECTOR), sectors, strict=True)
    ]
    return b"".join(parts)[:size]


def read(path):
    with Snapshot(path) as snapshot:
        return list(snapshot)


def opens(path, content, documents):
    """How many documents are there after a failure; they are the first ones, for readers and for who appends."""
    path.write_bytes(content)
    seen = read(path)
    assert seen == list(enumerate(documents[: len(seen)], 1))
    with Snapshot(path) as snapshot:
        torn = snapshot.torn_anywhere()
    file = AppendableFile(path)
    aside = file.set_aside.read_bytes() if file.set_aside else b""
    assert len(aside) == torn
    assert file.append([b'{"new":true}']) == [len(seen) + 1]
    file.close()
    expected = {str(number): document for number, document in [*seen, (len(seen) + 1, {"new": True})]}
    assert json.loads(path.read_bytes())["exchanges"] == expected
    if file.set_aside:
        file.set_aside.unlink()
    return len(seen)


@st.composite
def failures(draw):
    """Documents, and what a failure left of the file after the second of them was flushed."""
    lengths = draw(st.lists(st.one_of(st.integers(0, 60), st.integers(0, 1500)), min_size=FLUSHED, max_size=7))
    documents = [{"text": "}" * length} for length in lengths]
    since = states(documents)[FLUSHED:]
    size = len(draw(st.sampled_from(since)))
    count = -(-size // SECTOR)
    return documents, after_the_failure(size, draw(st.lists(st.sampled_from(since), min_size=count, max_size=count)))


@given(failures())
def test_what_was_flushed_is_there_and_the_file_opens(tmp_path_factory, failure):
    """Whatever got through of the rest: nothing made up, nothing in another order, no gap."""
    documents, content = failure
    assert opens(tmp_path_factory.mktemp("failure") / "exchanges.json", content, documents) >= FLUSHED


@pytest.mark.parametrize("flushed", [0, 1, 9])
def test_a_sector_that_kept_old_brackets_is_noticed_wherever_they_stand(tmp_path, flushed):
    """Across its end, at it and before it: then no zeros tell where the new bytes are missing."""
    path = tmp_path / "exchanges.json"
    for length in range(SECTOR - 80, SECTOR):
        documents = [*({"n": number} for number in range(flushed)), {"text": "x" * SECTOR}, {"last": True}]
        header = lines.header({"format": 1, "note": "x" * length})
        *_, old, _, new = [header + state.removeprefix(HEADER) for state in states(documents)]
        seam = (len(old) - 1) // SECTOR * SECTOR
        for end in (seam, seam + SECTOR):
            content = (old[:end] if end < len(old) else old.ljust(end, b"\0")) + new[end:]
            assert opens(path, content, documents) >= flushed


def test_what_a_person_broke_is_no_power_failure(tmp_path):
    """A comma that is missing is an error with its place, also at the end of a sector; the file stays as it is."""
    path = tmp_path / "exchanges.json"
    for length in range(SECTOR):
        content = states([{"n": 1, "text": "x" * length}, {"n": 2}, {"n": 3}])[-1].replace(b'},\n"2"', b'}\n"2"')
        path.write_bytes(content)
        with pytest.raises(BrokenFile, match=r"exchanges\.json:4:1: not valid JSON"):
            read(path)
        AppendableFile(path).close()
        assert path.read_bytes() == content


@pytest.mark.parametrize("broken", [b'}\n\n"2"', b'}\n}"2"', b'}\n}}2"', b'}\n}}\n"', b'}},\n"2"'])
def test_only_where_a_sector_ends_it_may_be_one(tmp_path, broken):
    """Bytes that look as if old brackets had stayed are a person's everywhere else."""
    path, refused = tmp_path / "exchanges.json", 0
    for length in range(SECTOR):
        path.write_bytes(states([{"n": 1, "text": "x" * length}, {"n": 2}])[-1].replace(b'},\n"2"', broken))
        try:
            read(path)
        except BrokenFile:
            refused += 1
    assert refused == SECTOR - (broken != b'}},\n"2"')
