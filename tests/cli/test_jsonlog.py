from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimyproxy.cli import output
from aimyproxy.cli.jsonlog import spelled


@given(st.text(st.characters()), st.text(st.characters()))
def test_any_text_is_one_line_that_json_reads(text, value):
    """In UTF-8, with line breaks, controls and lone surrogates."""
    line = spelled(text, None, "note", {"value": value})
    assert "\n" not in line
    assert "\x1b" not in line
    read = json.loads(line.encode().decode())
    assert (read["message"], read["value"]) == (text.strip(), value)


@pytest.mark.parametrize(
    ("colour", "level"), [(None, "info"), ("green", "info"), ("yellow", "warning"), ("red", "error")]
)
def test_the_colour_for_people_is_the_level_for_programs(colour, level):
    """One that nobody knows is for information."""
    assert json.loads(spelled("text", colour, "note", {}))["level"] == level


def test_details_are_lines_for_people_and_a_member_for_programs(capsys):
    """And what is for programs is not even made for people."""

    def about():
        raise AssertionError("nobody asked")

    output.say("text", None, "note", about, ("  more", "  and more"))
    assert capsys.readouterr().err == "text\n  more\n  and more\n"
    output.spell_lines("json")
    try:
        output.say("text", None, "note", lambda: {"number": 1}, ("  more", "  and more"))
    finally:
        output.spell_lines("text")
    said = json.loads(capsys.readouterr().err)
    assert (said["number"], said["details"]) == (1, ["more", "and more"])
    assert not output.lines_are_json()
