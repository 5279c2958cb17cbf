from __future__ import annotations

import pytest

from aimyproxy.answering.features import ANSWER, OCCURRENCE, PREVIOUS, Situation, words

LENGTH = "\0length"


def situation(variables, occurrence=1, previous=None):
    return Situation(variables, occurrence, previous)


def test_the_authors_own_variables_come_first():
    """Then the intent and the channel, then the conversation's state, then the ids, then the channel's request."""
    found = situation(
        {
            "rawRequest": {"text": "hi"},
            "channelId": "b",
            "userId": "u",
            "channelType": "vk",
            "queryText": "q",
            "action": "e",
            "name": "Иван",
            "httpStatus": 200,
        },
        2,
        "menu",
    )
    assert list(found.values.items()) == [
        (("name",), "Иван"),
        (("queryText",), "q"),
        (("channelType",), "vk"),
        (OCCURRENCE, 2),
        (PREVIOUS, "menu"),
        (("userId",), "u"),
        (("channelId",), "b"),
        (("httpStatus",), 200),
        (("rawRequest", "text"), "hi"),
    ]


def test_what_is_volatile_decides_nothing():
    """Message ids and dates are left out, each channel's own."""
    message = {"message_id": 1, "date": 2, "text": "hi"}
    found = situation({"lastSeen": 5, "channelType": "telegram", "rawRequest": {"update_id": 3, "message": message}})
    paths = {path for path in found.values if path[0] in ("lastSeen", "rawRequest")}
    assert paths == {("rawRequest", "message", "text")}


def test_an_array_tells_its_length_its_first_elements_and_its_last():
    """So a long one is not a hundred features."""
    found = situation({"items": [{"sku": index} for index in range(7)], "none": []}).values
    assert {path: value for path, value in found.items() if path[0] in ("items", "none")} == {
        ("items", LENGTH): 7,
        **{("items", index, "sku"): index for index in range(4)},
        ("items", -1, "sku"): 6,
        ("none", LENGTH): 0,
    }


def test_features_are_bounded():
    """A huge request is looked at in part."""
    assert len(situation({f"v{index}": index for index in range(1000)}).values) <= 402


def test_a_path_leads_to_any_value():
    """Objects and arrays, too; where it leads nowhere, it says so."""
    found = situation({"order": {"items": [1, {"a": None}]}})
    assert found.at(("order", "items")) == [1, {"a": None}]
    assert found.at(("order", "items", -1, "a")) is None
    for path in (("no",), ("order", 0), ("order", "items", "a"), ("order", "items", 5), ("order", "items", 0, "x")):
        with pytest.raises((KeyError, IndexError)):
            found.at(path)


def test_containers_are_the_authors_objects_and_arrays():
    """Outer before inner; what is inside an array is not looked for."""
    variables = {"action": "e", "rawRequest": {"a": {}}, "order": {"items": [{"sku": 1}], "to": {"city": "x"}}, "n": 1}
    assert list(situation(variables).containers()) == [
        (("order",), variables["order"]),
        (("order", "items"), [{"sku": 1}]),
        (("order", "to"), {"city": "x"}),
    ]


def test_paths_are_told_in_words():
    """As people would write them."""
    assert words(("order", "items", 0, "qty")) == "order.items[0].qty"
    assert words(OCCURRENCE) == "how often the user was here"
    assert words(PREVIOUS) == "the event before"
    assert words((ANSWER, "sum")) == "the answer's sum"
    assert words(("order", "items", LENGTH)) == "the number of order.items"


def test_any_number_of_different_paths_is_fine():
    """What is remembered of paths is forgotten where it gets too much."""
    for number in range(120):
        names = [f"{number}-{index}" for index in range(200)]
        found = situation({"data": dict.fromkeys(names, "here"), "channelType": "vk"})
        assert [path for path, value in found.values.items() if value == "here"] == [("data", name) for name in names]


def test_a_widened_situation_has_more_values():
    """Again and again; the one that it comes from stays as it was."""
    first = situation({"name": "Иван"}, 2, "menu")
    wider = first.widened({(ANSWER, "sum"): 3}).widened({(ANSWER, "text"): "3 ₽"})
    assert wider.values == {**first.values, (ANSWER, "sum"): 3, (ANSWER, "text"): "3 ₽"}
    assert (ANSWER, "sum") not in first.values
