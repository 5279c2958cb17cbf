"""Answers: what replay serves, and where it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

from aimyproxy import jsonvalue
from aimyproxy.answering.mocks import sendable
from aimyproxy.answering.rebase import Plan
from aimyproxy.answering.templates import TemplateFailed, filled
from aimyproxy.exchange import Body

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aimyproxy.answering.faults import Fault
    from aimyproxy.answering.mocks import Mock
    from aimyproxy.exchange import Exchange, Headers, Response
    from aimyproxy.jsonvalue import JSON

HEADER: Final = "Aimyproxy-Answer"
"""The response header that says where an answer comes from."""

Step: TypeAlias = Literal["mock", "exact", "learned", "conversation", "guess", "usual"]
"""The step of the look-up that found an answer, in the order of trust."""

# Of the connection, not of the message, or set anew by whoever serves it.
_NOT_SERVED: Final = frozenset(
    {
        "aimyproxy-answer",
        "connection",
        "content-length",
        "date",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "server",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_CONTENT_TYPES: Final = {
    "json": "application/json",
    "text": "text/plain; charset=utf-8",
    "base64": "application/octet-stream",
}
_AN_OBJECT: Final = Body("json", {})


class Source(NamedTuple):
    """Where an answer comes from: the step that found it, and the ids of the exchange and the mock behind it.

    `over` is the source of the answer that a merging mock was laid over. `problem` says why the mock failed.
    """

    step: Step
    exchange: int | None = None
    mock: int | None = None
    over: Source | None = None
    problem: str = ""

    @property
    def header(self) -> str:
        """The value of the header Aimyproxy-Answer: `exact; exchange=17`, `mock; mock=3` or `mock; mock=3; failed`."""
        if self.mock is None:
            return f"{self.step}; exchange={self.exchange}"
        over = f"; over={self.over.step}" if self.over else ""
        origin = f"; exchange={self.over.exchange}" if self.over and self.over.exchange else ""
        return f"mock; mock={self.mock}{over}{origin}" + ("; failed" if self.problem else "")

    def __str__(self) -> str:
        if self.mock is None:
            return f"{self.step} #{self.exchange}"
        if self.problem:
            return f"mock {self.mock} failed: {self.problem}"
        over = f" over {self.over}" if self.over else ""
        return f"mock {self.mock}" + (f" (edited #{self.exchange})" if self.exchange else "") + over


class Answer(NamedTuple):
    """A response to serve; `body` is the bytes to send.

    `delay_ms` and `fault` are how many milliseconds its mock wants it to take, and what to go wrong; None where the
    mock doesn't say, or there is none. `hollow` means that mocks say nothing else, and there is nothing beneath them.
    """

    status: int
    headers: Headers
    body: bytes
    delay_ms: float | None
    source: Source
    fault: Fault | None = None
    hollow: bool = False


@dataclass(frozen=True, slots=True)
class Draft:
    """What a mock answers with before its templates are rendered: JSON, or the plan of an object, with them in it."""

    value: JSON | Plan

    def finished(self, variables: Mapping[str, JSON], count: int) -> JSON:
        """The value for a request; raises TemplateFailed."""
        value = self.value.rebased(variables) if isinstance(self.value, Plan) else self.value
        return filled(value, variables, count)


@dataclass(frozen=True, slots=True)
class Answerer:
    """What answers once it is found: a recorded exchange, an edited one, or a mock, ready to be rebased.

    `content` is the bytes that every request gets, or the plan or the draft that makes a value for each; a draft that
    makes a string answers with it as text where `is_text`. Where `merge` is true, `content` is a draft of an object or
    None, to be laid over another answer: `beneath`'s where there is one. `status` 0 is that answer's.
    """

    status: int
    headers: Headers
    content: bytes | Plan | Draft | None
    delay_ms: float | None = None
    exchange: int | None = None
    mock: int | None = None
    is_text: bool = False
    merge: bool = False
    beneath: Answerer | None = None
    fault: Fault | None = None

    @property
    def fixed(self) -> bool:
        """Whether it answers the same whatever the request says."""
        return isinstance(self.content, bytes)

    @classmethod
    def of_exchange(cls, identity: int, exchange: Exchange, edit: Mock | None = None) -> Answerer | None:
        """The recorded response of an exchange, or its edited one; None where there is neither."""
        if edit is not None:
            return cls.of_mock(edit, identity, exchange)
        response = exchange.response
        if response is None:
            return None
        content = _content(exchange.request.body.variables(), response.body)
        return cls(response.status, served_headers(response.headers, response.body), content, exchange=identity)

    @classmethod
    def of_mock(cls, mock: Mock, identity: int | None = None, exchange: Exchange | None = None) -> Answerer:
        """A mock's answer; where it was made from this exchange, rebased and completed as that one's response."""
        if mock.merge:
            return cls._of_merging(mock, identity, exchange)
        recorded = exchange.response if exchange else None
        status = mock.status or (recorded.status if recorded else 200)
        headers = mock.headers
        if headers is None:
            headers = _kept_headers(recorded, mock.body) if recorded else ()
        return cls(
            status,
            _with_content_type(served_headers(headers, mock.body), mock.body),
            _mock_content(exchange.request.body.variables() if exchange else None, mock),
            mock.delay_ms,
            identity,
            mock.identity,
            is_text=mock.body.kind == "text",
            fault=mock.fault,
        )

    @classmethod
    def _of_merging(cls, mock: Mock, identity: int | None, exchange: Exchange | None) -> Answerer:
        return cls(
            mock.status or 0,
            served_headers(mock.headers or (), mock.body),
            None if mock.body.kind == "absent" else Draft(mock.body.value if mock.tree is None else mock.tree),
            mock.delay_ms,
            identity,
            mock.identity,
            merge=True,
            beneath=cls.of_exchange(identity, exchange) if exchange and identity and mock.edits_exchange else None,
            fault=mock.fault,
        )

    def answer(
        self, step: Step, variables: Mapping[str, JSON] | None, count: int = 1, beneath: Answer | None = None
    ) -> Answer:
        """The answer to a request of these variables (None: it has none), found by this step.

        `count` says how often its event came in the conversation, from 1. `beneath` is what a merging mock is laid
        over. A template that fails makes an answer with status 500 that explains it.
        """
        source = Source(step if self.mock is None else "mock", self.exchange, self.mock)
        if isinstance(self.content, bytes):
            return Answer(self.status, self.headers, self.content, self.delay_ms, source, self.fault)
        answer = self._answer(step, variables, count, beneath, source)
        return answer._replace(fault=self.fault) if self.fault else answer

    def _answer(
        self, step: Step, variables: Mapping[str, JSON] | None, count: int, beneath: Answer | None, source: Source
    ) -> Answer:
        try:
            made = self._made(variables or {}, count)
        except TemplateFailed as failure:
            return self._failed(source, failure)
        if self.merge:
            if self.beneath:
                beneath = self.beneath.answer(step, variables, count)
            return self._laid_over(made, beneath, source)
        body = made.encode("utf-8", "replace") if self.is_text else jsonvalue.dumps(made)
        return Answer(self.status, self.headers, body, self.delay_ms, source)

    def _made(self, variables: Mapping[str, JSON], count: int) -> JSON:
        if isinstance(self.content, Draft):
            return self.content.finished(variables, count)
        return self.content.rebased(variables) if isinstance(self.content, Plan) else None

    def _laid_over(self, made: dict[str, JSON] | None, beneath: Answer | None, source: Source) -> Answer:
        if beneath is None:
            beneath = Answer(200, (("content-type", _CONTENT_TYPES["json"]),), b"{}", None, source, hollow=True)
        elif beneath.source.problem:
            return beneath
        else:
            source = source._replace(exchange=None, over=beneath.source)
        known = None if made is None else Body.of(beneath.body).variables()
        replaced = {name.lower() for name, _ in self.headers}
        if made is not None and known is None:
            replaced |= {"content-type", "content-encoding"}
        headers = (*self.headers, *((name, value) for name, value in beneath.headers if name.lower() not in replaced))
        body = beneath.body
        if made is not None:
            body = jsonvalue.dumps({**(known or {}), **made})
            headers = _with_content_type(headers, _AN_OBJECT)
        delay = beneath.delay_ms if self.delay_ms is None else self.delay_ms
        hollow = beneath.hollow and made is None and not (self.status or self.headers)
        return Answer(self.status or beneath.status, headers, body, delay, source, beneath.fault, hollow)

    def _failed(self, source: Source, failure: TemplateFailed) -> Answer:
        problem = str(failure)
        document = {
            "error": f"Mock {self.mock} failed: {problem}",
            "mock": self.mock,
            "member": failure.member,
            "problem": failure.problem,
        }
        headers = (("content-type", _CONTENT_TYPES["json"]),)
        return Answer(500, headers, jsonvalue.dumps(document) + b"\n", 0.0, source._replace(problem=problem))


def served_headers(headers: Headers, body: Body) -> Headers:
    """The recorded headers that still hold when this body is served again, in their order.

    The content type stays as it was recorded, also where it lies: the bot shall see what it saw.
    """
    dropped = _NOT_SERVED if body.encoded else _NOT_SERVED | {"content-encoding"}
    return _one(tuple(pair for pair in headers if pair[0].lower() not in dropped and sendable(*pair)))


@lru_cache(maxsize=4096)
def _one(headers: Headers) -> Headers:
    """These headers: the same object where a recording has them again and again."""
    return headers


def _kept_headers(recorded: Response, body: Body) -> Headers:
    if recorded.body.kind == body.kind:
        return recorded.headers
    return tuple((name, value) for name, value in recorded.headers if name.lower() != "content-type")


def _with_content_type(headers: Headers, body: Body) -> Headers:
    if body.kind == "absent" or any(name.lower() == "content-type" for name, _ in headers):
        return headers
    return (("content-type", _CONTENT_TYPES[body.kind]), *headers)


def _content(request: Mapping[str, JSON] | None, body: Body) -> bytes | Plan:
    response = body.variables() if request is not None else None
    if request is None or response is None:
        return jsonvalue.trimmed(body.raw)
    plan = Plan.of(request, response)
    return jsonvalue.trimmed(body.raw) if plan.constant else plan


def _mock_content(request: Mapping[str, JSON] | None, mock: Mock) -> bytes | Plan | Draft:
    if mock.tree is None:
        return _content(request, mock.body)
    # A template is equal to nothing in the request: in a plan, it is a constant.
    rebasing = request is not None and isinstance(mock.tree, dict)
    return Draft(Plan.of(request or {}, mock.tree) if rebasing else mock.tree)
