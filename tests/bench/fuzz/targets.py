"""What has to hold whatever bytes stand in a recording's files: no error but ours, and never a wrong silent read."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

from tinydb import TinyDB

from aimyproxy.answering.index import Index
from aimyproxy.cli.check_command import problems_of
from aimyproxy.diff.run import diff_recordings, rules_of
from aimyproxy.errors import AimyproxyError
from aimyproxy.mockserver.source import load
from aimyproxy.store.held import HeldRecording, NotInLines
from aimyproxy.store.recording import EXCHANGES_FILE, HINTS_FILE, MOCKS_FILE, RULES_FILE, Recording
from tests.builders import exchange, request, response

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MARK = b"\xef\xbb\xbf"


def recording_in(folder: Path, name: str = EXCHANGES_FILE, data: bytes | None = None) -> Recording:
    """A new recording of three exchanges; then these bytes in one of its files."""
    shutil.rmtree(folder, ignore_errors=True)
    recording = Recording.create(folder, "https://hook.example.com/bot")
    recording.append(exchange())
    recording.append(exchange(request(action="order"), response({"total": 1180.5}, status=201)))
    recording.append(exchange(request(action="order", pizza="Пепперони"), response({"total": 590})))
    recording.close()
    if data is not None:
        (folder / name).write_bytes(data)
    return recording


def read_exchanges(data: bytes, folder: Path) -> None:
    """What opens is what Python's json and TinyDB read, or is said to be torn; it can be replayed, compared, checked."""
    recording = recording_in(folder, EXCHANGES_FILE, data)
    read = _ours(lambda: list(recording.documents()))
    if read is not None:
        torn = recording.torn_bytes() or not recording.is_closed()
        assert torn or [(identity, _plain(document)) for identity, document in read] == _stock(data)
        assert torn or data.startswith(MARK) or _tinydb(recording.path) == read
        for identity, document in read:
            assert recording._table.get(doc_id=identity) == document
    _ours(lambda: load(recording, "learned"))
    # So are long ones.
    _ours(lambda: Index.of(HeldRecording(recording), [], "learned", {}), NotInLines)
    _ours(lambda: diff_recordings(recording, recording))
    problems = list(problems_of(recording))
    assert problems or read is not None
    _append(recording, data, read)


def _append(recording: Recording, data: bytes, read: list[tuple[int, Any]] | None) -> None:
    """An append keeps what could be read, or it leaves the file alone."""
    identity = _ours(lambda: recording.append(exchange()))
    _ours(recording.close)
    if identity is None:
        assert recording.path.read_bytes() == data
    elif read is not None:
        again = list(recording.documents())
        assert again[:-1] == read
        assert again[-1][0] == identity
        assert _tinydb(recording.path) == again


def read_mocks(data: bytes, folder: Path) -> None:
    """Mocks are what Python's json reads, or are refused; they can be served."""
    recording = recording_in(folder, MOCKS_FILE, data)
    read = _ours(recording.mocks.read)
    if read is not None:
        tables = json.loads(data.removeprefix(MARK))
        assert read == [(int(key), document) for key, document in tables.get("mocks", {}).items()]
    index = _ours(lambda: load(recording, "learned"))
    assert index is not None or list(problems_of(recording))
    if _ours(lambda: recording.mocks.add({"event": "added", "answer": {}})) is None:
        assert recording.mocks.path.read_bytes() == data
    elif read is not None:
        assert recording.mocks.read()[:-1] == read


def read_hints(data: bytes, folder: Path) -> None:
    """Hints are what Python's json reads, or are refused; they can be learned with."""
    recording = recording_in(folder, HINTS_FILE, data)
    read = _ours(recording.hints.read)
    assert read is None or read == json.loads(data.removeprefix(MARK))
    index = _ours(lambda: load(recording, "learned"))
    assert index is not None or list(problems_of(recording))


def read_rules(data: bytes, folder: Path) -> None:
    """Rules of diffs are what Python's json reads, or are refused; they can be compared with."""
    recording = recording_in(folder, RULES_FILE, data)
    read = _ours(recording.rules.read)
    assert read is None or read == json.loads(data.removeprefix(MARK))
    rules = _ours(lambda: rules_of(recording, {}))
    assert rules is not None or list(problems_of(recording))
    if rules is not None:
        rules.differences({"a": [1, {"id": 2}], "b": "x"}, {"a": [{"id": 3}], "b": 1e300})


TARGETS = {
    EXCHANGES_FILE: read_exchanges,
    MOCKS_FILE: read_mocks,
    HINTS_FILE: read_hints,
    RULES_FILE: read_rules,
}
"""What is called with the bytes of a file, and with a folder to work in, by the file's name."""


def _ours(call: Callable[[], Any], *others: type[Exception]) -> Any:
    """What it returns (True for None), or None where it is refused with an error of ours, in a sentence."""
    try:
        result = call()
    except (AimyproxyError, *others):
        return None
    return True if result is None else result


def _stock(data: bytes) -> list[tuple[int, str]]:
    tables = json.loads(data.removeprefix(MARK))
    return [(int(key), _plain(document)) for key, document in tables["exchanges"].items()]


def _plain(document: Any) -> str:
    # True is 1 in Python, and 1 is 1.0.
    return json.dumps(document)


def _tinydb(path: Path) -> list[tuple[int, Any]]:
    with TinyDB(path) as db:
        return [(document.doc_id, document) for document in db.table("exchanges")]
