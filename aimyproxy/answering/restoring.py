"""Live values put back into an answer that was found for a redacted request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aimyproxy import jsonvalue
from aimyproxy.answering.rebase import Plan
from aimyproxy.exchange import Body
from aimyproxy.redaction.redactor import restoring

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aimyproxy.answering.answers import Answer


def restored(answer: Answer, live: Body, redacted: Body, replaced: Mapping[str, str]) -> Answer:
    """The answer with what came from the request as the bot sent it.

    `live` is its body, `redacted` that body as the answer was found for it, `replaced` the values that differ and what
    stood for them. An echo is the live value; in texts, what stood for a value is replaced by it where it can be told
    from words of their own.
    """
    body = Body.of(answer.body)
    if body.kind == "base64":
        return answer
    text = answer.body.decode()
    before, after, variables = redacted.variables(), live.variables(), body.variables()
    if before is not None and after is not None and variables is not None:
        rebased = Plan.of(before, variables).rebased(after)
        if rebased != variables:
            text = jsonvalue.dumps(rebased).decode()
    for value in restoring(replaced):
        text = value.substituted(text)
    return answer._replace(body=text.encode("utf-8", "surrogatepass"))
