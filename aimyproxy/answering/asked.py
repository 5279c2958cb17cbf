"""A request as replay looks at it: whose it is, what it says, and the key under which its like is found."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Protocol

from aimyproxy import aimylogic, jsonvalue
from aimyproxy.answering.repeats import Repeats

if TYPE_CHECKING:
    from aimyproxy.answering.recorded import Group
    from aimyproxy.exchange import Body, Conversation
    from aimyproxy.jsonvalue import JSON


class Asking(Protocol):
    """A request, as far as its answer may depend on it."""

    @property
    def method(self) -> str:
        """The HTTP method."""

    @property
    def path(self) -> str:
        """Path and query."""

    @property
    def body(self) -> Body:
        """The body, decoded."""


class Asked:
    """What decides about the answer to a request.

    Two requests have the same `key` exactly where their contents mean the same. `group` is what answers the event in
    the conversation, as who has the mark `found_by` found it.
    """

    __slots__ = ("_body", "_frame", "conversation", "event", "found_by", "group", "key")

    def __init__(
        self,
        event: str | None,
        conversation: Conversation | None,
        key: bytes,
        body: Body | bytes,
        frame: dict[str, JSON] | None = None,
    ) -> None:
        self.event = event
        self.conversation = conversation
        self.key = key
        self._body = body
        self._frame = frame
        self.group: Group | None = None
        self.found_by: object = None

    @classmethod
    def of(cls, request: Asking) -> Asked:
        """What this request asks."""
        body = request.body
        variables = body.variables()
        event, conversation = aimylogic.identify(variables)
        if variables is not None and event is not None:
            frame, content = None, aimylogic.without_volatile(variables)
        else:
            frame = content = _frame(request.method, request.path, body)
        spelled = jsonvalue.canonical([event is None, content])
        return cls(event, conversation, blake2b(spelled, digest_size=16).digest(), body, frame)

    def kept(self, raw: bytes) -> Asked | None:
        """The same in a fraction of the memory; `raw` is the request's body.

        None where the body alone doesn't decide, or is one that not all parsers read alike.
        """
        if self.event is None or isinstance(self._body, bytes) or self._body.kind != "json":
            return None
        return Asked(self.event, self.conversation, self.key, raw)

    @property
    def variables(self) -> dict[str, JSON] | None:
        """The request's variables; None where it has none."""
        body = self._body
        return jsonvalue.loads(body) if isinstance(body, bytes) else body.variables()

    @property
    def root(self) -> JSON:
        """Where the paths of conditions begin: the request's JSON body, or None."""
        body = self._body
        return (
            jsonvalue.loads(body)
            if isinstance(body, bytes)
            else body.value
            if body.kind == "json"
            else body.variables()
        )

    @property
    def content(self) -> dict[str, JSON]:
        """What the key is made of: the variables without the volatile ones where there is an event.

        Else it is `{"method": …, "path": …, "body": …}`.
        """
        return aimylogic.without_volatile(self.variables or {}) if self._frame is None else self._frame


class Lately:
    """What was asked lately, and more than once: it need not be parsed again to be found again."""

    def __init__(self) -> None:
        self._known: Repeats[Asked] = Repeats()

    def asked(self, request: Asking, raw: bytes) -> Asked:
        """What this request asks; `raw` is its body, which is not compressed."""
        known = self._known.get(raw)
        if known is not None:
            return known
        asked = Asked.of(request)
        if self._known.again(raw) and (kept := asked.kept(raw)):
            self._known.keep(raw, kept)
        return asked


def _frame(method: str, path: str, body: Body) -> dict[str, JSON]:
    frame = {"method": method, "path": path}
    if body.kind == "absent":
        return frame
    if body.kind == "base64":
        return {**frame, "bytes": body.raw.hex()}
    return {**frame, "body": body.value, "kind": body.kind}
