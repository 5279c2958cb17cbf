"""A mock: an answer that a person wrote or edited, and the conditions under which it is given.

Its members are also described by mocks.schema.json, for editors.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from aimyproxy import jsonvalue
from aimyproxy.answering import templates
from aimyproxy.answering.conditions import Condition
from aimyproxy.answering.faults import Fault
from aimyproxy.documents import headers_of
from aimyproxy.errors import InvalidDocument, InvalidOption
from aimyproxy.exchange import ABSENT, Body

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aimyproxy.exchange import Headers
    from aimyproxy.jsonvalue import JSON

BODIES: Final = ("answer", "text", "base64")
MEMBERS: Final = (
    "event",
    "when",
    *BODIES,
    "merge",
    "status",
    "headers",
    "delay_ms",
    "fault",
    "from_exchange",
    "note",
    "enabled",
)
"""All members that a mock document may have."""

LONGEST_DELAY_MS: Final = 3_600_000
_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE: Final = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*")


@dataclass(frozen=True, slots=True)
class Mock:
    """What a mock document says.

    `event` None means requests that are no bot's. `status` and `headers` are None where the document leaves them out:
    an edited exchange then keeps its own. With `from_exchange` and no condition, the mock is that exchange's edited
    response and answers wherever the exchange would; `body` is then rebased as the recorded one would be. `tree` is
    the value of `body` with its templates compiled, None where it has none. Where `merge` is true, the answer is laid
    over the one that replay would have given without the mock; so it is where the mock is nothing but a fault, which
    may strike now and then only, or needs that answer. `delay_ms` is None where `--latency` says how long it takes.
    """

    identity: int
    event: str | None
    conditions: tuple[Condition, ...] = ()
    body: Body = ABSENT
    tree: JSON = None
    merge: bool = False
    status: int | None = None
    headers: Headers | None = None
    delay_ms: float | None = None
    fault: Fault | None = None
    from_exchange: int | None = None
    note: str = ""
    enabled: bool = True

    @property
    def edits_exchange(self) -> bool:
        """Whether this is the edited response of one exchange and not a rule of its own."""
        return self.from_exchange is not None and not self.conditions

    @classmethod
    def parse(cls, identity: int, document: JSON) -> Mock:
        """The mock that a document of `mocks.json` means.

        Raises:
            InvalidDocument: naming the member that is missing, unknown or of the wrong type.
        """
        if not isinstance(document, dict):
            raise InvalidDocument(f"a mock has to be an object, not {_shown(document)}")
        unknown = document.keys() - set(MEMBERS)
        if unknown:
            raise InvalidDocument(f"{min(unknown)!r} is no member of a mock; there are {', '.join(MEMBERS)}")
        if "event" not in document:
            raise InvalidDocument("event is missing: the event's name, or null for requests that are no bot's")
        lone_fault = "fault" in document and not document.keys() & {*BODIES, "status"}
        merge = _member(document, "merge", default=lone_fault, fits=_is_boolean, wanted="true or false")
        body = _body(document, merge=merge)
        return cls(
            identity=identity,
            event=_member(document, "event", None, _is_text_or_null, "a string or null"),
            conditions=_conditions(document.get("when", {})),
            body=body,
            tree=_tree(body),
            merge=merge,
            status=_member(document, "status", None, _is_status, "a number from 200 to 599"),
            headers=_headers(document["headers"]) if "headers" in document else None,
            delay_ms=_member(document, "delay_ms", None, _is_delay, "a number of milliseconds, at most an hour"),
            fault=_fault(document["fault"]) if "fault" in document else None,
            from_exchange=_member(document, "from_exchange", None, _is_id, "the id of an exchange"),
            note=_member(document, "note", "", _is_text, "a string"),
            enabled=_member(document, "enabled", default=True, fits=_is_boolean, wanted="true or false"),
        )


def _member(document: dict[str, JSON], name: str, default: Any, fits: Callable[[JSON], bool], wanted: str) -> Any:
    if name not in document:
        return default
    value = document[name]
    if not fits(value):
        raise InvalidDocument(f"{name} has to be {wanted}, not {_shown(value)}")
    return value


def _is_text(value: JSON) -> bool:
    return isinstance(value, str)


def _is_text_or_null(value: JSON) -> bool:
    return value is None or isinstance(value, str)


def _is_boolean(value: JSON) -> bool:
    return isinstance(value, bool)


def _is_integer(value: JSON) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_status(value: JSON) -> bool:
    return _is_integer(value) and 200 <= value <= 599


def _is_id(value: JSON) -> bool:
    return _is_integer(value) and value >= 1


def _is_delay(value: JSON) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= LONGEST_DELAY_MS


def _conditions(when: JSON) -> tuple[Condition, ...]:
    if not isinstance(when, dict):
        raise InvalidDocument(f'when has to be an object such as {{"$.channelType": "vk"}}, not {_shown(when)}')
    try:
        return tuple(Condition.parse(path, value) for path, value in when.items())
    except InvalidDocument as error:
        raise InvalidDocument(f"when: {error}") from None


def _body(document: dict[str, JSON], *, merge: bool) -> Body:
    given = [name for name in BODIES if name in document]
    if len(given) > 1:
        raise InvalidDocument(f"there is more than one answer: {' and '.join(given)}; keep one of them")
    if merge:
        _check_merge(document, given)
    if not given:
        if "status" in document or "fault" in document or merge:
            return ABSENT
        raise InvalidDocument("answer is missing: the variables to answer with (or text, base64, or a status alone)")
    value = document[given[0]]
    if given[0] == "answer":
        return Body("json", value)
    if not isinstance(value, str):
        raise InvalidDocument(f"{given[0]} has to be a string, not {_shown(value)}")
    return Body("text", value) if given[0] == "text" else Body("base64", _decoded(value))


def _check_merge(document: dict[str, JSON], given: Sequence[str]) -> None:
    if {*given} - {"answer"} or not isinstance(document.get("answer", {}), dict):
        raise InvalidDocument("merge needs an answer that is an object: the variables to lay over what replay answers")
    if not document.keys() & {"answer", "status", "headers", "delay_ms", "fault"}:
        raise InvalidDocument("merge has nothing to lay over: give an answer, a status, headers, a delay_ms or a fault")


def _fault(value: JSON) -> Fault:
    if not isinstance(value, str):
        raise InvalidDocument(f'fault has to be a string such as "timeout" or "500:30%", not {_shown(value)}')
    try:
        return Fault.parse(value)
    except InvalidOption as error:
        raise InvalidDocument(f"fault: {error}") from None


def _tree(body: Body) -> JSON:
    if body.kind == "json":
        return templates.compiled(body.value, "answer")
    return templates.compiled(body.value, "text", as_text=True) if body.kind == "text" else None


def _decoded(value: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidDocument(f"base64 is not base64 ({error})") from None


def _headers(value: JSON) -> Headers:
    headers = headers_of(value, "headers")
    for name, content in headers:
        if not sendable(name, content):
            raise InvalidDocument(f"headers: {_shown([name, content])} can't be sent as an HTTP header")
    return headers


def sendable(name: str, value: str) -> bool:
    """Whether HTTP can carry a header of this name and value: a token, and no control characters."""
    return _HEADER_NAME.fullmatch(name) is not None and _HEADER_VALUE.fullmatch(value) is not None


def _shown(value: JSON) -> str:
    text = jsonvalue.dumps(value).decode()
    return text if len(text) <= 60 else text[:57] + "..."
