"""A request as replay looks at it: whose it is, what it says, and the key under which its like is found."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple, Protocol

from aimyproxy import aimylogic, jsonvalue

if TYPE_CHECKING:
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


class Asked(NamedTuple):
    """What decides about the answer to a request.

    `content` is what the key is made of: the variables without the volatile ones where there is an event, else
    `{"method": …, "path": …, "body": …}`. Two requests have the same key exactly where their contents mean the same.
    """

    event: str | None
    conversation: Conversation | None
    variables: dict[str, JSON] | None
    root: JSON
    content: dict[str, JSON]
    key: bytes

    @classmethod
    def of(cls, request: Asking) -> Asked:
        """What this request asks; `root` is where the paths of conditions begin: its JSON body, or None."""
        body = request.body
        variables = body.variables()
        event, conversation = aimylogic.identify(variables)
        if variables is not None and event is not None:
            content, root = aimylogic.without_volatile(variables), variables
        else:
            content = _frame(request.method, request.path, body)
            root = variables if variables is not None else _json(body)
        spelled = jsonvalue.canonical([event is None, content])
        return cls(event, conversation, variables, root, content, blake2b(spelled, digest_size=16).digest())


def _json(body: Body) -> JSON:
    return body.value if body.kind == "json" else None


def _frame(method: str, path: str, body: Body) -> dict[str, JSON]:
    frame = {"method": method, "path": path}
    if body.kind == "absent":
        return frame
    if body.kind == "base64":
        return {**frame, "bytes": body.raw.hex()}
    return {**frame, "body": body.value, "kind": body.kind}
