"""The shop's handlers, and what version 2 changes."""

from __future__ import annotations

import copy
import threading
from typing import TYPE_CHECKING, Any

import pytest

from aimyproxy import aimylogic
from aimyproxy.demo import shop
from aimyproxy.demo.shop import Shop
from tests import builders

if TYPE_CHECKING:
    from aimyproxy.exchange import Exchange


def ask(server: Shop, event: str, **variables: Any) -> Any:
    return server.answer({"action": event, "userId": "u1", "name": "Иван", **variables})


def changed(server: Shop, exchange: Exchange) -> dict[str, Any]:
    """The effect that the exchange's request has when this shop answers it."""
    answer = builders.response(server.answer(copy.deepcopy(exchange.request.body.variables())))
    effect: dict[str, Any] = aimylogic.effect_of(exchange.request, answer).value
    return effect


def differing(one: Shop, other: Shop, exchanges: list[Exchange]) -> set[tuple[str, str]]:
    """Events and variables of which two shops' effects on the same requests differ."""
    found = set()
    for exchange in exchanges:
        before, after = changed(one, exchange), changed(other, exchange)
        names = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
        found |= {(exchange.event or "", name) for name in names}
    return found


def test_echoes_everything() -> None:
    """The received object comes back whole, with `action` and `rawRequest`."""
    received = {**builders.START, "мояПеременная": [1, {"a": None}]}
    answer = Shop().answer(copy.deepcopy(received))
    assert {name: answer[name] for name in received} == received


@pytest.mark.parametrize("body", [[1, {"action": "start"}], "start", 5, None, True])
def test_echoes_what_is_no_object(body: Any) -> None:
    """A body that is no object comes back as it is."""
    assert Shop().answer(body) == body


def test_start_counts_visits_of_each_user() -> None:
    """The first visit and later ones are greeted differently; other users don't count."""
    server = Shop()
    first, second = ask(server, "start"), ask(server, "start")
    other = ask(server, "start", userId="u2", name="Анна")
    assert (first["visits"], first["greeting"]) == (1, "Привет, Иван!")
    assert (second["visits"], second["greeting"]) == (2, "С возвращением, Иван!")
    assert (other["visits"], other["greeting"]) == (1, "Привет, Анна!")


def test_start_greets_a_guest_without_a_name() -> None:
    """A missing name is no trouble."""
    assert Shop().answer({"action": "start"})["greeting"] == "Привет, гость!"


def test_menu_lists_the_prices() -> None:
    """The menu is an array of objects, with a text and a hint."""
    answer = ask(Shop(), "menu")
    assert answer["menu"][1] == {"pizza": "Пепперони", "price": 590}
    assert answer["text"] == "Иван, сегодня у нас Маргарита, Пепперони, Четыре сыра."
    assert answer["hint"]


@pytest.mark.parametrize("quantity", [2, "2"])
def test_choose_computes_the_total(quantity: Any) -> None:
    """The total is quantity × price; a bot's quantity may be a string."""
    answer = ask(Shop(), "choose", pizza="Маргарита", qty=quantity)
    assert (answer["price"], answer["total"], answer["text"]) == (490, 980, "2 × Маргарита: 980 ₽.")


def test_choose_refuses_unknown_pizza() -> None:
    """What is not on the menu has no price."""
    answer = ask(Shop(), "choose", pizza="Гавайская")
    assert answer["text"] == "Пиццы «Гавайская» у нас нет."
    assert "price" not in answer


def test_order_accumulates() -> None:
    """Each order adds to the cart; delivery is free from 1500 roubles on."""
    server = Shop()
    first = ask(server, "order", pizza="Маргарита", qty=2, total=980, адрес="Ленина, 5")
    second = ask(server, "order", pizza="Пепперони", qty=1, total=590)
    assert (first["order"]["total"], first["delivery"], first["toPay"]) == (980, 150, 1130)
    assert first["text"] == "Привезём по адресу: Ленина, 5. К оплате 1130 ₽."
    assert (second["order"]["total"], second["delivery"], second["toPay"]) == (1570, 0, 1570)
    assert [item["pizza"] for item in second["order"]["items"]] == ["Маргарита", "Пепперони"]
    assert len(first["order"]["items"]) == 1


def test_pay_empties_the_cart() -> None:
    """Paying gives a number once; an empty cart can't be paid."""
    server = Shop()
    ask(server, "order", total=500)
    paid, again = ask(server, "pay"), ask(server, "pay")
    assert (paid["paid"], paid["text"]) == (650, "Спасибо, Иван! Оплачено 650 ₽.")
    assert len(paid["orderNumber"]) == 12
    assert again["text"] == "В заказе пока ничего нет."
    assert "orderNumber" not in again


def test_order_numbers_never_repeat_unless_seeded() -> None:
    """Order numbers are random; a seed makes them the same in every run."""
    assert len({Shop().order_number() for _ in range(1000)}) == 1000
    assert Shop(seed=3).order_number() == Shop(seed=3).order_number()


def test_status_advances() -> None:
    """The order gets nearer with every question and stays at the door."""
    server = Shop()
    stages = [ask(server, "status", orderNumber="A1")["stage"] for _ in range(4)]
    assert stages == ["готовится", "уже в пути", "у вашей двери", "у вашей двери"]
    assert ask(server, "status")["text"] == "Заказов пока нет."
    assert ask(server, "status", orderNumber="A1")["text"] == "Заказ A1 у вашей двери."


def test_bye_and_the_unknown_get_a_text() -> None:
    """An unknown action gets an extra `text`, as from the official Python template."""
    assert ask(Shop(), "bye")["text"] == "До встречи, Иван!"
    assert ask(Shop(), "танцуй")["text"] == "Неизвестное действие: танцуй"
    assert Shop().answer({})["text"] == "Неизвестное действие: None"


def test_version_2_changes_what_is_known(exchanges: list[Exchange]) -> None:
    """Versions 1 and 2 differ in CHANGES, in all of them and in nothing else."""
    assert differing(Shop(1, seed=7), Shop(2, seed=7), exchanges) == shop.CHANGES


def test_a_version_differs_from_itself_by_chance_only(exchanges: list[Exchange]) -> None:
    """Without a seed, two shops of one version differ in RANDOM."""
    assert differing(Shop(1, seed=7), Shop(1, seed=7), exchanges) == set()
    assert differing(Shop(1), Shop(1), exchanges) == shop.RANDOM


def test_threads_share_one_shop() -> None:
    """Visits of one user that come at the same time are all counted."""
    server = Shop()
    threads = [
        threading.Thread(target=lambda: [ask(server, "start") for _ in range(200)], name=f"user {number}")
        for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ask(server, "start")["visits"] == 1601
