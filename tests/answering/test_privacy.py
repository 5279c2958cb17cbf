from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimyproxy.answering.features import Situation
from aimyproxy.answering.privacy import Owners, Privacy


def heard(*requests):
    """The situations of these requests (user and variables) and the privacy of their event."""
    owners = Owners()
    situations = [owners.heard(Situation({"action": "e", "userId": user, **own}, 1, None)) for user, own in requests]
    return situations, Privacy.of([(one, None) for one in situations], owners)


TWO = (("user-a", {"name": "Иван", "shop": "Тверь"}), ("user-b", {"name": "Анна", "shop": "Тверь"}))


def test_a_value_of_the_request_is_revealed():
    """As the text, in a text, at any depth, as a key."""
    (one, _), privacy = heard(*TWO)
    for value in ("Иван", "Привет, Иван!", ["x", {"a": "Иван"}], {"Иван": 1}):
        assert privacy.reveals([one], value)
    for value in ("Привет!", "Анна", None, True, 7, {"a": []}):
        assert not privacy.reveals([one], value)


def test_what_all_conversations_have_is_nobodys():
    """And what only one of them has at all is somebody's."""
    (one, _), privacy = heard(*TWO)
    assert not privacy.reveals([one], "Пицца в Тверь")
    (one, _), privacy = heard(("user-a", {"secret": "Тайна"}), ("user-b", {}))
    assert privacy.reveals([one], "Тайна")


def test_one_conversation_is_not_all():
    """However many requests it has."""
    situations, privacy = heard(*[("user-a", {"name": "Иван"})] * 3)
    assert privacy.reveals(situations, "Привет, Иван")


def test_what_others_were_answered_too_is_nobodys():
    """They had no such short value in their requests."""
    situations, privacy = heard(*TWO)
    assert not privacy.reveals(situations, "Иван и Анна")


def test_who_has_the_same_deciding_values_may_get_them():
    """The city that a table is looked up by."""
    (one, _), privacy = heard(("user-a", {"city": "Владивосток"}), ("user-b", {"city": "Омск"}))
    assert privacy.reveals([one], "В Владивосток за 9 дней")
    assert not privacy.reveals([one], "В Владивосток за 9 дней", [("city",)])


def test_another_conversations_number_is_revealed_whoever_got_it():
    """A webhook's leak is not passed on, though several got it."""
    requests = [("user-a", {"phone": "+79991234567"}), *((f"user-{name}", {}) for name in "bcd")]
    situations, privacy = heard(*requests)
    assert privacy.reveals(situations[1:2], "Последний: +79991234567")
    assert privacy.reveals(situations[1:], "Последний: +79991234567")
    assert privacy.reveals(situations[1:], {"id": ["x+79991234567x"]})


def test_a_word_that_a_webhook_tells_everybody_is_its_own():
    """One user happened to say it; told to one other only, it may be that user's."""
    situations, privacy = heard(("user-a", {"text": "маргарита"}), *((f"user-{name}", {}) for name in "bc"))
    assert not privacy.reveals(situations, "Меню: маргарита")
    assert privacy.reveals(situations[:2], "Меню: маргарита")


def test_what_was_answered_before_anyone_said_it_is_the_webhooks():
    """Nobody can have told it."""
    situations, privacy = heard(("user-a", {}), ("user-b", {"code": "код-77881"}))
    assert not privacy.reveals(situations[:1], "Ваш код-77881")


def test_what_two_conversations_say_is_no_single_ones():
    """Whoever of them got it, has it; and others got it by right."""
    situations, privacy = heard(*((f"user-{name}", {"code": "код-77881"}) for name in "ab"), ("user-c", {}))
    assert privacy.reveals(situations[:2], "код-77881")
    assert not privacy.reveals(situations[2:], "код-77881")


def test_a_conversation_of_its_owners_is_heard_across_events():
    """What they said in one is theirs in all."""
    owners = Owners()
    owners.heard(Situation({"action": "tell", "userId": "user-a", "code": "код-77881"}, 1, None))
    later = owners.heard(Situation({"action": "show", "userId": "user-a"}, 1, None))
    assert Privacy.of([(later, None)], owners).reveals([later], "код-77881")


@pytest.mark.parametrize("name", ["action", "channelType", "channelId", "httpStatus"])
def test_what_the_bot_is_is_nobodys(name):
    """Its channel and its events are no user's."""
    owners = Owners()
    one = owners.heard(Situation({name: "telegram-shop"}, 1, None))
    assert not Privacy.of([(one, None)], owners).reveals([one], "Это telegram-shop")


@pytest.mark.parametrize("value", ["", "да", 1, 99, 1234, 0.5, True, None])
def test_short_values_are_in_everything(value):
    """They say nothing about anybody."""
    (one, _), privacy = heard(("user-a", {"v": value}), ("user-b", {}))
    assert not privacy.reveals([one], ["", "да", 1, 99, 1234, 0.5, True, None])


def test_a_number_is_found_however_it_is_written():
    """As a number or in a text, `1234567.0` as `1234567`."""
    for held in (1234567, 1234567.0, "1234567"):
        (one, _), privacy = heard(("user-a", {"v": held}), ("user-b", {}))
        for value in (1234567, 1234567.0, "№ 1234567"):
            assert privacy.reveals([one], value)


@pytest.mark.parametrize("value", ['a"b\\c', "стр\nока", "\ud800лом", "🍕🍕🍕", 10**40])
def test_values_are_found_as_they_are_and_not_as_they_are_escaped(value):
    """Quotes, lines, half a surrogate, a huge integer; inside a container with them."""
    (one, _), privacy = heard(("user-a", {"v": value}), ("user-b", {}))
    assert privacy.reveals([one], {"a": ["\ud800", 10**40 + 1, f"<{value}>"]})


def test_what_lies_deep_and_what_is_volatile_is_somebodys_too():
    """More elements and members than features, and a channel's own state."""
    many = [{"sku": f"товар-{index}"} for index in range(900)]
    state = {"state": {"user": {"name": "Иннокентий"}}}
    own = {"items": many, "channelType": "yandex", "rawRequest": state}
    (one, _), privacy = heard(("user-a", own), ("user-b", {}))
    assert privacy.reveals([one], "товар-555")
    assert privacy.reveals([one], "Иннокентий")


@given(st.lists(st.text(min_size=6, max_size=9), min_size=2, max_size=6, unique=True), st.text(max_size=5), st.data())
def test_a_single_conversations_value_is_found_anywhere(codes, around, data):
    """At the beginning, in the midst, at the end of any text, in any later answer; unless others got the word, too."""
    situations, privacy = heard(*((f"user-{index}", {"code": code}) for index, code in enumerate(codes)))
    index = data.draw(st.integers(0, len(codes) - 1))
    for text in (codes[index], around + codes[index], codes[index] + around):
        assert privacy.reveals(situations[index : index + 1], text)
        assert privacy.reveals(situations[-1:], text)
