"""What bots do that the learner was not made for: constants that come back, ids inside words, tables in pairs."""

from __future__ import annotations

import pytest

from tests.answering.test_learned import NAMES, asked, of_webhook, replayed, served, variables


def person(number, **own):
    return asked(number, name=NAMES[number % len(NAMES)], **own)


def talk(number, count, webhook):
    """What a bot asks whose variables are all that it was answered."""
    held = {}
    for _ in range(count):
        one = asked(number, "e", **held)
        made = webhook(variables(one))
        yield one, made
        held |= made


def more(held):
    """Buttons that change at the third visit; the bot sends them along the next time."""
    count = held.get("n", 0) + 1
    return {"n": count, "buttons": ["Ещё", "Оформить"] if count < 3 else ["Оформить"]}


def test_what_the_webhook_said_first_is_not_the_users():
    """A bot sends back the buttons that it was sent: that makes no secret of them."""
    replay = replayed([pair for number in range(16) for pair in talk(number, 1 + number % 5, more)])
    for one, made in talk(500, 4, more):
        assert served(replay, one) == ("learned", made)


def test_what_users_said_first_stays_theirs():
    """The webhook tells one of them what he said on another screen, which no request of this one holds."""

    def secret(number):
        return f"шифр-{number * 7919}"

    pairs = []
    for number in range(12):
        pairs.append((asked(number, "tell", said=secret(number)), {"ok": True}))
        pairs.append((asked(number, "ask"), {"said": secret(number), "for": "everybody"}))
    _, answer = served(replayed(pairs), asked(500, "ask"))
    assert "said" not in answer
    assert answer["for"] == "everybody"


def link(held):
    return {"link": f"https://vk.com/id{held['vk']}?ref=bot{held['vk']}x"}


def test_a_long_number_is_found_where_letters_stick_to_it():
    """In front of it and behind."""
    replay = of_webhook(link, [person(number, vk=12_345_678 + number * 7919) for number in range(12)])
    assert served(replay, person(500, vk=99_999_999)) == ("learned", link({"vk": 99_999_999}))


def test_a_number_is_not_found_inside_a_longer_one():
    """Nor a word inside a word."""

    def around(held):
        return {"code": f"1{held['vk']}0", "word": f"{held['name']}ович"}

    replay = of_webhook(around, [person(number, vk=12_345 + number * 7919) for number in range(12)])
    step, answer = served(replay, person(500, vk=99_999))
    assert step == "guess"
    assert answer != around({"vk": 99_999, "name": NAMES[0]})


@pytest.mark.parametrize("size", ["S", "M", "L"])
@pytest.mark.parametrize("lang", ["ru", "en"])
def test_a_text_by_two_tables_is_a_text_for_each_pair(lang, size):
    """Also where the values that decide take turns in the recording."""

    def webhook(held):
        hello = {"ru": "Здравствуйте", "en": "Hello"}[held["lang"]]
        return {"msg": f"{hello}, {held['name']}! {held['size']}: {held['price']} ₽"}

    recorded = [
        person(number, lang=["ru", "en"][number % 2], size="SML"[number // 2 % 3], price=400 + number * 7)
        for number in range(48)
    ]
    new = asked(500, name="Зина", lang=lang, size=size, price=999)
    assert served(of_webhook(webhook, recorded), new) == ("learned", webhook(variables(new)))


def test_an_objects_members_are_learned_though_a_table_has_it_whole():
    """A price by the article, the rest copied: what was never ordered so many times is known all the same."""
    prices = {"P-1": 450, "P-2": 520, "P-7": 490}

    def webhook(held):
        return {"item": {"sku": held["sku"], "qty": held["qty"], "price": prices[held["sku"]]}}

    recorded = [person(number, sku=list(prices)[number % 3], qty=1 + number // 3 % 4) for number in range(36)]
    new = person(500, sku="P-7", qty=8)
    assert served(of_webhook(webhook, recorded), new) == ("learned", webhook(variables(new)))


@pytest.mark.parametrize("mark", ["\0", "\0\0", "{}", "\ud800"])
def test_no_character_of_a_text_is_taken_for_a_hole(mark):
    """Whatever stands beside the values of the request."""

    def webhook(held):
        return {"text": f"{mark} {held['name']}{mark} {held['age']}"}

    replay = of_webhook(webhook, [person(number, age=20 + number) for number in range(12)])
    new = asked(500, name="Зина", age=71)
    assert served(replay, new) == ("learned", webhook(variables(new)))
