"""A request as replay looks at it: whose it is, what it says, and the key under which its like is found."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

from aimyproxy import aimylogic, jsonvalue

if TYPE_CHECKING:
    from aimyproxy.exchange import Conversation, Request
    from aimyproxy.jsonvalue import JSON


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
    def of(cls, request: Request) -> Asked:
        """What this request asks; `root` is where the paths of conditions begin: its JSON body, or None."""
        variables = request.body.variables()
        event, conversation = aimylogic.identify(variables)
        if variables is not None and event is not None:
            content, root = aimylogic.without_volatile(variables), variables
        else:
            content = _frame(request)
            root = variables if variables is not None else _json(request)
        spelled = jsonvalue.canonical([event is None, content])
        return cls(event, conversation, variables, root, content, blake2b(spelled, digest_size=16).digest())


def _json(request: Request) -> JSON:
    return request.body.value if request.body.kind == "json" else None


def _frame(request: Request) -> dict[str, JSON]:
    frame = {"method": request.method, "path": request.path}
    if request.body.kind == "absent":
        return frame
    if request.body.kind == "base64":
        return {**frame, "bytes": request.body.raw.hex()}
    return {**frame, "body": request.body.value, "kind": request.body.kind}
