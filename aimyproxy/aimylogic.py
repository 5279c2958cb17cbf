"""All that we know of the Aimylogic protocol: event, conversation, effect, and the volatile paths of each channel.

A bot POSTs one JSON object with all its variables and `action`, the event; the members of the JSON object that
comes back become its variables. `userId`, `channelId`, `channelType`, `queryText`, `lastSeen`, `httpStatus`,
`httpResponse` and `rawRequest` are the system's own variables; `rawRequest` is the channel's request as it came.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal

from aimyproxy import jsonvalue

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from aimyproxy.exchange import Conversation, Request, Response
    from aimyproxy.jsonvalue import JSON, Path

RAW_REQUEST: Final = "rawRequest"
SYSTEM_VARIABLES: Final = frozenset(
    {
        "action",
        "queryText",
        "userId",
        "channelId",
        "channelType",
        RAW_REQUEST,
        "lastSeen",
        "httpStatus",
        "httpResponse",
    }
)
"""What the platform sets in every request; all other variables are the bot author's own."""

VOLATILE_VARIABLES: Final = frozenset({"lastSeen"})
"""System variables that differ from request to request without meaning anything."""

# Tails of paths inside `rawRequest`, at any depth; "*" is everything below. Read off requests of each channel.
_VOLATILE: Final[Mapping[str, tuple[str, ...]]] = {
    "telegram": ("update_id", "message_id", "date", "callback_query.id", "chat_instance"),
    "vk": ("event_id", "date", "id", "conversation_message_id", "random_id"),
    "chatwidget": ("questionId", "timestamp"),
    "chatapi": ("questionId", "timestamp"),
    "yandex": ("message_id", "session_id", "new", "state.*"),
    "resterisk": ("channel", "resourcePath", "callRecordingFile", "requestId", "createdAt", "callId"),
}
# For channels that we have not seen: what is volatile under the same name wherever we have.
_VOLATILE_ANYWHERE: Final = (
    "update_id",
    "message_id",
    "event_id",
    "session_id",
    "requestId",
    "questionId",
    "random_id",
    "date",
    "timestamp",
    "createdAt",
)
_DATES: Final = ("date", "timestamp", "time", "createdAt", "updatedAt")


# Made once: a union of types is made anew wherever it is spelled.
_CONTAINERS: Final = (dict, list)


@dataclass(frozen=True, slots=True)
class _Tails:
    """Ends of paths: keys that are volatile wherever they stand, and by key the keys below which they are.

    `keys` are both.
    """

    names: frozenset[str]
    pairs: Mapping[str, frozenset[str]]
    keys: frozenset[str]

    def cut(self, above: str, key: str) -> bool:
        """Whether a path that ends in these two keys is volatile."""
        return key in self.names or above in self.pairs.get(key, ())


def _tails(spelled: tuple[str, ...]) -> _Tails:
    split = [tail.removesuffix(".*").rpartition(".") for tail in spelled]
    pairs = {key for above, _, key in split if above}
    return _Tails(
        frozenset(key for above, _, key in split if not above),
        {key: frozenset(above for above, _, other in split if above and other == key) for key in pairs},
        frozenset(key for _, _, key in split),
    )


_VOLATILE_TAILS: Final = {channel: _tails(spelled) for channel, spelled in _VOLATILE.items()}
_UNKNOWN_CHANNEL_TAILS: Final = _tails(_VOLATILE_ANYWHERE)
_DATE_TAILS: Final = _tails(_DATES)


def identify(variables: Mapping[str, JSON] | None) -> tuple[str | None, Conversation | None]:
    """The event and the conversation of a request with these variables; (None, None) where it is no bot's request.

    A bot's request is an object whose `action` is a string. Without a `userId` (a test widget with no channel) there
    is an event and no conversation.
    """
    if variables is None or not isinstance(variables.get("action"), str):
        return None, None
    event, user = _encodable(variables["action"]), variables.get("userId")
    if isinstance(user, float) and user.is_integer():
        # To JSON, 1.0 and 1 are the same.
        user = int(user)
    if isinstance(user, bool) or not isinstance(user, str | int):
        return event, None
    return event, (_text(variables, "channelType"), _text(variables, "channelId"), _encodable(str(user)))


def _text(variables: Mapping[str, JSON], name: str) -> str | None:
    value = variables.get(name)
    return _encodable(value) if isinstance(value, str) else None


def _encodable(text: str) -> str:
    # Half an emoji that somebody's program cut in two has no place in a UTF-8 file.
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


_NOTHING: Final = object()
"""What no JSON value is equal to."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What a response sets or changes relative to its own request.

    kind "variables": `value` is the object of the variables that the bot gets new or changed, whole, without those
    that the response only echoed. kind "body": the response is no object; `value` is its JSON value, its text, or its
    bytes. kind "none": there was no response; `value` is None.
    """

    kind: Literal["variables", "body", "none"]
    value: JSON

    @property
    def empty(self) -> bool:
        """Whether the bot's variables stay as they were."""
        return not self.value if self.kind == "variables" else True

    def same_as(self, other: Effect) -> bool:
        """Whether both do the same to the bot."""
        return self.kind == other.kind and jsonvalue.same(self.value, other.value)


def effect_of(request: Request, response: Response | None) -> Effect:
    """The response's effect on a bot whose variables are the request's."""
    if response is None:
        return Effect("none", None)
    after = response.body.variables()
    if after is None:
        return Effect("body", response.body.value)
    return Effect("variables", changed(request.body.variables() or {}, after))


def changed(before: Mapping[str, JSON], after: Mapping[str, JSON]) -> dict[str, JSON]:
    """Those of the variables `after` that are new or other than `before`."""
    return {
        name: value
        for name, value in after.items()
        if (known := before.get(name, _NOTHING)) != value or not jsonvalue.same(known, value)
    }


def effect_summary(request: Request, response: Response | None, most: int = 6) -> str:
    """The effect in short: `+name ~order.total`; at most so many names, `=` where nothing changes."""
    effect = effect_of(request, response)
    if effect.kind == "none":
        return ""
    if effect.kind == "body":
        return "(no object)"
    before = request.body.variables() or {}
    parts = [
        part
        for name, value in effect.value.items()
        for part in ([f"+{name}"] if name not in before else _changes(name, before[name], value))
    ]
    if not parts:
        return "="
    return " ".join(parts[:most]) + (f" …{len(parts) - most} more" if len(parts) > most else "")


def _changes(name: str, before: JSON, after: JSON) -> Iterator[str]:
    if not (isinstance(before, dict) and isinstance(after, dict)):
        yield f"~{name}"
        return
    for key in before.keys() - after.keys():
        yield f"-{name}.{key}"
    for key, value in after.items():
        if key not in before:
            yield f"+{name}.{key}"
        elif not jsonvalue.same(before[key], value):
            yield from _changes(f"{name}.{key}", before[key], value)


def is_volatile(path: Path, channel: JSON) -> bool:
    """Whether the value at this path of a request's variables says nothing about what the user wants.

    `path` starts at the variables; `channel` is the request's `channelType`, any value.
    """
    return _is_volatile(path, channel if isinstance(channel, str) else None)


# A bot's requests have the same paths again and again.
@lru_cache(maxsize=8192)
def _is_volatile(path: Path, channel: str | None) -> bool:
    if not path:
        return False
    if path[0] in VOLATILE_VARIABLES:
        return True
    keys = tuple(step for step in path[1:] if isinstance(step, str))
    if path[0] == "httpResponse":
        return _ends_in(keys, _DATE_TAILS)
    if path[0] != RAW_REQUEST:
        return False
    return _ends_in(keys, _channel_tails(channel))


def without_volatile(variables: Mapping[str, JSON]) -> dict[str, JSON]:
    """The variables less all that is volatile in their channel, `action` included; the original stays as it is."""
    result = dict(variables)
    for name in VOLATILE_VARIABLES:
        result.pop(name, None)
    if RAW_REQUEST in result:
        result[RAW_REQUEST] = _pruned(result[RAW_REQUEST], "", _channel_tails(variables.get("channelType")))
    if "httpResponse" in result:
        result["httpResponse"] = _pruned(result["httpResponse"], "", _DATE_TAILS)
    return result


def _channel_tails(channel: JSON) -> _Tails:
    if not isinstance(channel, str):
        return _UNKNOWN_CHANNEL_TAILS
    return _VOLATILE_TAILS.get(channel, _UNKNOWN_CHANNEL_TAILS)


def _ends_in(keys: tuple[str, ...], tails: _Tails) -> bool:
    return any(tails.cut(above, key) for above, key in zip(("", *keys), keys, strict=False))


def _pruned(value: JSON, above: str, tails: _Tails) -> JSON:
    if isinstance(value, dict):
        looked_at = tails.keys
        return {
            key: _pruned(member, key, tails) if isinstance(member, _CONTAINERS) else member
            for key, member in value.items()
            if key not in looked_at or not tails.cut(above, key)
        }
    if isinstance(value, list):
        return [_pruned(element, above, tails) if isinstance(element, _CONTAINERS) else element for element in value]
    return value
