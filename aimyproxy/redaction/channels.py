"""Which values of a bot's variables are secret or personal by where they stand, by channel.

Names of members inside `rawRequest`, at any depth; read off requests of each channel.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from aimyproxy.redaction.names import MEMBERS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aimyproxy.jsonvalue import JSON

_NONE: Final[frozenset[str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Channel:
    """What is sensitive in a channel's own request: members of these names, with all that is inside them.

    `utterances` are what the user said; `entities` the types of recognised entities whose `value` is personal;
    `technical` are members of personal ones that tell of nobody.
    """

    secrets: frozenset[str] = _NONE
    personal: frozenset[str] = _NONE
    utterances: frozenset[str] = _NONE
    entities: frozenset[str] = _NONE
    technical: frozenset[str] = _NONE


def _set(names: str) -> frozenset[str]:
    return frozenset(names.split())


_TELEGRAM: Final = Channel(
    personal=_set("from chat contact location"),
    utterances=_set("text caption data"),
    technical=_set("type is_bot language_code is_premium"),
)
_WIDGET: Final = Channel(secrets=_set("token"), personal=_set("clientId userId"), utterances=_set("query"))
_KNOWN: Final[Mapping[str, Channel]] = {
    "telegram": _TELEGRAM,
    "vk": Channel(
        secrets=_set("secret"),
        personal=_set("from_id peer_id user_id attachments"),
        utterances=_set("text"),
        technical=_set("type"),
    ),
    "chatwidget": _WIDGET,
    "chatapi": _WIDGET,
    "yandex": Channel(
        secrets=_set("access_token"),
        personal=_set("user_id application_id"),
        utterances=_set("command original_utterance tokens"),
        entities=_set("YANDEX.FIO YANDEX.GEO"),
    ),
    "resterisk": Channel(personal=_set("caller payload"), utterances=_set("text")),
}
# For channels that we have not seen: what is sensitive under the same name wherever we have.
_ANY: Final = Channel(
    *(
        frozenset[str]().union(*(getattr(channel, part) for channel in _KNOWN.values()))
        for part in ("secrets", "personal", "utterances", "entities", "technical")
    )
)

_PERSON: Final = re.compile(
    r"(?:(?:user|client|customer|contact|first|last|middle|full|sur|nick)[_-]?)?name|username|login"
    r"|имя|фамилия|отчество|фио|fio",
    re.IGNORECASE,
)
_REACHED: Final = re.compile(
    r"(?:.*[_-])?(?:phone|mobile|msisdn|e-?mail|address|birthday|birth[_-]?date|passport|телефон|тел|почта|адрес)"
    r"(?:[_-]?number)?|(?:first|last|middle|sur)[_-]?name|.*(?:Phone|Email|Address)(?:Number)?",
    re.IGNORECASE,
)
_FILES: Final = frozenset({"userFile", "userFiles"})
LOOKS_PERSONAL: Final = re.compile(
    r"\+\d[\d ()-]{8,16}\d|[78] ?\(?\d{3}\)?[ -]?\d{3}[ -]?\d\d[ -]?\d\d|[^@\s]+@[^@\s]+\.[A-Za-z]{2,}"
)
"""A phone number or an e-mail address, and nothing else."""


def channel_of(channel_type: JSON) -> Channel:
    """What is sensitive in the requests of this `channelType`, any value."""
    return _KNOWN.get(channel_type, _ANY) if isinstance(channel_type, str) else _ANY


@lru_cache(maxsize=64)
def secret_members(channel: Channel) -> frozenset[str]:
    """Names of the members that are secret in a channel's variables, those included that are so in all."""
    return MEMBERS | channel.secrets


@lru_cache(maxsize=4096)
def is_personal(name: str, *, outermost: bool) -> bool:
    """Whether a variable of this name is personal: a name, a phone number, an address, files that the user sent.

    Inside other variables (where not `outermost`) much is called `name` that is no person's.
    """
    if outermost and (name in _FILES or _PERSON.fullmatch(name)):
        return True
    return _REACHED.fullmatch(name) is not None


def personal_part(user: str, channel_type: JSON, channel_id: JSON) -> int:
    """Where in a `userId` the user's own part begins: behind the channel's type and the bot's name, if they lead it.

    `resterisk-40112-pizza-79991234567` of the channel `40112-pizza-tel1`: at `79991234567`.
    """
    start = 0
    if isinstance(channel_type, str) and user.startswith(f"{channel_type}-"):
        start = len(channel_type) + 1
    if isinstance(channel_id, str):
        bot = channel_id
        while bot:
            if user.startswith(f"{bot}-", start):
                return start + len(bot) + 1
            bot = bot.rpartition("-")[0]
    return start
