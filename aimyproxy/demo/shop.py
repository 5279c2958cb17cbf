"""The pizza shop behind the sample webhook: what each event does to the bot's variables, in two versions."""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aimyproxy.jsonvalue import JSON

Variables: TypeAlias = "dict[str, JSON]"

DELIVERY: Final = 150
FREE_DELIVERY_FROM: Final = 1500
STAGES: Final = ("готовится", "уже в пути", "у вашей двери")


@dataclass(frozen=True, slots=True)
class Version:
    """What a release of the webhook can change. Prices are roubles; `hint` None is a variable not sent."""

    greeting: str
    prices: Mapping[str, int]
    hint: str | None
    delivery_variable: str
    bonus_percent: int


VERSIONS: Final[Mapping[int, Version]] = MappingProxyType(
    {
        1: Version(
            greeting="Привет, {name}!",
            prices={"Маргарита": 490, "Пепперони": 590, "Четыре сыра": 650},
            hint="Назовите пиццу и сколько штук.",
            delivery_variable="delivery",
            bonus_percent=0,
        ),
        2: Version(
            greeting="Здравствуйте, {name}!",
            prices={"Маргарита": 490, "Пепперони": 640, "Четыре сыра": 650},
            hint=None,
            delivery_variable="deliveryPrice",
            bonus_percent=5,
        ),
    }
)

CHANGES: Final = frozenset(
    {
        ("start", "greeting"),
        ("menu", "menu"),
        ("menu", "hint"),
        ("choose", "price"),
        ("choose", "total"),
        ("choose", "text"),
        ("order", "delivery"),
        ("order", "deliveryPrice"),
        ("pay", "bonus"),
    }
)
"""Every event and variable of which the effects of versions 1 and 2 differ for the same requests."""

RANDOM: Final = frozenset({("pay", "orderNumber")})
"""Every event and variable of which a version differs from itself."""


@dataclass(slots=True)
class Customer:
    """What the shop remembers of a user: how often they came, what is in the cart, how far the order got."""

    visits: int = 0
    cart: list[dict[str, JSON]] = field(default_factory=list)
    status_requests: int = 0

    @property
    def subtotal(self) -> int:
        """Roubles for what is in the cart, without delivery."""
        return sum(item["sum"] for item in self.cart)

    @property
    def delivery(self) -> int:
        """Roubles for bringing it."""
        return 0 if self.subtotal >= FREE_DELIVERY_FROM else DELIVERY


class Shop:
    """All customers of one running webhook; safe to use from several threads."""

    def __init__(self, version: int = 1, seed: int | None = None) -> None:
        self.version = VERSIONS[version]
        self._random = random.SystemRandom() if seed is None else random.Random(seed)
        self._customers: dict[str, Customer] = {}
        self._lock = threading.Lock()

    def answer(self, received: JSON) -> JSON:
        """The received object, changed by its event's handler; what is no object comes back as it is.

        Raises:
            Exception: whatever a handler trips over, a quantity that is no number for example.
        """
        if not isinstance(received, dict):
            return received
        handler = _HANDLERS.get(str(received.get("action")), _unknown)
        with self._lock:
            customer = self._customers.setdefault(str(received.get("userId")), Customer())
            handler(self, customer, received)
        return received

    def order_number(self) -> str:
        """Twelve hexadecimal digits that are not to be seen again."""
        return f"{self._random.getrandbits(48):012X}"


def _start(shop: Shop, customer: Customer, variables: Variables) -> None:
    customer.visits += 1
    variables["visits"] = customer.visits
    wording = shop.version.greeting if customer.visits == 1 else "С возвращением, {name}!"
    variables["greeting"] = wording.format(name=_name(variables))


def _menu(shop: Shop, _customer: Customer, variables: Variables) -> None:
    variables["menu"] = [{"pizza": pizza, "price": price} for pizza, price in shop.version.prices.items()]
    variables["text"] = f"{_name(variables)}, сегодня у нас {', '.join(shop.version.prices)}."
    if shop.version.hint:
        variables["hint"] = shop.version.hint


def _choose(shop: Shop, _customer: Customer, variables: Variables) -> None:
    pizza, quantity = variables.get("pizza"), int(variables.get("qty", 1))
    price = shop.version.prices.get(str(pizza))
    if price is None:
        variables["text"] = f"Пиццы «{pizza}» у нас нет."
        return
    variables["price"] = price
    variables["total"] = quantity * price
    variables["text"] = f"{quantity} × {pizza}: {quantity * price} ₽."


def _order(shop: Shop, customer: Customer, variables: Variables) -> None:
    # The sum is what the user saw when choosing, not today's price times the quantity.
    quantity, total = int(variables.get("qty", 1)), int(variables.get("total", 0))
    customer.cart.append({"pizza": variables.get("pizza"), "qty": quantity, "sum": total})
    variables["order"] = {"items": list(customer.cart), "total": customer.subtotal}
    variables[shop.version.delivery_variable] = customer.delivery
    variables["toPay"] = customer.subtotal + customer.delivery
    variables["text"] = f"Привезём по адресу: {variables.get('адрес', 'самовывоз')}. К оплате {variables['toPay']} ₽."


def _pay(shop: Shop, customer: Customer, variables: Variables) -> None:
    if not customer.cart:
        variables["text"] = "В заказе пока ничего нет."
        return
    variables["paid"] = customer.subtotal + customer.delivery
    variables["orderNumber"] = shop.order_number()
    variables["text"] = f"Спасибо, {_name(variables)}! Оплачено {variables['paid']} ₽."
    if shop.version.bonus_percent:
        variables["bonus"] = variables["paid"] * shop.version.bonus_percent // 100
    customer.cart.clear()
    customer.status_requests = 0


def _status(_shop: Shop, customer: Customer, variables: Variables) -> None:
    # The number is the bot's variable, as it would be for a webhook that keeps no orders of its own.
    if "orderNumber" not in variables:
        variables["text"] = "Заказов пока нет."
        return
    variables["stage"] = STAGES[min(customer.status_requests, len(STAGES) - 1)]
    variables["text"] = f"Заказ {variables['orderNumber']} {variables['stage']}."
    customer.status_requests += 1


def _bye(_shop: Shop, _customer: Customer, variables: Variables) -> None:
    variables["text"] = f"До встречи, {_name(variables)}!"


def _unknown(_shop: Shop, _customer: Customer, variables: Variables) -> None:
    # As the official Python template does; the Node one returns a plain echo.
    variables["text"] = f"Неизвестное действие: {variables.get('action')}"


def _name(variables: Variables) -> str:
    return str(variables.get("name") or "гость")


_HANDLERS: Final[Mapping[str, Callable[[Shop, Customer, Variables], None]]] = {
    "start": _start,
    "menu": _menu,
    "choose": _choose,
    "order": _order,
    "pay": _pay,
    "status": _status,
    "bye": _bye,
}
