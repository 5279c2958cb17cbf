"""What of an exchange is seen without reading it whole: whose it is, what it asks, whether it was answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from aimyproxy import aimylogic, jsonvalue

if TYPE_CHECKING:
    from aimyproxy.exchange import Conversation, Exchange


class Glance(NamedTuple):
    """What a glance at a stored exchange shows.

    `event` and `conversation` are those that its request names, whatever is stored beside it. `answered` means that
    there is a response, `deep` that it is nested too deep to be walked. `upstream_ms` is the webhook's time, None where
    nobody measured it.
    """

    event: str | None
    conversation: Conversation | None
    answered: bool
    upstream_ms: float | None
    deep: bool = False

    @classmethod
    def of(cls, exchange: Exchange) -> Glance:
        """The same of an exchange that was read whole."""
        request, response = exchange.request.body, exchange.response
        deep = jsonvalue.too_deep(request.value) or (response is not None and jsonvalue.too_deep(response.body.value))
        event, conversation = aimylogic.identify(request.variables())
        return cls(event, conversation, response is not None, exchange.timing.upstream_ms, deep)
