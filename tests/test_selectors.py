from __future__ import annotations

import subprocess
import sys

import jsonpath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimyproxy import jsonvalue
from aimyproxy.errors import InvalidDocument
from aimyproxy.exchange import Body
from aimyproxy.selectors import Selector
from tests.strategies import values

ROOT = {"a": {"b": [10, {"c d": "x", "'": 1, '"': 2, "И": 3}]}, "имя": "Иван", "n": None}


@pytest.mark.parametrize(
    ("spelled", "steps", "selected"),
    [
        ("$", (), [ROOT]),
        ("$.a.b[0]", ("a", "b", 0), [10]),
        ("$.a.b[-1]['c d']", ("a", "b", -1, "c d"), ["x"]),
        ("$['a'][\"b\"][1]['\\'']", ("a", "b", 1, "'"), [1]),
        ("$.a.b[1]['\"']", ("a", "b", 1, '"'), [2]),
        ('$.a.b[1]["\\""]', ("a", "b", 1, '"'), [2]),
        ("$.a.b[1]['\\u0418']", ("a", "b", 1, "И"), [3]),
        ("$.имя", ("имя",), ["Иван"]),
        ("$.n", ("n",), [None]),
        ("$.a.b[2]", ("a", "b", 2), []),
        ("$.a.b[-3]", ("a", "b", -3), []),
        ("$.a[0]", ("a", 0), []),
        ("$.имя.length", ("имя", "length"), []),
        ("$.missing", ("missing",), []),
    ],
)
def test_a_path_to_one_place_leads_there_or_nowhere(spelled, steps, selected):
    """Singular paths are walked without any library."""
    selector = Selector.parse(spelled)
    assert selector.steps == steps
    assert selector.values(ROOT) == selected


@pytest.mark.parametrize(
    ("spelled", "selected"),
    [("$.a.b[*]['c d']", ["x"]), ("$..b[0]", [10]), ("$.a.b[?@ == 10]", [10]), ("$['имя', 'n']", ["Иван", None])],
)
def test_all_other_paths_follow_the_rfc(spelled, selected):
    """Wildcards, descendants, filters and unions select as many values as there are."""
    selector = Selector.parse(spelled)
    assert selector.steps is None
    assert selector.values(ROOT) == selected


@pytest.mark.parametrize("spelled", ["", "channelType", "$.", "$.a[", "$.a[?", "$ .a.", "$.a.b[01]", "$a", "$['a"])
def test_what_is_no_path_is_refused_by_name(spelled):
    """The error repeats the text, so that the user finds it."""
    with pytest.raises(InvalidDocument) as caught:
        Selector.parse(spelled)
    assert repr(spelled) in str(caught.value)


# The library knows no letters beyond the basic plane in a name without quotes.
KEYS = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cc", "Cs"]), max_size=5)


@given(st.lists(KEYS | st.integers(0, 3), max_size=4), values)
def test_paths_as_we_spell_them_lead_to_their_place(steps, value):
    """What `path_text` writes, `Selector` reads, and the library finds the same value there."""
    root = value
    for step in reversed(steps):
        root = {step: root} if isinstance(step, str) else [None] * step + [root]
    spelled = jsonvalue.path_text(tuple(steps))
    selector = Selector.parse(spelled)
    assert selector.values(root) == [value]
    if not isinstance(root, str):
        # A text it takes for the spelling of a value.
        assert jsonpath.compile(spelled, strict=True).findall(root) == [value]


@pytest.mark.parametrize("root", ["{", "[1]", '{"a": 1}', "text", 1, None])
def test_nothing_is_inside_a_scalar(root):
    """Not in a text either, whatever it looks like."""
    for spelled in ("$..a", "$[*]", "$..*", "$[?@.a]"):
        assert Selector.parse(spelled).values(root) == []
    assert Selector.parse("$").values(root) == [root]


def test_the_library_is_imported_only_for_paths_that_need_it():
    """It takes a tenth of a second."""
    code = (
        "import sys; from aimyproxy.selectors import Selector; Selector.parse('$.a.b[0]');"
        "assert 'jsonpath' not in sys.modules; Selector.parse('$..a'); assert 'jsonpath' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("spelled", ["$..a", "$..[?@.a == 1]", "$..[*]"])
def test_bodies_may_be_as_deep_as_bodies_get(spelled):
    """What is nested deeper is a text."""
    deep = Body.of(b'{"a":' * 240 + b"1" + b"}" * 240)
    assert deep.kind == "json"
    assert len(Selector.parse(spelled).values(deep.value)) == (1 if "?" in spelled else 240)
    assert len(Selector.parse(spelled).places(deep.value)) == (1 if "?" in spelled else 240)
