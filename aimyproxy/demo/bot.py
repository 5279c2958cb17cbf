"""A simulated Aimylogic bot: users over five channels who walk through its screens and so call its webhook.

On entering a screen the bot POSTs all variables and `action`, waits, and takes over the variables that come back.
All of it follows from a seed; only the webhook adds chance.
"""

from __future__ import annotations

import http.client
import random
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from aimyproxy import aimylogic
from aimyproxy.demo.channels import BOT, CHANNELS, Channel, Message
from aimyproxy.errors import TargetError
from aimyproxy.exchange import Body, Exchange, Request, Response, Timing
from aimyproxy.store.recording import now

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from aimyproxy.jsonvalue import JSON

NAMES: Final = ("Иван", "Анна", "Пётр", "Ольга", "Дмитрий", "Елена", "Сергей", "Наталья")
NEW_NAMES: Final = ("Мария", "Олег", "Татьяна", "Виктор", "Полина")
PIZZAS: Final = ("Маргарита", "Пепперони", "Четыре сыра")
ADDRESSES: Final = ("Льва Толстого, 16", "Невский проспект, 28", "Ленина, 5к2")

TWINS: Final = 2 * len(CHANNELS)
"""So many of the first users come in pairs: same channel, name, screens and choices, but two people.

Where a webhook answers two twins differently, only chance can be the reason.
"""

JOURNEYS: Final = (
    ("start", "menu", "choose", "order", "pay", "bye"),
    ("start", "menu", "choose", "choose", "order", "choose", "order", "pay", "status", "status", "bye"),
    ("start", "choose", "order", "pay", "status", "start", "menu", "choose", "order", "pay", "status", "bye"),
    ("start", "menu", "menu", "feedback", "bye"),
    ("start", "status", "menu", "choose", "order", "choose", "pay", "feedback", "status", "status", "status"),
)
"""Orders of screens; each screen is named by its event. No webhook handles `feedback`."""

_SAID: Final[Mapping[str, str]] = {
    "menu": "Что у вас есть?",
    "order": "Закажи",
    "pay": "Оплатить",
    "status": "Где мой заказ?",
    "feedback": "Было очень вкусно 🍕",
    "bye": "Спасибо, пока",
}
# Every run happens at the same time: 22 November 2026, 10:00 UTC.
_OPENING_TIME: Final = 1_795_341_600
_TIMEOUT_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class User:
    """One person in one channel; `number` makes the ids."""

    number: int
    channel_type: str
    name: str

    @property
    def channel(self) -> Channel:
        return CHANNELS[self.channel_type]

    @property
    def native(self) -> str:
        """The id that the channel knows the user by."""
        return self.channel.native(self.number)

    @property
    def user_id(self) -> str:
        """The id that the bot knows the user by."""
        return f"{self.channel_type}-{BOT}-{self.native}"


@dataclass(frozen=True, slots=True)
class Screen:
    """A step of a conversation: what the user said to get there, and what the scenario stores before it asks."""

    event: str
    text: str
    sets: Mapping[str, JSON]
    pause_s: int


@dataclass(slots=True)
class Conversation:
    """What one user is going to do, and how far they are; `variables` is what the bot knows of them."""

    user: User
    screens: Sequence[Screen]
    variables: dict[str, JSON] = field(default_factory=dict)
    entered: int = 0
    moment: int = _OPENING_TIME

    @property
    def finished(self) -> bool:
        return self.entered == len(self.screens)

    def enter(self) -> dict[str, JSON]:
        """Go to the next screen; returns the variables that the bot sends."""
        screen = self.screens[self.entered]
        self.moment += screen.pause_s
        self.variables.update(screen.sets)
        self.variables.update(self._system_variables(screen))
        self.entered += 1
        return dict(self.variables)

    def merge(self, answer: Mapping[str, JSON]) -> None:
        """Take over the variables that the webhook answered."""
        self.variables.update(answer)

    def _system_variables(self, screen: Screen) -> Iterator[tuple[str, JSON]]:
        """What the platform writes over whatever a webhook has echoed."""
        yield "action", screen.event
        yield "queryText", screen.text
        yield "userId", self.user.user_id
        yield "channelId", self.user.channel.channel_id
        yield "channelType", self.user.channel_type
        if self.entered:
            yield "lastSeen", screen.pause_s
        if self.user.channel_type == "chatwidget":
            # The site's bot asks the shop's opening hours with an HTTP block first.
            yield "httpStatus", 200
            yield "httpResponse", {"open": True, "timestamp": 1000 * self.moment}
        yield "rawRequest", self.user.channel.raw_request(self._message(screen))

    def _message(self, screen: Screen) -> Message:
        button = screen.event == "choose"
        return Message(self.user.native, self.user.name, screen.text, self.entered, self.moment, button)


def conversations(seed: int = 1, users: int = 20) -> list[Conversation]:
    """The conversations of users 0, 1, 2, …, over all channels in turn; the first `TWINS` users are twins."""
    return [_conversation(seed, number) for number in range(users)]


def newcomers(seed: int = 1, users: int = 5) -> list[Conversation]:
    """Conversations of people that `conversations` does not know, neither their ids nor their names."""
    result = []
    for index in range(users):
        number = 500 + index
        chance = random.Random(f"{seed} new {number}")
        user = User(number, _channel_of(number), NEW_NAMES[index % len(NEW_NAMES)])
        result.append(Conversation(user, _screens(user, JOURNEYS[index % len(JOURNEYS)], chance)))
    return result


def run(url: str, talking: Iterable[Conversation], seed: int = 1) -> list[Exchange]:
    """Let the conversations take place at the same time, screen by screen, over one connection kept alive.

    Returns their exchanges in the order in which they happened. An answer that is no JSON object or whose status is
    not 200 changes no variable: what the platform does then is not documented.

    Raises:
        TargetError: nothing answers HTTP at the URL.
    """
    chance = random.Random(f"{seed} order")
    waiting = [conversation for conversation in talking if not conversation.finished]
    exchanges = []
    with _Line(url) as line:
        while waiting:
            conversation = chance.choice(waiting)
            exchange = line.exchange(conversation.enter())
            exchanges.append(exchange)
            if exchange.response and exchange.response.status == 200:
                conversation.merge(exchange.response.body.variables() or {})
            if conversation.finished:
                waiting.remove(conversation)
    return exchanges


class _Line:
    """The bot's connection to the webhook."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        https = parts.scheme == "https"
        connect = http.client.HTTPSConnection if https else http.client.HTTPConnection
        self._connection = connect(parts.hostname or "", parts.port, timeout=_TIMEOUT_S)
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._url = url

    def __enter__(self) -> _Line:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def exchange(self, variables: dict[str, JSON]) -> Exchange:
        """POST the variables and wait."""
        body = Body("json", variables)
        request = Request("POST", self._path, (("Content-Type", "application/json"),), body)
        at, started = now(), time.perf_counter()
        response = self._send(request)
        elapsed_ms = 1000 * (time.perf_counter() - started)
        event, conversation = aimylogic.identify(variables)
        return Exchange(at, event, conversation, request, response, None, Timing(elapsed_ms, elapsed_ms))

    def _send(self, request: Request) -> Response:
        try:
            self._connection.request(request.method, request.path, request.body.raw, dict(request.headers))
            answer = self._connection.getresponse()
            return Response(answer.status, tuple(answer.getheaders()), Body.of(answer.read()))
        except (OSError, http.client.HTTPException) as error:
            raise TargetError(f"The bot can't reach {self._url}: {error or type(error).__name__}.") from None


def _channel_of(number: int) -> str:
    return list(CHANNELS)[number % len(CHANNELS)]


def _conversation(seed: int, number: int) -> Conversation:
    channel = _channel_of(number)
    # Twins draw from the same source.
    source = f"{seed} {channel}" if number < TWINS else f"{seed} {number}"
    chance = random.Random(source)
    user = User(number, channel, chance.choice(NAMES))
    journey = JOURNEYS[0] if number < TWINS else JOURNEYS[1 + number % (len(JOURNEYS) - 1)]
    return Conversation(user, _screens(user, journey, chance))


def _screens(user: User, journey: Sequence[str], chance: random.Random) -> list[Screen]:
    return [_screen(user, event, chance) for event in journey]


def _screen(user: User, event: str, chance: random.Random) -> Screen:
    text = _SAID.get(event, "")
    sets: dict[str, JSON] = {}
    if event == "start":
        text, sets = user.channel.opening, {"name": user.name}
    elif event == "choose":
        sets = {"pizza": chance.choice(PIZZAS), "qty": chance.randint(1, 3)}
        text = f"{sets['pizza']}, {sets['qty']}"
    elif event == "order":
        sets = {"адрес": chance.choice(ADDRESSES)}
    return Screen(event, text, sets, pause_s=chance.randint(2, 40))
