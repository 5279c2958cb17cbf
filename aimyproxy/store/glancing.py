"""Glances at stored exchanges.

A glance checks the stored form as reading it whole would, but builds no value that it doesn't show: it takes an eighth
of the time. What is out of the ordinary is read whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from aimyproxy import jsonvalue
from aimyproxy.documents import from_document
from aimyproxy.exchange import FailureKind
from aimyproxy.glance import Glance
from aimyproxy.jsonvalue import JSON

if TYPE_CHECKING:
    from aimyproxy.exchange import Exchange


class _Variables(Struct, gc=False):
    action: str
    user: str | int | None = msgspec.field(default=None, name="userId")
    channel_id: JSON = msgspec.field(default=None, name="channelId")
    channel_type: JSON = msgspec.field(default=None, name="channelType")


class _Request(Struct, gc=False):
    method: str
    path: str
    json: _Variables
    headers: list[tuple[str, str]] = []
    text: UnsetType = UNSET
    base64: UnsetType = UNSET


class _Response(Struct, gc=False):
    status: Annotated[int, Meta(ge=100, le=999)]
    headers: list[tuple[str, str]] = []
    json: msgspec.Raw | UnsetType = UNSET
    text: str | UnsetType = UNSET
    base64: UnsetType = UNSET


class _Failure(Struct, gc=False):
    kind: FailureKind
    message: str = ""


class _Timing(Struct, gc=False, frozen=True):
    total_ms: float | None = None
    upstream_ms: float | None = None


class _Stored(Struct, gc=False):
    at: str
    request: _Request
    event: str | None = None
    conversation: tuple[str | None, str | None, str] | None = None
    response: _Response | None = None
    failure: _Failure | None = None
    timing: _Timing = _Timing()
    made_from: tuple[str, int] | None = None


class _AskedWith(Struct, gc=False):
    json: dict[str, JSON]


class _Asking(Struct, gc=False):
    request: _AskedWith


_STORED: Final = msgspec.json.Decoder(_Stored)
_ASKING: Final = msgspec.json.Decoder(_Asking)


def glance(stored: bytes | memoryview) -> Glance:
    """What an exchange's stored form (the bytes of its JSON) shows at a glance.

    Raises:
        InvalidJSON: it is no JSON.
        InvalidDocument: it is no exchange; the message names the member that is missing or of the wrong type.
    """
    try:
        seen = _STORED.decode(stored)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Glance.of(whole(stored))
    response, asked = seen.response, seen.request.json
    if response is not None and response.json is not UNSET and response.text is not UNSET:
        return Glance.of(whole(stored))
    # As aimylogic.identify() does, but here no text can hold what UTF-8 can't.
    user, channel_type, channel_id = asked.user, asked.channel_type, asked.channel_id
    conversation = None
    if user is not None:
        conversation = (
            channel_type if isinstance(channel_type, str) else None,
            channel_id if isinstance(channel_id, str) else None,
            user if isinstance(user, str) else str(user),
        )
    return Glance(asked.action, conversation, response is not None, seen.timing.upstream_ms)


def variables(stored: bytes | memoryview) -> dict[str, JSON] | None:
    """The variables of the request of an exchange's stored form, None where it has none; raises as `glance`."""
    try:
        if jsonvalue.is_plain(bytes(stored)):
            return _ASKING.decode(stored).request.json
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    return whole(stored).request.body.variables()


def whole(stored: bytes | memoryview) -> Exchange:
    """The exchange of which this is the stored form; raises as `glance`."""
    return from_document(jsonvalue.loads_stored(bytes(stored)))
