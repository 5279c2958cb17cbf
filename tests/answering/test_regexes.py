from __future__ import annotations

import time
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aimyproxy.answering.regexes import LONGEST_SUBJECT, compiled
from aimyproxy.errors import InvalidDocument

GOOD = (
    r"(?i)привет|здравствуй",
    r"^\s*(\d+)\s*(руб|₽)?\s*$",
    r".*foo.*bar",
    r"(\w+\s+)*$",
    r"(\s?\d)+",
    r"(да|нет|может быть)+",
    r"^(\d{1,3}\.){3}\d{1,3}$",
    r"[\w.+-]+@[\w-]+\.[\w.]+",
    r"\d+(,\d+)*",
    r"((?>a+))+b",
    r"(a++)+b",
    r"(?=a)(?!b)\ba\b(a)\1",
    r"(a)?(?(1)b|c)",
    "",
)
CATASTROPHIC = (
    r"(a+)+$",
    r"(a|a)*$",
    r"(a|ab)*c",
    r"(foo|foofoo)+$",
    r"(\w+\s*)*$",
    r"(a*)*$",
    r"(a?b?)*c",
    r"(x+x+)+y",
    r".*.*.*x",
    r"(a{1,10}){1,10}b",
    r"(?=(a+)+b)",
    r"(?i)([a-z]+[A-Z]+)+1",
    r"^(([a-z])+.)+[A-Z]([a-z])+$",
    r"(.*a){20}",
)


@pytest.mark.parametrize("source", GOOD)
def test_what_people_write_is_accepted(source):
    """Repeats of which each text has one reading."""
    assert compiled(source).pattern == source


@pytest.mark.parametrize("source", CATASTROPHIC)
def test_what_could_take_for_ever_is_refused(source):
    """Before a user's message finds it out."""
    with pytest.raises(InvalidDocument, match="could take for ever"):
        compiled(source)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("[", "no regular expression: unterminated character set at character 1"),
        ("a" * 1001, "at most 1000 characters"),
        ("a{99999999999}", "too complex|no regular"),
    ],
)
def test_what_is_none_is_refused(source, said):
    """With the place, where there is one."""
    with pytest.raises(InvalidDocument, match=said):
        compiled(source)


PARTS = st.sampled_from(["a", "b", "ab", ".", r"\w", r"\d", "[ab]", "[^a]", " ", "x", "^", "$", r"\b"])
REGEXES = st.recursive(
    PARTS,
    lambda inner: st.one_of(
        st.builds("{}{}".format, inner, inner),
        st.builds("(?:{}|{})".format, inner, inner),
        st.builds("(?:{}){}".format, inner, st.sampled_from(["*", "+", "?", "{2}", "{1,3}", "*?"])),
    ),
    max_leaves=6,
)


@given(REGEXES, st.text("abx 1", min_size=1, max_size=3))
def test_what_is_accepted_is_done_in_time(source, pump):
    """Whatever the text; a look at a third of the longest, so that the worst that is allowed takes a moment."""
    try:
        pattern = compiled(source)
    except InvalidDocument:
        return
    begun = time.thread_time()
    pattern.search((pump * LONGEST_SUBJECT)[: LONGEST_SUBJECT // 3] + "\0")
    assert time.thread_time() - begun < 1


@example("(" * 300 + "a" + ")*" * 300)
@given(st.text("ab(|)*+?{}[]^$\\d.,1<>=!:P-", max_size=20))
def test_any_text_is_compiled_or_refused(source):
    """Nothing else is raised."""
    with suppress(InvalidDocument):
        compiled(source)
