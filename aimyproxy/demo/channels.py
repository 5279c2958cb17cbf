"""The channels that the simulated bot talks over: ids, and what each channel's own request (`rawRequest`) looks like.

The shapes are those of real requests, the values are invented.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aimyproxy.jsonvalue import JSON

RawRequest: TypeAlias = "dict[str, JSON]"

BOT: Final = "40112-pizza"


@dataclass(frozen=True, slots=True)
class Message:
    """What a user says: `native` is the user's id in the channel, `count` how often they spoke before.

    `moment` is in seconds since 1970. `button` means that the text was not typed but stands on a button.
    """

    native: str
    name: str
    text: str
    count: int
    moment: int
    button: bool = False

    def invented(self, what: str, digits: int) -> str:
        """Hexadecimal digits that are the same in every run and different for each message."""
        spelled = f"{what} {self.native} {self.count}".encode()
        return hashlib.sha256(spelled).hexdigest()[:digits]

    def invented_uuid(self, what: str) -> str:
        """As `invented`, in the form of a UUID."""
        digits = self.invented(what, 32)
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


@dataclass(frozen=True, slots=True)
class Channel:
    """`native` makes the channel's id of the user with a number; `opening` is how its users begin."""

    channel_id: str
    opening: str
    native: Callable[[int], str]
    raw_request: Callable[[Message], RawRequest]


def _telegram(message: Message) -> RawRequest:
    native = int(message.native)
    # One counter for all of the bot's users; far enough apart that theirs never meet.
    update_id = 817_000_000 + native % 1000 * 1000 + message.count
    user = {"id": native, "is_bot": False, "first_name": message.name, "language_code": "ru"}
    said: RawRequest = {
        "message_id": 1187 + 2 * message.count,
        "chat": {"id": native, "first_name": message.name, "type": "private"},
        "date": message.moment,
    }
    if not message.button:
        return {"update_id": update_id, "message": {**said, "from": user, "text": message.text}}
    pressed = {
        "id": str(int(message.invented("callback", 13), 16)),
        "from": user,
        "message": {**said, "text": "Какую пиццу?"},
        "chat_instance": f"-{int(message.native) * 7919}",
        "data": message.text,
    }
    return {"update_id": update_id, "callback_query": pressed}


def _vk(message: Message) -> RawRequest:
    native = int(message.native)
    said = {
        "date": message.moment,
        "from_id": native,
        "id": 5120 + native % 1000 * 100 + message.count,
        "conversation_message_id": 1 + 2 * message.count,
        "peer_id": native,
        "random_id": 0,
        "text": message.text,
        "attachments": [],
    }
    return {
        "group_id": 214167102,
        "type": "message_new",
        "event_id": message.invented("event", 40),
        "v": "5.131",
        "secret": "demo-s3cr3t",
        "object": {"message": said},
    }


def _chatwidget(message: Message) -> RawRequest:
    return {
        "token": "GNVXJdeo:0123456789abcdef",
        "clientId": message.native,
        "questionId": message.invented_uuid("question"),
        "query": message.text,
        "timestamp": f"{datetime.fromtimestamp(message.moment, UTC):%Y-%m-%dT%H:%M:%S}.497",
        "userId": message.native,
    }


def _yandex(message: Message) -> RawRequest:
    command = message.text.lower()
    return {
        "meta": {"locale": "ru-RU", "timezone": "Europe/Moscow"},
        "request": {
            "command": command,
            "original_utterance": message.text,
            "type": "SimpleUtterance",
            "nlu": {"tokens": command.split(), "entities": _entities(command, message.name)},
        },
        "session": {
            "message_id": message.count,
            "session_id": f"2eac4854-fce721f3-b845abba-{message.native.lower()}",
            "skill_id": "3ad36498-f5a2-4079-a14b-788652932056",
            "user": {"user_id": f"6C91{message.native}", "access_token": "AgAAAAAB4vpb-demo"},
            "application": {"application_id": message.native},
            "new": message.count == 0,
        },
        "version": "1.0",
    }


def _entities(command: str, name: str) -> list[JSON]:
    """What Alice finds in a command: the user's own name, where it is said."""
    tokens = command.split()
    if name.lower() not in tokens:
        return []
    start = tokens.index(name.lower())
    place = {"start": start, "end": start + 1}
    return [{"type": "YANDEX.FIO", "tokens": place, "value": {"first_name": name.lower()}}]


def _resterisk(message: Message) -> RawRequest:
    moment = datetime.fromtimestamp(message.moment, UTC)
    trunk = 11636330465
    place = f"40112/{moment:%Y-%m-%d}/{trunk}/{message.native}/{moment:%H-%M-%S}.978-{message.invented('path', 5)}"
    heard = {
        "requestId": message.invented_uuid("utterance"),
        "createdAt": 1000 * message.moment,
        "text": message.text,
        "status": "Ok",
    }
    return {
        "event": "asr",
        "trunkId": trunk,
        "caller": message.native,
        "extension": "140160",
        "channel": f"SIP/-666-{message.invented('call', 8)}",
        "data": {"cause": "OK", "text": message.text, "resourcePath": place},
        "utterances": [heard],
    }


CHANNELS: Final[Mapping[str, Channel]] = MappingProxyType(
    {
        "telegram": Channel(f"{BOT}-tg1", "/start", lambda number: str(635_678_000 + number), _telegram),
        "vk": Channel(f"{BOT}-vk1", "Начать", lambda number: str(612_444_000 + number), _vk),
        "chatwidget": Channel(f"{BOT}-web1", "/start", lambda number: f"9f2c{number:04x}", _chatwidget),
        "yandex": Channel(f"{BOT}-ya1", "Запусти навык Пицца у дома", lambda number: f"47C7{number:04X}", _yandex),
        "resterisk": Channel(f"{BOT}-tel1", "Алло", lambda number: str(79_991_234_000 + number), _resterisk),
    }
)
"""By `channelType`."""
