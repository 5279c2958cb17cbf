"""Kinds of webhook behaviour, each a small webhook in the manner of real ones, and the conversations that meet it.

A webhook is a function of the received variables and of what it remembers of the user; it returns the object to
answer, or a (status, body) pair. A kind says which of the requests asked later can be known from the recording.
"""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

Variables: TypeAlias = dict[str, Any]
Memory: TypeAlias = dict[str, Any]

NAMES = [
    *("Иван", "Анна", "Пётр", "Ольга", "Дмитрий", "Елена", "Сергей", "Наталья", "Мария", "Олег", "Татьяна", "Виктор"),
    *("Полина", "Глеб", "Яна", "Роман", "Зоя", "Лев", "Инна", "Марк"),
]
CITIES = {"Омск": 3, "Тверь": 5, "Казань": 2, "Пермь": 7}
SIZES = {"S": 1, "M": 2, "L": 3}
CHANNELS = ["telegram", "vk", "chatwidget", "yandex"]
INTENTS = {"Сколько стоит?": "price", "Где вы?": "address", "Позовите человека": "operator"}


@dataclass(frozen=True)
class Kind:
    """A behaviour: its webhook, the screens of a conversation (event and own variables set there), what is known.

    `knowable(asked, seen)` tells whether the answer to these variables can be known from a recording in which the
    `seen` variables were asked. `noise` names variables that a webhook answers differently each time. No two kinds
    have an event in common, so that one bot may meet them all.
    """

    name: str
    webhook: Callable[[Variables, Memory], Any]
    screens: Callable[[random.Random], list[tuple[str, Variables]]]
    knowable: Callable[[Variables, list[Variables]], bool] = lambda asked, seen: True
    noise: tuple[str, ...] = ()


def person(chance: random.Random) -> Variables:
    return {
        "name": chance.choice(NAMES),
        "phone": f"+7999{chance.randrange(10**7):07}",
        "age": chance.randrange(18, 80),
    }


def once(
    event: str, make: Callable[[random.Random], Variables]
) -> Callable[[random.Random], list[tuple[str, Variables]]]:
    return lambda chance: [(event, {**person(chance), **make(chance)})]


def seen_before(*names: str) -> Callable[[Variables, list[Variables]], bool]:
    """Known only if these variables had the same values before, together."""
    return lambda asked, seen: any(all(asked.get(name) == other.get(name) for name in names) for other in seen)


def constants(variables: Variables, _: Memory) -> Any:
    return {**variables, "hours": "10–22", "open": True, "menu": ["пицца", "чай"]}


def delta(_: Variables, __: Memory) -> Any:
    return {"step": 2, "next": "size"}


def one_text(variables: Variables, _: Memory) -> Any:
    return {**variables, "greeting": f"Привет, {variables['name']}!"}


def many_texts(variables: Variables, _: Memory) -> Any:
    return {**variables, "text": f"{variables['name']}, вам {variables['age']}? Позвоним: {variables['phone']}."}


def nested_text(variables: Variables, _: Memory) -> Any:
    card = {
        "title": "Ваши данные",
        "rows": [f"Имя: {variables['name']}", {"label": "Телефон", "value": variables["phone"]}],
    }
    return {"cards": [card], "count": 1}


def moved(variables: Variables, _: Memory) -> Any:
    return {"data": {"customer": {"name": variables["name"], "age": variables["age"]}, "source": "bot"}}


def table(variables: Variables, _: Memory) -> Any:
    return {
        **variables,
        "days": CITIES[variables["city"]],
        "text": f"В {variables['city']} за {CITIES[variables['city']]} дн.",
    }


def two_tables(variables: Variables, _: Memory) -> Any:
    return {**variables, "price": 100 * SIZES[variables["size"]] + (50 if variables["crust"] == "thick" else 7)}


def by_channel(variables: Variables, _: Memory) -> Any:
    buttons = variables["channelType"] in ("telegram", "vk")
    return {**variables, "ui": "buttons" if buttons else "text", "hint": "Нажмите" if buttons else "Скажите"}


def by_intent(variables: Variables, _: Memory) -> Any:
    intent = INTENTS.get(variables["queryText"])
    return {**variables, "intent": intent or "unknown"}


def counter(variables: Variables, memory: Memory) -> Any:
    memory["visits"] = memory.get("visits", 0) + 1
    texts = {1: "Добро пожаловать!", 2: "С возвращением!"}
    return {"visits": memory["visits"], "text": texts.get(memory["visits"], "Вы наш постоянный гость")}


def growing(variables: Variables, _: Memory) -> Any:
    order = variables.get("order") or {"items": [], "count": 0}
    items = [*order["items"], {"sku": variables["sku"], "qty": variables["qty"]}]
    return {**variables, "order": {"items": items, "count": len(items)}}


def echo_that_grows(variables: Variables, _: Memory) -> Any:
    answered = dict(variables)
    answered[f"done_{variables['action']}"] = True
    answered["last"] = variables["action"]
    return answered


def noisy(variables: Variables, _: Memory) -> Any:
    noise = {"requestId": str(uuid.uuid4()), "stamp": random.randrange(10**12), "at": datetime.now(UTC).isoformat()}
    return {**variables, **noise, "status": "accepted"}


def errors(variables: Variables, _: Memory) -> Any:
    if variables["qty"] > 5:
        return 422, {"error": "too many"}
    return {**variables, "accepted": True}


def arithmetic(variables: Variables, _: Memory) -> Any:
    return {**variables, "sum": variables["qty"] * variables["price"]}


def no_object(_: Variables, __: Memory) -> Any:
    return 200, ["a", {"b": 1}]


def text_answer(variables: Variables, _: Memory) -> Any:
    return 200, f"OK, {variables['name']}"


def visits(event: str) -> Callable[[random.Random], list[tuple[str, Variables]]]:
    return lambda chance: [(event, person(chance))] + [(event, {})] * chance.randrange(1, 5)


def order_screens(chance: random.Random) -> list[tuple[str, Variables]]:
    skus = ["P-1", "P-2", "P-7", "D-3"]
    return [
        ("add", {**person(chance), "sku": chance.choice(skus), "qty": chance.randrange(1, 5)})
        for _ in range(chance.randrange(1, 4))
    ]


def walk(chance: random.Random) -> list[tuple[str, Variables]]:
    events = ["start", "menu", "order", "bye"]
    chance.shuffle(events)
    return [(event, person(chance) if index == 0 else {}) for index, event in enumerate(events)]


KINDS = [
    Kind("echo with constants", constants, once("hours", lambda _: {})),
    Kind("delta only", delta, once("next", lambda _: {})),
    Kind("text from one variable", one_text, once("greet", lambda _: {})),
    Kind("text from several variables", many_texts, once("confirm", lambda _: {})),
    Kind("variables inside a nested list", nested_text, once("card", lambda _: {})),
    Kind("variables moved and renamed", moved, once("profile", lambda _: {})),
    Kind(
        "table by one variable",
        table,
        once("delivery", lambda c: {"city": c.choice(sorted(CITIES))}),
        seen_before("city"),
    ),
    Kind(
        "table by two variables",
        two_tables,
        once("price", lambda c: {"size": c.choice(sorted(SIZES)), "crust": c.choice(["thin", "thick"])}),
        seen_before("size", "crust"),
    ),
    Kind("depends on the channel", by_channel, once("ui", lambda _: {}), seen_before("channelType")),
    Kind(
        "intent in queryText",
        by_intent,
        once("ask", lambda c: {"queryText": c.choice(sorted(INTENTS))}),
        seen_before("queryText"),
    ),
    Kind("counter per user", counter, visits("visit")),
    Kind("order that accumulates", growing, order_screens),
    Kind("echo that grows", echo_that_grows, walk),
    Kind("noise beside stable fields", noisy, once("submit", lambda _: {}), noise=("requestId", "stamp", "at")),
    Kind("error for some inputs", errors, once("book", lambda c: {"qty": c.randrange(1, 9)}), seen_before("qty")),
    Kind(
        "arithmetic",
        arithmetic,
        once("sum", lambda c: {"qty": c.randrange(1, 4), "price": c.choice([100, 250, 990])}),
        seen_before("qty", "price"),
    ),
    Kind("no object", no_object, once("list", lambda _: {})),
    Kind("text answer", text_answer, once("ok", lambda _: {})),
    Kind(
        "arithmetic, values never seen",
        arithmetic,
        once("product", lambda c: {"qty": c.randrange(1, 40), "price": c.randrange(100, 999)}),
        seen_before("qty", "price"),
    ),
    Kind(
        "table, values never seen",
        lambda variables, _: {**variables, "code": hash_of(variables["city"])},
        once("code", lambda c: {"city": f"город {c.randrange(60)}"}),
        seen_before("city"),
    ),
]


def hash_of(text: str) -> int:
    return sum(map(ord, text)) * 7919 % 1000
