"""Commands over files that people, editors and crashes leave behind: a sentence with the place, and an exit status."""

from __future__ import annotations

import json
import shlex
import sys
import threading

import pytest

from aimyproxy.errors import AimyproxyError
from aimyproxy.store.recording import Recording
from tests.bench.fuzz.targets import MARK

BROKEN = [
    (lambda _: b"", "1:1: not valid JSON: "),
    (lambda _: b"\0" * 9, "1:1: not valid JSON: "),
    (lambda _: b"null", 'no recording: it has no table "exchanges"'),
    (lambda data: data.replace(b'"vk"', b'"v\0"'), "5:"),
    (lambda data: data.replace(b'"vk"', b'"v\xff"'), "not valid UTF-8"),
    (lambda data: data.replace(b'"vk"', b'"\\ud83d"'), "no low surrogate in string"),
    (lambda data: data.replace(b'"lastSeen":42', b'"lastSeen":NaN'), "3:"),
    (lambda data: data.replace(b'"lastSeen":42', b'"lastSeen":1e999'), "number is infinity"),
    (lambda data: data.replace(b'"lastSeen":42', b'"lastSeen":' + b"4" * 400), "number is infinity"),
    (lambda data: data.replace(b'"lastSeen":42', b'"lastSeen":' + b"[" * 300 + b"]" * 300), "nested too deep"),
    (lambda data: data.replace(b'"2": ', b'"1": '), '4:1: not valid JSON: the key "1" stands twice'),
    (lambda data: data.replace(b'"2": ', b'"-2": '), "4:1: exchange '-2' is no id"),
    (lambda data: data.replace(b'"format":1', b'"format":"1"'), 'the recording\'s "format" has to be a number'),
    (lambda data: data.replace(b'"format":1', b'"format":99'), "a later version wrote it"),
    (lambda data: data.replace(b'"status":500', b'"status":"500"'), "response.status has to be a number"),
    (lambda data: data.replace(b'["vk",', b'["vk",5,'), "conversation has to be null or [channelType"),
]


@pytest.mark.parametrize(("change", "told"), BROKEN)
def test_every_command_says_what_is_wrong_with_a_recording(aimyproxy, shop, change, told):
    """Status 2, and 1 for `check`; nothing is changed by looking."""
    shop.path.write_bytes(change(shop.path.read_bytes()))
    broken = shop.path.read_bytes()
    status, out, _ = aimyproxy("check", "shop")
    assert (status, told in out) == (1, True), out
    for command in (("show", "shop"), ("list",), ("diff", "shop", "shop")):
        status, _, err = aimyproxy(*command)
        assert (status, told in err) == (2, True), (command, err)
        assert "exchanges.json" in err
    assert shop.path.read_bytes() == broken


@pytest.mark.parametrize("change", [lambda data: MARK + data, lambda data: data.replace(b"\n", b"\r\n")])
def test_files_from_an_editor_on_windows_are_read(aimyproxy, shop, change):
    """CRLF is JSON like any other; a byte order mark is read past, and told of."""
    shop.path.write_bytes(change(shop.path.read_bytes()))
    shop.mocks.path.write_bytes(change(b'{"mocks": {\n"1": {"event": "start", "answer": {}}\n}}\n'))
    status, out, err = aimyproxy("list")
    assert (status, err) == (0, "")
    status, out, err = aimyproxy("check", "shop")
    told = [line.rpartition("/")[2].partition(",")[0] for line in out.splitlines()]
    marked = "begins with a byte order mark"
    if change(b"").startswith(MARK):
        assert (status, told) == (1, [f"exchanges.json {marked}", f"mocks.json {marked}"])
    else:
        assert (status, told) == (0, [])
    assert aimyproxy("mock", "shop", "pay", "--answer", "{}")[0] == 0
    assert json.loads(shop.mocks.path.read_text(encoding="utf-8"))["mocks"].keys() == {"1", "2"}


def test_check_tells_of_a_member_that_stands_twice(aimyproxy, shop):
    """Everybody else reads the last of them, as all readers of JSON do."""
    shop.path.write_bytes(shop.path.read_bytes().replace(b'"at":', b'"event":"x","at":', 1))
    assert aimyproxy("show", "shop")[0] == 0
    status, out, _ = aimyproxy("check", "shop")
    assert (status, 'exchanges.json:3:54: not valid JSON: the key "event" stands twice' in out) == (1, True), out


def test_an_answer_may_be_typed_with_a_byte_order_mark(aimyproxy, shop, monkeypatch, tmp_path):
    """Notepad writes one."""
    script = tmp_path / "notepad.py"
    script.write_text(
        "import pathlib, sys\npathlib.Path(sys.argv[1]).write_bytes(b'\\xef\\xbb\\xbf{\"a\": 1}\\r\\n')\n"
    )
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", shlex.join([sys.executable, str(script)]))
    assert aimyproxy("edit", "shop", "1")[0] == 0
    assert [document["answer"] for _, document in shop.mocks.read()] == [{"a": 1}]


def test_a_file_that_changes_while_it_is_read_breaks_nothing(shop):
    """An editor that writes in place takes no lock: what it is doing may be told of, and no more."""
    lines = shop.path.read_bytes()
    versions = [lines, json.dumps(json.loads(lines), indent=1).encode(), lines[:900], b"", MARK + lines]
    documents = list(json.loads(lines)["exchanges"].values())
    stop = threading.Event()

    def edit():
        while not stop.is_set():
            for version in versions:
                shop.path.write_bytes(version)

    editor = threading.Thread(target=edit)
    editor.start()
    seen = refused = 0
    try:
        while (seen < 50 or refused < 50) and seen + refused < 20_000:
            try:
                assert all(document in documents for _, document in Recording(shop.folder).documents())
                seen += 1
            except AimyproxyError:
                refused += 1
    finally:
        stop.set()
        editor.join()
    assert min(seen, refused) > 0
