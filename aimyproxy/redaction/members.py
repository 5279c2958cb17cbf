"""Values at their places in a bot's variables: replaced where they stand, the rest shared with what was given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aimyproxy.aimylogic import RAW_REQUEST, SYSTEM_VARIABLES
from aimyproxy.redaction.channels import (
    LOOKS_PERSONAL,
    channel_of,
    is_personal,
    personal_part,
    secret_members,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from aimyproxy.jsonvalue import JSON, Path
    from aimyproxy.redaction.channels import Channel
    from aimyproxy.redaction.known import Kind
    from aimyproxy.redaction.rules import Rules

    Take = Callable[[JSON, Kind], JSON]

_NOBODYS: Final[frozenset[str]] = frozenset()


class Members:
    """Replaces what rules name in JSON values. `take` gets each scalar and its kind, and returns what stands for it;

    `search` gets texts that may have secrets in them by name (JSON or URLs inside strings).
    """

    def __init__(self, rules: Rules, take: Take, search: Callable[[str], str]) -> None:
        self._rules = rules
        self._take = take
        self._search = search

    def redacted(self, root: JSON, frame: Mapping[str, JSON] | None) -> JSON:
        """The value with everything replaced; the very same object where there is nothing to replace.

        `frame` are the request's variables, which say what channel it is.
        """
        if not isinstance(root, dict | list):
            return root
        channel_type = frame.get("channelType") if frame else None
        channel = channel_of(channel_type)
        names = secret_members(channel)
        result = self._secret(root, names) if _is_suspicious(root, names) else root
        for path in self._rules.paths:
            for place in path.places(root):
                result = _merged(root, result, self._at(root, place))
        if self._rules.personal and isinstance(root, dict):
            result = _merged(root, result, self._personal(root, channel, channel_type, frame or root))
        return result

    def user(self, user: str, channel_type: JSON, channel_id: JSON) -> str:
        """A `userId` with the user's own part replaced."""
        start = personal_part(user, channel_type, channel_id)
        return user[:start] + str(self._take(user[start:], "personal"))

    def _secret(self, value: JSON, names: frozenset[str]) -> JSON:
        """The value with the members of these names replaced, wherever they stand in it."""
        changes = {}
        named = type(value) is dict and not names.isdisjoint(value)
        for key, member in _members(value):
            kind = type(member)
            if named and key in names:
                changed = self._all(member, "secret")
            elif kind is dict or kind is list:
                changed = self._secret(member, names)
            elif kind is str and len(member) > 8 and _may_hold(member):
                changed = self._search(member)
            else:
                continue
            if changed is not member:
                changes[key] = changed
        return _changed(value, changes)

    def _all(self, value: JSON, kind: Kind, spared: frozenset[str] = _NOBODYS) -> JSON:
        """The value with every scalar in it replaced, but for members of these names."""
        if not isinstance(value, dict | list):
            return value if kind == "utterance" and not isinstance(value, str) else self._take(value, kind)
        changes = {}
        for key, member in _members(value):
            if key not in spared and (changed := self._all(member, kind, spared)) is not member:
                changes[key] = changed
        return _changed(value, changes)

    def _at(self, value: JSON, place: Path) -> JSON:
        if not place:
            return self._all(value, "secret")
        copy = value.copy()
        copy[place[0]] = self._at(value[place[0]], place[1:])
        return copy

    def _personal(
        self, variables: dict[str, JSON], channel: Channel, channel_type: JSON, frame: Mapping[str, JSON]
    ) -> JSON:
        changes: dict[str, JSON] = {}
        for name, member in variables.items():
            if name == "userId":
                changes[name] = self._user(member, channel_type, frame.get("channelId"))
            elif name == "queryText":
                changes[name] = self._all(member, "utterance")
            elif name == RAW_REQUEST:
                changes[name] = self._of_channel(member, channel)
            elif name == "httpResponse" or name not in SYSTEM_VARIABLES:
                changes[name] = self._authors(name, member, outermost=True)
        return _changed(variables, {name: member for name, member in changes.items() if member is not variables[name]})

    def _user(self, user: JSON, channel_type: JSON, channel_id: JSON) -> JSON:
        return self.user(user, channel_type, channel_id) if isinstance(user, str) else self._take(user, "personal")

    def _of_channel(self, value: JSON, channel: Channel) -> JSON:
        if not isinstance(value, dict | list):
            return value
        kind = value.get("type") if isinstance(value, dict) else None
        entity = isinstance(kind, str) and kind in channel.entities
        changes: dict[str | int, JSON] = {}
        for key, member in _members(value):
            if key in channel.personal or (entity and key == "value"):
                changed = self._all(member, "personal", channel.technical)
            elif key in channel.utterances and isinstance(member, str | list):
                changed = self._all(member, "utterance")
            else:
                changed = self._of_channel(member, channel)
            if changed is not member:
                changes[key] = changed
        return _changed(value, changes)

    def _authors(self, name: str, value: JSON, *, outermost: bool) -> JSON:
        """A variable of the bot's author: personal by its name, or by its looks."""
        if is_personal(name, outermost=outermost):
            return self._all(value, "personal")
        if isinstance(value, dict | list):
            changes = {}
            for key, member in _members(value):
                inner = key if isinstance(key, str) else ""
                if (changed := self._authors(inner, member, outermost=False)) is not member:
                    changes[key] = changed
            return _changed(value, changes)
        if isinstance(value, str) and len(value) < 256 and LOOKS_PERSONAL.fullmatch(value):
            return self._take(value, "personal")
        return value


def _may_hold(text: str) -> bool:
    """Whether a string of some length may hold a secret by name: JSON (a button's payload), or a URL, even a part."""
    return text[0] in "{[" or "://" in text or ("?" in text and "=" in text)


def _is_suspicious(root: JSON, names: frozenset[str]) -> bool:
    """Whether there is anything by which `_secret` may find something: most bodies have nothing, and this is quick."""
    containers = [root]
    for container in containers:
        members = container
        if type(container) is dict:
            if not names.isdisjoint(container):
                return True
            members = container.values()
        for member in members:
            kind = type(member)
            if kind is str:
                if len(member) > 8 and _may_hold(member):
                    return True
            elif kind is dict or kind is list:
                containers.append(member)
    return False


def _merged(original: JSON, one: JSON, other: JSON) -> JSON:
    """The value with the changes of both; each replaces a value by the same, so that it doesn't matter whose is taken.

    Replacing one after the other would replace what the first one put there.
    """
    if one is original or other is original:
        return other if one is original else one
    if isinstance(original, dict):
        return {name: _merged(member, one[name], other[name]) for name, member in original.items()}
    if isinstance(original, list):
        return [_merged(*members) for members in zip(original, one, other, strict=True)]
    return one


def _members(value: JSON) -> Iterable[tuple[str | int, JSON]]:
    return value.items() if isinstance(value, dict) else enumerate(value)


def _changed(value: JSON, changes: Mapping[Any, JSON]) -> JSON:
    """A copy of the object or the array with these members; itself where there are none."""
    if not changes:
        return value
    copy = value.copy()
    for key, member in changes.items():
        copy[key] = member
    return copy
