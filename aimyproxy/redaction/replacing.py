"""Known values replaced wherever an exchange spells them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from aimyproxy.exchange import Body

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aimyproxy.exchange import Exchange, Headers, Request, Response
    from aimyproxy.jsonvalue import JSON
    from aimyproxy.redaction.spellings import Spelled


class Replacing:
    """Puts replacements in the place of these values, the first of them first."""

    def __init__(self, values: Sequence[Spelled]) -> None:
        self._values = values
        self._numbers = {value.text: value.replacement for value in values if value.is_number}

    def text(self, text: str) -> str:
        """The text with all of them replaced."""
        for value in self._values:
            text = value.substituted(text)
        return text

    def json(self, value: JSON) -> JSON:
        """The value with all of them replaced, in the names of members too; a number only as a whole."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return self._object(value)
        if isinstance(value, list):
            return [self.json(member) for member in value]
        if self._numbers and isinstance(value, int | float) and not isinstance(value, bool):
            return type(value)(self._numbers.get(repr(value), value))
        return value

    def _object(self, value: dict[str, JSON]) -> dict[str, JSON]:
        result: dict[str, JSON] = {}
        for name, member in value.items():
            renamed = self.text(name)
            # Two names that became one would be one member less.
            while renamed != name and (renamed in value or renamed in result):
                renamed += "_"
            result[renamed] = self.json(member)
        return result

    def body(self, body: Body) -> Body:
        """The body with all of them replaced."""
        if body.kind == "json":
            return Body("json", self.json(body.value))
        if body.kind == "text":
            return replace(body, value=self.text(body.value))
        if body.kind == "base64":
            return replace(body, value=as_bytes(self.text(as_text(body.value))))
        return body

    def request(self, request: Request) -> Request:
        """The request with all of them replaced."""
        return replace(
            request,
            method=self.text(request.method),
            path=self.text(request.path),
            headers=self._headers(request.headers),
            body=self.body(request.body),
        )

    def exchange(self, exchange: Exchange) -> Exchange:
        """The exchange with all of them replaced; event and conversation are as they were."""
        failure = exchange.failure
        return replace(
            exchange,
            request=self.request(exchange.request),
            response=exchange.response and self._response(exchange.response),
            failure=failure and replace(failure, message=self.text(failure.message)),
        )

    def _response(self, response: Response) -> Response:
        return replace(response, headers=self._headers(response.headers), body=self.body(response.body))

    def _headers(self, headers: Headers) -> Headers:
        return tuple((self.text(name), self.text(value)) for name, value in headers)


def as_text(raw: bytes) -> str:
    """Bytes as a text in which what is UTF-8 can be read, and from which `as_bytes` makes the same bytes again."""
    return raw.decode("utf-8", "surrogateescape")


def as_bytes(text: str) -> bytes:
    """The bytes of such a text."""
    return text.encode("utf-8", "surrogateescape")
