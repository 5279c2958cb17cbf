"""What the bot asks and the webhook answers: pairs of some 400 bytes each, no two requests alike.

Users of five screens each, in several channels' shapes. Of the answers, some are the same for all, some follow from the
request, and some (an order's number) are the user's own, so that a replay that serves the wrong one is found out.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

MOST_ASKED = 5_000
"""How many different recorded requests a load consists of at most."""

HEADERS = (("content-type", "application/json; charset=utf-8"), ("user-agent", "bot"))
WEBHOOK_ANSWER = json.dumps({"text": "Спасибо, заказ принят.", "visits": 3, "total": 1180.5}, ensure_ascii=False)
"""What the fast webhook behind a recording proxy answers, always."""

_SCREENS = ("start", "menu", "choose", "order", "pay")
_NAMES = ("Иван", "Анна", "Пётр", "Ольга", "Яна", "Олег", "Мария", "Лев")
_PIZZAS = {"Маргарита": 490, "Пепперони": 590, "Четыре сыра": 650}


@dataclass(frozen=True)
class Pair:
    """A request's and its answer's variables; what stands in the recordings of all subjects."""

    asked: dict[str, Any]
    answered: dict[str, Any]

    @property
    def request(self) -> bytes:
        return json.dumps(self.asked, ensure_ascii=False, separators=(",", ":")).encode()

    @property
    def response(self) -> bytes:
        return json.dumps(self.answered, ensure_ascii=False, separators=(",", ":")).encode()

    @property
    def learnable(self) -> dict[str, Any]:
        """What of the answer follows from the request."""
        return {name: value for name, value in self.answered.items() if name != "orderNumber"}

    def answers(self, status: int, body: bytes) -> bool:
        """Whether this is the recorded answer, be it the bare one or echoing its request besides."""
        try:
            found = json.loads(body)
        except ValueError:
            return False
        return status == 200 and isinstance(found, dict) and found.items() >= self.answered.items()


def pairs(count: int, first: int = 0) -> list[Pair]:
    """So many pairs, from the `first`-th on; always the same ones."""
    return [pair(number) for number in range(first, first + count)]


def pair(number: int) -> Pair:
    user, step = divmod(number, len(_SCREENS))
    event, person = _SCREENS[step], 600_000_000 + user
    name = _NAMES[user % len(_NAMES)]
    pizza, price = list(_PIZZAS.items())[user % len(_PIZZAS)]
    quantity = user % 4 + 1
    asked = {
        "action": event,
        "queryText": f"Хочу {pizza}",
        "userId": f"telegram-40112-pizza-{person}",
        "channelId": "40112-pizza-tg1",
        "channelType": "telegram",
        "name": name,
        "pizza": pizza,
        "qty": quantity,
        "lastSeen": number % 97,
        "rawRequest": {
            "update_id": 817_000_000 + number,
            "message": {
                "message_id": 1_000 + number,
                "from": {"id": person, "first_name": name},
                "chat": {"id": person, "type": "private"},
                "date": 1_719_830_400 + 7 * number,
            },
        },
    }
    return Pair(asked, _answer(event, name, price, quantity, user))


def _answer(event: str, name: str, price: int, quantity: int, user: int) -> dict[str, Any]:
    return {
        "start": {"greeting": f"Привет, {name}!", "visits": 1},
        "menu": {"text": "Выбирайте.", "menu": [{"name": pizza, "price": cost} for pizza, cost in _PIZZAS.items()]},
        "choose": {"price": price, "total": price * quantity},
        "order": {"text": f"{name}, заказ принят.", "orderNumber": 100_000 + (user * 7919) % 899_981},
        "pay": {"paid": True, "text": "Оплачено."},
    }[event]


def asked_of(recorded: Sequence[Pair]) -> list[Pair]:
    """The pairs whose requests the load sends: all, or as many as there may be, from all over the recording."""
    return random.Random(1).sample(recorded, min(len(recorded), MOST_ASKED))


def write_requests(path: Path, asked: Sequence[Pair]) -> Path:
    """A file with one request body a line."""
    path.write_bytes(b"".join(one.request + b"\n" for one in asked))
    return path
