"""An exchange as it is stored: what pairs it with another is read at once, the rest when somebody asks for it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final

from aimyproxy import aimylogic, jsonvalue
from aimyproxy.aimylogic import Effect
from aimyproxy.diff.answers import EFFECTS, Answer, answer_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from aimyproxy.diff.answers import Scope
    from aimyproxy.exchange import Conversation, Exchange, Request
    from aimyproxy.jsonvalue import JSON
    from aimyproxy.store.recording import Recording

_BODY: Final = ("json", "text", "base64", "encoded")
_ANSWER: Final = ("status", *_BODY)


class Stored:
    """One exchange of a recording. Its members raise BrokenFile where its document is none of an exchange."""

    def __init__(self, identity: int, document: dict[str, JSON], recording: Recording) -> None:
        self._identity = identity
        self._document = document
        self._recording = recording

    @cached_property
    def _answered(self) -> bool:
        """Whether it looks like an exchange with an answer, as far as that can be told at a glance."""
        return _is_answered(self._document)

    @cached_property
    def exchange(self) -> Exchange:
        """All of it."""
        return self._recording.parsed(self._identity, self._document)

    @property
    def event(self) -> str | None:
        event = self._document.get("event")
        return event if event is None or isinstance(event, str) else self.exchange.event

    @property
    def conversation(self) -> Conversation | None:
        known = self._document.get("conversation")
        if isinstance(known, list) and len(known) == 3:
            channel, bot, user = known
            if isinstance(user, str) and _is_name(channel) and _is_name(bot):
                return channel, bot, user
        return self.exchange.conversation

    @property
    def variables(self) -> JSON:
        """The variables of the request, an object; None where it has none."""
        request = self._document.get("request")
        body = request.get("json") if isinstance(request, dict) else None
        return body if isinstance(body, dict) and self._answered else self.request.body.variables()

    @property
    def made_from(self) -> tuple[str, int] | None:
        return self.exchange.made_from if "made_from" in self._document else None

    @property
    def request(self) -> Request:
        return self.exchange.request

    @property
    def milliseconds(self) -> float | None:
        """How long the webhook took, None where nobody knows."""
        timing = self._document.get("timing")
        taken = timing.get("upstream_ms") if isinstance(timing, dict) else None
        return taken if taken is None or jsonvalue.is_number(taken) else self.exchange.timing.upstream_ms

    def answers_alike(self, other: Stored, scope: Scope) -> bool:
        """Whether both were asked and answered the same, to the letter; headers count where the scope says so."""
        one, two = self._document, other._document
        # What is odd is read whole, so that it is named.
        if scope.headers or scope.context or not self._answered:
            return False
        if one["response"] is two.get("response") and one["request"] is two.get("request"):
            return two.get("failure") is None
        return (
            other._answered
            and _same(one["response"], two["response"], _ANSWER)
            and _same(one["request"], two["request"], _BODY)
        )

    def answer(self, scope: Scope) -> Answer:
        """How the webhook answered; without reading more of it than that takes."""
        document = self._document
        after = document["response"].get("json") if scope == EFFECTS and self._answered else None
        if not isinstance(after, dict):
            return answer_of(self._identity, self.exchange, scope)
        effect = Effect("variables", aimylogic.changed(self.variables or {}, after))
        status = document["response"]["status"]
        return Answer(self._identity, self.event, status, None, effect, document["at"], self.milliseconds)


def stored(recording: Recording, parse: Callable[[bytes], JSON] = jsonvalue.loads) -> Iterator[tuple[int, Stored]]:
    """The ids and the exchanges of a recording, in recorded order; `parse` as for its `documents`."""
    for identity, document in recording.documents(parse):
        if isinstance(document, dict):
            yield identity, Stored(identity, document, recording)
        else:
            recording.parsed(identity, document)


def _is_answered(document: dict[str, JSON]) -> bool:
    request, response = document.get("request"), document.get("response")
    return (
        isinstance(document.get("at"), str)
        and document.get("failure") is None
        and isinstance(request, dict)
        and isinstance(request.get("method"), str)
        and isinstance(request.get("path"), str)
        and isinstance(request.get("headers", []), list)
        and isinstance(response, dict)
        and type(response.get("status")) is int
        and 100 <= response["status"] <= 999
        and isinstance(response.get("headers", []), list)
    )


def _same(one: dict[str, JSON], two: dict[str, JSON], members: tuple[str, ...]) -> bool:
    # As bytes: Python takes true for 1.
    return jsonvalue.dumps([(name, one[name]) for name in members if name in one]) == jsonvalue.dumps(
        [(name, two[name]) for name in members if name in two]
    )


def _is_name(value: JSON) -> bool:
    return value is None or isinstance(value, str)
