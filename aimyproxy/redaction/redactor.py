"""The redactor: exchanges, requests and texts with what is secret or personal replaced."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from aimyproxy import aimylogic, jsonvalue
from aimyproxy.documents import request_document, to_document
from aimyproxy.exchange import Body, Failure, Request, Response
from aimyproxy.redaction.known import MOST, KnownValues, searched
from aimyproxy.redaction.members import Members
from aimyproxy.redaction.named import AUTHORIZED, Named
from aimyproxy.redaction.pseudonyms import Pseudonyms
from aimyproxy.redaction.replacing import Replacing, as_bytes, as_text
from aimyproxy.redaction.rules import SECRETS, Rules
from aimyproxy.redaction.spellings import Spelled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import TypeAlias

    from aimyproxy.exchange import Conversation, Exchange, Headers
    from aimyproxy.jsonvalue import JSON
    from aimyproxy.redaction.known import Kind

    Variables: TypeAlias = Mapping[str, JSON] | None


class Asked(NamedTuple):
    """A request as it is redacted, and what was replaced in it: values and what stands for them."""

    request: Request
    replaced: dict[str, str]


@dataclass(slots=True)
class Replacements:
    """Replacements as texts, with what their values are; `others` is true where there are values as they came, too."""

    texts: dict[str, Kind]
    others: bool = False


class Redactor:
    """Replaces by a key (32 bytes) what the rules name, and the same values wherever they come again.

    What it was given stays as it was. Values are known from the exchange on in which they stand at a place that rules
    name. Safe to use from several threads. `pseudonyms` makes what stands for values, by the `key`.
    """

    def __init__(self, key: bytes, rules: Rules = SECRETS, most: int = MOST) -> None:
        self.rules = rules
        self.key = key
        self.pseudonyms = Pseudonyms(key)
        self._known = KnownValues(most)
        self._named = Named(self._secret)
        self._members = Members(rules, self._take, self._named.text)
        self._lock = threading.RLock()
        self._spared: Callable[[str, Kind], bool] | None = None
        self._replaced: dict[str, str] = {}

    @property
    def knows(self) -> bool:
        """Whether any value is known."""
        return len(self._known) > 0

    def take_up(self, key: bytes, rules: Rules) -> None:
        """Redact by this key and these rules from now on; what is known stays so."""
        with self._lock:
            self.rules = rules
            self._members = Members(rules, self._take, self._named.text)
            if key != self.key:
                self.key, self.pseudonyms = key, Pseudonyms(key)
                self._known.replace_by(self.pseudonyms.of)

    def learn(self, values: Iterable[str]) -> None:
        """Know these secrets from the beginning."""
        with self._lock:
            for value in values:
                self._take(value, "secret")

    def exchange(self, exchange: Exchange) -> Exchange:
        """The exchange as it may be kept and shown."""
        return self.kept(exchange)[0]

    def kept(self, exchange: Exchange) -> tuple[Exchange, bytes]:
        """The exchange as it may be kept and shown, and its stored form, which is looked through for that."""
        with self._lock:
            self._replaced = {}
            frame = exchange.request.body.variables()
            return self._finished(exchange, self._request(exchange.request, frame), frame)

    def answer(self, exchange: Exchange) -> Exchange:
        """As `exchange`, for one whose request was sent from a redacted recording: its replacements stay."""
        kept = self.replacements(replace(exchange, response=None, failure=None), self.rules).texts
        with self.sparing(lambda text, _kind: text in kept):
            return self._finished(exchange, exchange.request, exchange.request.body.variables())[0]

    def further(self, exchange: Exchange, rules: Rules, *, marked: bool = False) -> Exchange:
        """As `exchange`, for one that is redacted by these rules already: their replacements stay.

        Where it was redacted by this key (`marked`), what has no mark though it could is no replacement.
        """
        kept = self.replacements(exchange, rules, marked=marked).texts
        with self.sparing(lambda text, _kind: text in kept):
            frame = exchange.request.body.variables()
            return self._finished(exchange, self._request(exchange.request, frame), frame)[0]

    def replacements(self, exchange: Exchange, rules: Rules, *, marked: bool = False) -> Replacements:
        """What stands at the places of the rules in an exchange that is redacted by them; as `further`."""
        found = Replacements({})

        def collect(text: str, kind: Kind) -> bool:
            if marked and self.pseudonyms.made(text) is False:
                found.others = True
            else:
                found.texts.setdefault(text, kind)
            return True

        frame = exchange.request.body.variables()
        with self.sparing(collect):
            own = self._members
            self._members = Members(rules, self._take, self._named.text)
            try:
                self._placed(exchange, self._request(exchange.request, frame), frame)
            finally:
                self._members = own
        return found

    @contextmanager
    def sparing(self, spared: Callable[[str, Kind], bool]) -> Iterator[None]:
        """A context in which the values that this tells are left where they stand."""
        with self._lock:
            before, self._spared = self._spared, spared
            try:
                yield
            finally:
                self._spared = before

    def request(self, request: Request) -> Asked:
        """The request as the recording would keep it, and what had to be replaced for that."""
        with self._lock:
            self._replaced = {}
            placed = self._request(request, request.body.variables())
            found = self._known.found_in(jsonvalue.dumps(request_document(placed))) if len(self._known) else []
            if found:
                placed = Replacing(found).request(placed)
            replaced = {**self._replaced, **{value.text: value.replacement for value in found}}
            return Asked(placed, replaced)

    def heed(self, headers: Headers) -> None:
        """Know the secrets that stand in these headers."""
        with self._lock:
            self._named.headers(headers)

    def json(self, value: JSON, frame: Variables = None) -> JSON:
        """A JSON value with what rules name in it and the known values replaced; the very same where there are none.

        `frame` are the variables that say what channel it is of.
        """
        with self._lock:
            return self.echoes(self._members.redacted(value, frame))

    def echoes(self, value: JSON) -> JSON:
        """A JSON value with the known values replaced; the very same where there are none."""
        with self._lock:
            found = self._known.found_in(jsonvalue.dumps(value))
            return Replacing(found).json(value) if found else value

    def meet(self, value: str, kind: Kind) -> None:
        """Know a value that stands somewhere else than at its place."""
        with self._lock:
            self._take(value, kind)

    def raw(self, raw: bytes) -> bytes:
        """Bytes of whatever, without their secrets by name and the known values."""
        with self._lock:
            return as_bytes(self.text(self._named.text(as_text(raw))))

    def text(self, text: str) -> str:
        """A text for a screen or a log, with the known values replaced in it."""
        with self._lock:
            found = self._known.found_in(text.encode("utf-8", "surrogatepass"))
            return Replacing(found).text(text) if found else text

    def conversation(self, conversation: Conversation | None) -> Conversation | None:
        """A conversation as the recording would name it."""
        if conversation is None or not self.rules.personal:
            return conversation
        channel_type, channel, user = conversation
        with self._lock:
            return channel_type, channel, self._members.user(user, channel_type, channel)

    def _finished(self, exchange: Exchange, request: Request, frame: Variables) -> tuple[Exchange, bytes]:
        placed = _renamed(self._placed(exchange, request, frame), exchange)
        stored = jsonvalue.dumps(to_document(placed))
        if found := self._known.found_in(stored):
            placed = _renamed(Replacing(found).exchange(placed), placed)
            stored = jsonvalue.dumps(to_document(placed))
        return placed, stored

    def _placed(self, exchange: Exchange, request: Request, frame: Variables) -> Exchange:
        """The exchange with this request, and with the rest replaced where rules name its place."""
        response = exchange.response and self._response(exchange.response, frame)
        failure = exchange.failure and self._failure(exchange.failure)
        if request is exchange.request and response is exchange.response and failure is exchange.failure:
            return exchange
        return replace(exchange, request=request, response=response, failure=failure)

    def _request(self, request: Request, frame: Variables) -> Request:
        path = self._named.query(request.path) if "=" in request.path else request.path
        headers, body = self._named.headers(request.headers), self._body(request.body, frame)
        if path is request.path and headers is request.headers and body is request.body:
            return request
        return Request(request.method, path, headers, body)

    def _response(self, response: Response, frame: Variables) -> Response:
        headers, body = self._named.headers(response.headers), self._body(response.body, frame)
        if headers is response.headers and body is response.body:
            return response
        return Response(response.status, headers, body)

    def _failure(self, failure: Failure) -> Failure:
        message = self._named.text(failure.message)
        return failure if message == failure.message else Failure(failure.kind, message)

    def _body(self, body: Body, frame: Variables) -> Body:
        if body.kind == "json":
            value = self._members.redacted(body.value, frame)
            return body if value is body.value else Body("json", value)
        if body.kind == "text":
            text = self._by_rules(self._named.text(body.value), frame)
            return body if text == body.value else replace(body, value=text)
        if body.kind == "base64":
            return replace(body, value=as_bytes(self._named.text(as_text(body.value))))
        return body

    def _by_rules(self, text: str, frame: Variables) -> str:
        """A text that is JSON after all (with numbers that have no exact place in it), as rules beyond secrets want."""
        if not (self.rules.personal or self.rules.paths):
            return text
        variables = Body("text", text).variables()
        redacted = self._members.redacted(variables, frame)
        return text if redacted is variables else jsonvalue.dumps(redacted).decode()

    def _secret(self, value: str) -> str:
        return str(self._take(value, "secret"))

    def _take(self, value: JSON, kind: Kind) -> JSON:
        """What stands for a scalar at a place that rules name; from now on it is known."""
        if kind == "secret" and isinstance(value, str) and (scheme := AUTHORIZED.match(value)):
            # Else a token would be another one where a member repeats its header whole.
            return scheme[0] + str(self._take(value[scheme.end() :], kind))
        text = value if isinstance(value, str) else repr(value)
        if self._spared is not None and self._spared(text, kind):
            return value
        replacement = self.pseudonyms.for_value(value)
        if replacement is not value:
            spelled = replacement if isinstance(replacement, str) else repr(replacement)
            self._replaced[text] = spelled
            self._known.add(text, spelled, kind)
        return replacement


def _renamed(redacted: Exchange, original: Exchange) -> Exchange:
    """The exchange with the event and the conversation that its request has now."""
    if redacted.request.body is original.request.body:
        return redacted
    event, conversation = aimylogic.identify(redacted.request.body.variables())
    return replace(redacted, event=event, conversation=conversation)


def restoring(replaced: Mapping[str, str]) -> list[Spelled]:
    """What puts values back that were replaced in a request, where they can be told from other text."""
    found = []
    for text, replacement in sorted(replaced.items(), key=lambda pair: -len(pair[0])):
        if how := searched(text, "secret") or searched(text, "personal"):
            found.append(Spelled(replacement, text, apart=how == "apart"))
    return found
