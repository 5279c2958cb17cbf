from __future__ import annotations

import json
import math
import tracemalloc
from contextlib import nullcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimyproxy import jsonvalue
from aimyproxy.errors import InvalidJSON
from tests.strategies import values

NUMBER = st.from_regex(r"-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,25})?([eE][+-]?[0-9]{1,3})?", fullmatch=True)


@given(values)
def test_values_survive(value):
    """What we write is read back as the same value, whoever reads."""
    assert jsonvalue.loads(jsonvalue.dumps(value)) == value
    assert json.loads(jsonvalue.dumps(value)) == value


@given(values, st.booleans(), st.sampled_from([None, 1, "\t"]))
def test_every_spelling_of_a_plain_value_is_lossless(value, ascii_only, indent):
    """White space and escapes don't keep a body from being stored as JSON."""
    raw = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode()
    parsed = jsonvalue.parse_lossless(raw)
    assert parsed is not None
    assert parsed[0] == value
    assert type(parsed[0]) is type(value)


@given(NUMBER)
def test_a_number_is_kept_exactly_or_not_at_all(spelled):
    """A parsed number is the same decimal number, and an integer only if it was spelled as one."""
    from decimal import Decimal

    parsed = jsonvalue.parse_lossless(spelled.encode())
    if parsed is not None:
        assert Decimal(jsonvalue.dumps(parsed[0]).decode()) == Decimal(spelled)
        assert isinstance(parsed[0], int) == spelled.lstrip("-").isdecimal()
        assert math.copysign(1, parsed[0]) == math.copysign(1, float(spelled))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b'{"a": 1, "a": 2}',
        b'{"x": [{"a": 1, "b": 2, "a": 1}]}',
        b"18446744073709551616",
        b"-9223372036854775809",
        b"-0",
        b"1e400",
        b"1e-400",
        b"0.1000000000000000055511151231257827",
        b"1e-99999999999999999999",
        b"9" * 5000,
        b"NaN",
        b"[Infinity]",
        b'"\\ud800"',
        b"\xef\xbb\xbf{}",
        b'"\xff"',
        b"[1,]",
        b"[" * 247 + b"]" * 247,
        b"[" * 100_000,
    ],
)
def test_what_would_lose_something_is_not_parsed(raw):
    """Each kind of loss keeps a body from being stored as JSON."""
    assert jsonvalue.parse_lossless(raw) is None


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b"18446744073709551615", 2**64 - 1),
        (b"-9223372036854775808", -(2**63)),
        (b"1.50", 1.5),
        (b"1E2", 100.0),
        (b"-0.0", -0.0),
        (b' {"a" :\t1}\n', {"a": 1}),
        (b'"\\ud83c\\udf55"', "🍕"),
        (b"[" * 246 + b"]" * 246, None),
    ],
)
def test_what_loses_nothing_is_parsed(raw, value):
    """The limits themselves are still inside."""
    parsed = jsonvalue.parse_lossless(raw)
    assert parsed is not None
    assert value is None or (parsed[0] == value and type(parsed[0]) is type(value))


def test_depth_is_measured():
    """What is stored as JSON is never too deep, one level more is."""
    for levels, expected in ((246, False), (247, True)):
        value = []
        for _ in range(levels - 1):
            value = [value]
        assert jsonvalue.too_deep(value) is expected
        assert (jsonvalue.parse_lossless(json.dumps(value).encode()) is None) is expected
    assert not jsonvalue.too_deep({"a": [1, {"b": []}], "c": None})


def test_half_an_emoji_is_written_as_an_escape():
    """Everything else is written as it is."""
    text = jsonvalue.pretty({"a": "\ud83dИ", "\udfff": 1})
    assert json.loads(text.encode()) == {"a": "\ud83dИ", "\udfff": 1}
    assert "И" in text


@given(values, values)
def test_same_is_an_equality(one, other):
    """It is reflexive and symmetric, and agrees with the canonical bytes."""
    assert jsonvalue.same(one, one)
    assert jsonvalue.same(one, other) == jsonvalue.same(other, one)
    assert jsonvalue.same(one, other) == (jsonvalue.canonical(one) == jsonvalue.canonical(other))


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (1, 1.0, True),
        (1, True, False),
        (0, False, False),
        ([{"a": 1}], [{"a": 1.0}], True),
        ([{"a": 1}], [{"a": True}], False),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        (10**16, 1e16, True),
        (10**30, 1e30, int(1e30) == 10**30),
        (int(1e30), 1e30, True),
        ({"п": 1, "я": "ж"}, {"п": 1.0, "я": "ж"}, True),
        (2**70, 2**70, True),
        ("1", 1, False),
        (None, False, False),
    ],
)
def test_same_means_what_json_means(one, other, expected):
    """`1` and `1.0` are one number; `true` is none; the order of keys doesn't matter."""
    assert jsonvalue.same(one, other) is expected
    assert (jsonvalue.canonical(one) == jsonvalue.canonical(other)) is expected


def test_an_edited_text_tells_where_it_is_broken():
    """The position is the line and the column that an editor shows."""
    with pytest.raises(InvalidJSON) as caught:
        jsonvalue.loads_edited('{\n  "a": 1,\n  "b": oops\n}')
    assert (caught.value.line, caught.value.column) == (3, 8)


def test_a_key_given_twice_is_found_at_its_second_place():
    """The same key in another object, or as a value, is no duplicate."""
    text = '{"a": {"x": "a"}, "б\\"": 1,\n "c": ["a", {"a": 1}], "б\\"": 2}'
    with pytest.raises(InvalidJSON, match="stands twice") as caught:
        jsonvalue.loads_edited(text)
    assert (caught.value.line, caught.value.column) == (2, 24)


@pytest.mark.parametrize(("levels", "refused"), [(254, False), (255, True), (900, True)])
def test_edited_text_is_as_deep_as_a_file_can_hold(levels, refused):
    """The limit is ours, and so the same with every version of Python."""
    text = "[" * levels + "]" * levels
    with pytest.raises(InvalidJSON, match="nested too deep") if refused else nullcontext():
        assert jsonvalue.dumps(jsonvalue.loads_edited(text)) == text.encode()


@given(values)
def test_edited_text_reads_as_any_other(value):
    """Without duplicates there is no difference."""
    assert jsonvalue.loads_edited(jsonvalue.pretty(value)) == value


def test_values_beyond_the_codec_are_still_written():
    """Integers of any size and lone surrogates come out as JSON."""
    assert json.loads(jsonvalue.dumps({"a": 2**70, "b": "\ud800"})) == {"a": 2**70, "b": "\ud800"}
    assert jsonvalue.canonical([2**70]) == jsonvalue.canonical([2**70])


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((), "$"),
        (("order", "items", 0), "$.order.items[0]"),
        (("имя",), "$.имя"),
        (("a b", "it's", "\\"), "$['a b']['it\\'s']['\\\\']"),
        (("1a",), "$['1a']"),
    ],
)
def test_paths_are_jsonpath(path, text):
    """Plain names stand after a dot, all others are quoted."""
    assert jsonvalue.path_text(path) == text


@pytest.mark.parametrize(
    ("value", "kind"),
    [(None, "null"), (True, "boolean"), (1, "number"), (1.5, "number"), ("", "string"), ([], "array"), ({}, "object")],
)
def test_kinds_have_their_json_names(value, kind):
    """A boolean is no number."""
    assert jsonvalue.kind_of(value) == kind


def test_the_place_of_a_key_is_found_in_any_spelling():
    """Line and column count from 1; strings that look like keys are none."""
    document = {"other": {"3": {}}, "mocks": {"1": {"3": {}, "text": '"3": {'}, "2": [{"3": 0}], "3": {}}}
    for indent in (None, 2):
        text = json.dumps(document, indent=indent)
        line, column = jsonvalue.place_of(text, ("mocks", "3"))
        rest = text.split("\n")[line - 1][column - 1 :]
        assert rest.startswith('"3": {}')
        assert text.endswith(rest) or rest == '"3": {}'
    assert jsonvalue.place_of("{}", ("mocks", "3")) == (0, 0)


def test_what_is_kept_takes_no_more_memory_than_it_needs():
    """The serialiser's own bytes come in a buffer of a kilobyte or more."""
    tracemalloc.start()
    kept = [jsonvalue.trimmed(jsonvalue.dumps({"number": number})) for number in range(1000)]
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept[7] == b'{"number":7}'
    assert size < 200 * len(kept)
