"""Files to begin with, and pieces that they are changed with: what people, editors and crashes leave behind."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aimyproxy.store.recording import EXCHANGES_FILE, HINTS_FILE, MOCKS_FILE, RULES_FILE
from tests.bench.fuzz.targets import MARK, recording_in

if TYPE_CHECKING:
    from pathlib import Path

MOCKS: dict[str, Any] = {
    "mocks": {
        "1": {
            "event": "start",
            "when": {"$.channelType": "vk", "$.n": {"at_least": 1, "below": 9}},
            "answer": {"a": 1},
        },
        "2": {"event": "pay", "text": "Привет, {{ name }}", "status": 402, "headers": [["x-a", "b"]], "delay_ms": 5},
        "3": {"event": None, "base64": "AA==", "note": "n", "enabled": False},
        "4": {"event": "start", "fault": "500:30%"},
        "5": {"event": "start", "from_exchange": 1, "answer": {"a": "{{ count + 1 }}"}},
        "6": {"event": "order", "merge": True, "answer": {}, "when": {"$..sku": {"matches": "^P-"}}},
        "7": {"event": "x", "when": {"$.a": {"exists": True}, "$.b": {"one_of": [1, "x"]}}, "answer": None},
    }
}
HINTS = {"order": {"pin": ["$.pizza"], "forbid": ["$.name", "$['a b'][0]"]}, "start": {"pin": []}}
RULES = {
    "$.order.id": {"ignore": True},
    "$.total": {"tolerance": "0.01"},
    "$.at": {"tolerance": "2s"},
    "$.items": {"key": "sku"},
    "$.tags[*]": {"set": True, "only": True},
}

TOKENS: tuple[bytes, ...] = (
    *(b"NaN", b"-Infinity", b"1e999", b"-0", b"-0.0", b"1.0", b"9" * 19, b"9" * 20, b"9" * 400, b"9" * 5000, b"1e-400"),
    *(b"null", b"true", b"[]", b"{}", b'""', b'"\\ud800"', b'"\\u0000"', b"\x00", b"\xff", b"\xd0", b"\xed\xa0\x80"),
    *(b"[" * 260 + b"]" * 260, b'{"a":' * 1100 + b"1" + b"}" * 1100, b"[" * 3000, MARK, b"\r\n", b"\n", b",", b"}}\n"),
    *(b'"1": {},\n', b'"01": {},\n', b'"-1": {}', b'"0": {}', b'"x": {}', b'"%s": {}' % (b"1" * 5000), b'"a":1,"a":2'),
    *(
        b'"exchanges": {',
        b'"recording": {"1": {}}',
        b'"mocks": {',
        b"{{ 1/0 }}",
        b"{%",
        b"$[?@.a==1]",
        b"$..*",
        b"(a+)+$",
    ),
)
"""Pieces that a file is changed with; also the fuzzer's dictionary."""


def seeds(folder: Path) -> dict[str, list[bytes]]:
    """Files to begin with, by the name that they stand under."""
    lines = recording_in(folder).path.read_bytes()
    whole = json.dumps(json.loads(lines), indent=2, ensure_ascii=False).encode()
    small = b'{"recording": {"1": {"format":1}},\n"exchanges": {\n"1": {"at":"x","request":{"method":"GET","path":"/"}}\n}}\n'
    return {
        EXCHANGES_FILE: [lines, whole, small, lines.replace(b"\n", b"\r\n"), MARK + whole, lines[:-40], lines[:-4]],
        MOCKS_FILE: _spelled(MOCKS),
        HINTS_FILE: _spelled(HINTS),
        RULES_FILE: _spelled(RULES),
    }


def _spelled(value: Any) -> list[bytes]:
    indented = json.dumps(value, indent=2, ensure_ascii=False).encode()
    return [indented, json.dumps(value).encode(), MARK + indented.replace(b"\n", b"\r\n")]
