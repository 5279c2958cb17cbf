from __future__ import annotations

import json
from copy import deepcopy

import pytest
from hypothesis import given

from aimyproxy import aimylogic
from aimyproxy.aimylogic import Effect, effect_of, effect_summary, identify, is_volatile, without_volatile
from aimyproxy.exchange import Body, Response
from tests import builders
from tests.strategies import objects

TELEGRAM_CALLBACK = {
    "update_id": 1,
    "callback_query": {
        "id": "27",
        "from": {"id": 635, "first_name": "Иван"},
        "message": {"message_id": 2, "chat": {"id": 635}, "date": 3, "text": "Размер?"},
        "chat_instance": "-6",
        "data": "size_l",
    },
}


def test_a_bots_request_has_an_event_and_a_conversation():
    """Both are read off the variables."""
    assert identify(builders.START) == (
        "start",
        ("telegram", "40112-pizza-tg1", "telegram-40112-pizza-635678009"),
    )


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        (None, (None, None)),
        ({}, (None, None)),
        ({"action": 5, "userId": "u"}, (None, None)),
        ({"action": "x"}, ("x", None)),
        ({"action": "x", "userId": True}, ("x", None)),
        ({"action": "x", "userId": "u"}, ("x", (None, None, "u"))),
        ({"action": "x", "userId": 7, "channelType": 1}, ("x", (None, None, "7"))),
        ({"action": "x", "userId": 7.0}, ("x", (None, None, "7"))),
        ({"action": "x", "userId": 7.5}, ("x", None)),
        ({"action": ""}, ("", None)),
    ],
)
def test_half_a_request_is_taken_as_far_as_it_goes(variables, expected):
    """No `action`, no event; no `userId`, no conversation."""
    assert identify(variables) == expected


@given(objects)
def test_an_echo_has_no_effect(variables):
    """A response that repeats its request sets nothing."""
    asked = builders.request(variables)
    effect = effect_of(asked, builders.response(variables))
    assert effect == Effect("variables", {})
    assert effect.empty
    assert effect_summary(asked, builders.response(variables)) == "="


@given(objects, objects)
def test_an_effect_makes_the_bots_variables_what_the_response_would(before, after):
    """Merging the effect or merging the whole response leaves the bot with the same variables."""
    effect = effect_of(builders.request(before), builders.response(after)).value
    assert {**before, **effect} == {**before, **after}


def test_effects_of_other_answers():
    """No response and no object are kinds of their own."""
    asked = builders.request()
    assert effect_of(asked, None) == Effect("none", None)
    page = Response(500, (), Body.of(b"<h1>Oops</h1>"))
    assert effect_of(asked, page) == Effect("body", "<h1>Oops</h1>")
    assert effect_summary(asked, page) == "(no object)"
    assert effect_summary(asked, None) == ""
    assert not effect_of(asked, page).same_as(effect_of(asked, None))
    assert effect_of(asked, page).same_as(effect_of(builders.request(name="Пётр"), page))


def test_the_summary_names_what_is_new_and_what_changed():
    """Inside objects the changed member is named."""
    asked = builders.request(order={"total": 1, "items": [], "old": 1}, name="Иван")
    answered = builders.response({"name": "Пётр", "order": {"total": 2, "items": [], "tip": 1}, "phone": "7"})
    assert effect_summary(asked, answered) == "~name -order.old ~order.total +order.tip +phone"
    many = builders.response({f"v{index}": index for index in range(9)})
    assert effect_summary(asked, many) == "+v0 +v1 +v2 +v3 +v4 +v5 …3 more"


def test_what_is_volatile_is_left_out():
    """Ids and dates of the channel go, what the user did stays."""
    variables = {
        "action": "choose",
        "channelType": "telegram",
        "lastSeen": 7,
        "date": "2026-11-22",
        "httpResponse": {"timestamp": 1, "rate": 90, "list": [{"date": 1, "id": 2}]},
        "rawRequest": TELEGRAM_CALLBACK,
    }
    original = deepcopy(variables)
    assert without_volatile(variables) == {
        "action": "choose",
        "channelType": "telegram",
        "date": "2026-11-22",
        "httpResponse": {"rate": 90, "list": [{"id": 2}]},
        "rawRequest": {
            "callback_query": {
                "from": {"id": 635, "first_name": "Иван"},
                "message": {"chat": {"id": 635}, "text": "Размер?"},
                "data": "size_l",
            }
        },
    }
    assert variables == original


@pytest.mark.parametrize(
    ("path", "channel", "expected"),
    [
        (("lastSeen",), "telegram", True),
        (("rawRequest", "message", "message_id"), "telegram", True),
        (("rawRequest", "message", "from", "id"), "telegram", False),
        (("rawRequest", "callback_query", "id"), "telegram", True),
        (("rawRequest", "session", "message_id"), "yandex", True),
        (("rawRequest", "state", "session", "x"), "yandex", True),
        (("rawRequest", "request", "command"), "yandex", False),
        (("rawRequest", "object", "message", "id"), "vk", True),
        (("rawRequest", "data", "resourcePath"), "resterisk", True),
        (("rawRequest", "utterances", 0, "requestId"), "resterisk", True),
        (("rawRequest", "x", "timestamp"), "max", True),
        (("rawRequest", "x", "timestamp"), None, True),
        (("rawRequest", "text"), "max", False),
        (("httpResponse", "timestamp"), "telegram", True),
        (("httpResponse", "rate"), "telegram", False),
        (("timestamp",), "telegram", False),
        ((), "telegram", False),
    ],
)
def test_single_paths_are_judged_alike(path, channel, expected):
    """The judgement on one path and the pruning of all agree."""
    assert is_volatile(path, channel) is expected


def test_judging_and_pruning_agree_on_every_path():
    """A leaf survives the pruning exactly if its path is not volatile."""

    def leaves(value, path=()):
        if isinstance(value, dict | list):
            items = value.items() if isinstance(value, dict) else enumerate(value)
            for key, member in items:
                yield from leaves(member, (*path, key))
        else:
            yield path

    variables = {"channelType": "telegram", "lastSeen": 1, "rawRequest": TELEGRAM_CALLBACK, "name": "Иван"}
    kept = set(leaves(without_volatile(variables)))
    assert kept == {path for path in leaves(variables) if not is_volatile(path, "telegram")}
    assert len(kept) < len(set(leaves(variables)))


def test_the_systems_variables_are_known():
    """They are what FACTS of the protocol list, and no author's."""
    assert {"action", "queryText", "userId", "rawRequest"} <= aimylogic.SYSTEM_VARIABLES
    assert "name" not in aimylogic.SYSTEM_VARIABLES
    assert json.dumps(sorted(aimylogic.VOLATILE_VARIABLES)) == '["lastSeen"]'
