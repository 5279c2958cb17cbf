"""What record and replay say of an exchange, and how loud."""

from __future__ import annotations

import json

import pytest

from aimyproxy.cli import output, record_screen, replay_screen
from aimyproxy.exchange import Failure
from tests import builders


@pytest.fixture
def said(capsys):
    """What was said since the last call, as log collectors read it."""
    output.spell_lines("json")
    yield lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    output.spell_lines("text")


def test_what_is_lost_is_an_error_and_what_waits_a_warning(said, shop):
    """Whatever the webhook answered."""
    fine, failed = builders.exchange(), builders.exchange(failure=Failure("timeout", "no answer"))
    screen = record_screen.Screen(shop, slow=1)
    screen.recorded(1, fine)
    screen.held(1, fine)
    screen.lost(1, fine)
    screen.recorded(2, failed)
    screen.held(2, failed)
    levels = [(one["recorded"], one["id"], one["level"]) for one in said()]
    assert levels == [
        ("recorded", 1, "info"),
        ("held", None, "warning"),
        ("lost", None, "error"),
        ("recorded", 2, "error"),
        ("held", None, "error"),
    ]


@pytest.mark.parametrize(("quiet", "levels"), [(False, ["info", "warning", "error"]), (True, ["error"])])
def test_replay_tells_of_what_it_forwarded_alike(said, quiet, levels):
    """That something is lost even where it shall be quiet."""
    screen = replay_screen.Screen("shop", quiet=quiet)
    screen.recorded(1, builders.exchange())
    screen.held(1, builders.exchange())
    screen.lost(1, builders.exchange())
    assert [one["level"] for one in said()] == levels
