"""Short ways to make the things that tests are about."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aimyproxy import aimylogic
from aimyproxy.exchange import Body, Exchange, Request, Response, Timing

if TYPE_CHECKING:
    from aimyproxy.exchange import Failure

START = {
    "action": "start",
    "queryText": "Хочу пиццу 🍕",
    "userId": "telegram-40112-pizza-635678009",
    "channelId": "40112-pizza-tg1",
    "channelType": "telegram",
    "name": "Иван",
    "lastSeen": 42,
    "rawRequest": {
        "update_id": 817263541,
        "message": {"message_id": 1187, "date": 1719830400, "text": "Хочу пиццу 🍕"},
    },
}


def request(variables: Any = None, **changes: Any) -> Request:
    """A bot's POST of these variables (START's unless given), with some of them changed."""
    body = {**(START if variables is None else variables), **changes}
    return Request("POST", "/", (("content-type", "application/json"),), Body.of(json.dumps(body).encode()))


def response(variables: Any, status: int = 200) -> Response:
    """A webhook's answer of these variables."""
    return Response(status, (("content-type", "text/html; charset=utf-8"),), Body.of(json.dumps(variables).encode()))


def exchange(
    asked: Request | None = None,
    answered: Response | None = None,
    failure: Failure | None = None,
    at: str = "2026-11-22T10:15:30.123456Z",
) -> Exchange:
    """An exchange of this request and response; an echoing `{"greeting": "Привет"}` unless given."""
    asked = asked or request()
    if answered is None and failure is None:
        answered = response({**(asked.body.variables() or {}), "greeting": "Привет"})
    event, conversation = aimylogic.identify(asked.body.variables())
    return Exchange(at, event, conversation, asked, answered, failure, Timing(41.2, 42.0))
