"""What record and replay say of an exchange, and how loud."""

from __future__ import annotations

import json

import pytest

from aimyproxy.cli import output, record_screen, replay_screen
from aimyproxy.exchange import Failure
from aimyproxy.store.recording import Recording
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


LONG = "Заказ\n\x1b[2J\x9b31m\u202e" + "x" * 3000 + "!"


@pytest.fixture
def talkative(root):
    """A recording of a bot that says much: a long event, channel, userId, variable and failure, with controls."""
    recording = Recording.create(root / "talk", "https://hook.example.com/")
    names = {"userId": LONG, "channelType": LONG, "action": LONG, LONG: 1}
    asked = builders.request(**names)
    exchange = builders.exchange(asked, builders.response({LONG: {LONG: 2}}))
    recording.append(exchange)
    recording.append(builders.exchange(asked, failure=Failure("protocol", LONG)))
    recording.close()
    return recording


def harmless(text):
    return all(character.isprintable() for character in text.replace("\n", ""))


@pytest.mark.parametrize(
    "arguments",
    [
        ["list"],
        ["show", "talk"],
        ["explain", "talk", "nothing"],
        ["diff", "talk", "talk", "--event", "x"],
    ],
)
def test_a_long_name_is_cut_for_a_terminal(aimyproxy, talkative, arguments):
    """At its beginning and its end one sees which it was; nothing in it moves the cursor."""
    _, out, err = aimyproxy(*arguments)
    assert harmless(out + err)
    assert all(len(line) < 900 for line in (out + err).splitlines())


@pytest.mark.parametrize("arguments", [["1"], ["1", "--json"], ["--json"]])
def test_what_is_shown_whole_is_harmless_too(aimyproxy, talkative, arguments):
    """As JSON it is the same value."""
    _, out, _ = aimyproxy("show", "talk", *arguments)
    assert harmless(out)
    if "--json" in arguments:
        [read, *_] = [json.loads(out)] if "1" in arguments else map(json.loads, out.splitlines())
        assert read["event"] == LONG


def test_live_lines_and_summaries_are_cut(talkative, capsys):
    """Of record and of replay."""
    screen = record_screen.Screen(talkative, slow=1)
    for identity, exchange in talkative:
        screen.recorded(identity, exchange)
    screen.trouble(f"The webhook said {LONG[:100]}.")
    screen.summary(2)
    told = capsys.readouterr().err
    assert "Заказ\\u000a\\u001b[2J\\u009b31m\\u202exxx" in told
    assert f"  Заказ\\u000a\\u…{'x' * 5}!  " in told
    assert harmless(told)
    assert all(len(line) < 900 for line in told.splitlines())
