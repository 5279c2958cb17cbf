from __future__ import annotations

import json

from aimyproxy.exchange import Body, Failure, Response
from aimyproxy.replay.answers import Answerer, Source, served_headers
from aimyproxy.replay.mocks import Mock
from tests.builders import START, exchange, request, response


def body_of(answerer, variables=None):
    return json.loads(answerer.answer("exact", START if variables is None else variables).body)


def mock(**members):
    return Mock.parse(3, {"event": "start", **members})


def test_the_header_says_where_the_answer_comes_from():
    """In the form `exact; exchange=17`, and on the terminal `exact #17`."""
    assert Source("exact", exchange=17).header == "exact; exchange=17"
    assert str(Source("exact", exchange=17)) == "exact #17"
    assert Source("mock", mock=3).header == "mock; mock=3"
    assert str(Source("mock", mock=3)) == "mock 3"
    assert Source("mock", exchange=17, mock=3).header == "mock; mock=3"
    assert str(Source("mock", exchange=17, mock=3)) == "mock 3 (edited #17)"


def test_recorded_headers_are_served_without_the_hops_own():
    """And in their order; the content type stays, also where it lies."""
    recorded = (
        ("Content-Type", "text/html"),
        ("Set-Cookie", "a=1"),
        ("Date", "Mon"),
        ("Server", "nginx"),
        ("Connection", "close"),
        ("Transfer-Encoding", "chunked"),
        ("Content-Length", "7"),
        ("Content-Encoding", "br"),
        ("Aimyproxy-Answer", "miss"),
        ("Keep-Alive", "timeout=5"),
        ("X-Broken", "a\r\nb"),
        ("Set-Cookie", "b=2"),
    )
    kept = (("Content-Type", "text/html"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"))
    assert served_headers(recorded, Body("text", "decoded")) == kept
    assert ("Content-Encoding", "br") in served_headers(recorded, Body("base64", b"\xff", encoded=True))


def test_an_exchange_answers_with_its_status_and_its_rebased_body():
    """An error status answers like any other."""
    answerer = Answerer.of_exchange(17, exchange(answered=response({**START, "error": "no"}, status=500)))
    answer = answerer.answer("usual", {"action": "start", "name": "Пётр"})
    assert answer.status == 500
    assert json.loads(answer.body) == {"action": "start", "name": "Пётр", "error": "no"}
    assert answer.source == Source("usual", exchange=17)


def test_an_exchange_without_a_response_answers_nothing():
    """There is nothing to serve."""
    assert Answerer.of_exchange(17, exchange(failure=Failure("timeout", "30 s"))) is None


def test_what_is_no_object_is_served_as_recorded():
    """An array, a page, bytes."""
    for body in (Body("json", [START]), Body("text", "<html>"), Body("base64", b"\xff"), Body()):
        answerer = Answerer.of_exchange(1, exchange(answered=Response(200, (), body)))
        assert answerer.answer("exact", {"action": "other"}).body == body.raw


def test_an_object_that_is_stored_as_text_is_rebased_only_where_it_echoed():
    """Its spelling is kept where it doesn't speak of the user."""
    exact = '{"n": 123456789012345678901234567890}'
    delta = Answerer.of_exchange(1, exchange(answered=Response(200, (), Body("text", exact))))
    assert delta.answer("exact", {}).body == exact.encode()
    echo = '{"n": 123456789012345678901234567890, "name": "Иван"}'
    answerer = Answerer.of_exchange(1, exchange(answered=Response(200, (), Body("text", echo))))
    assert body_of(answerer, {"name": "Пётр"}) == {"n": 123456789012345678901234567890, "name": "Пётр"}


def test_a_rule_is_sent_as_it_is():
    """As JSON, text or bytes, with a content type that says so, unless it brings its own."""
    answerer = Answerer.of_mock(mock(answer={"name": "John"}))
    assert answerer.answer("mock", START).body == b'{"name":"John"}'
    assert answerer.headers == (("content-type", "application/json"),)
    assert (answerer.status, answerer.delay_ms) == (200, 0)
    assert Answerer.of_mock(mock(text="hi")).headers == (("content-type", "text/plain; charset=utf-8"),)
    assert Answerer.of_mock(mock(base64="/w==")).headers == (("content-type", "application/octet-stream"),)
    assert Answerer.of_mock(mock(status=503)).headers == ()
    own = [["Content-Type", "text/html"], ["Content-Length", "1"]]
    assert Answerer.of_mock(mock(text="hi", headers=own)).headers == (("Content-Type", "text/html"),)


def test_an_edited_exchange_is_rebased_and_completed_from_the_recorded_one():
    """Status and headers are the recorded ones where the edit gives none."""
    recorded = exchange(answered=response({**START, "greeting": "Привет"}, status=201))
    edit = mock(answer={**START, "greeting": "Здравствуйте"}, from_exchange=17, delay_ms=5)
    answerer = Answerer.of_exchange(17, recorded, edit)
    assert body_of(answerer, {"name": "Пётр"}) == {"name": "Пётр", "greeting": "Здравствуйте"}
    assert (answerer.status, answerer.headers, answerer.delay_ms) == (201, recorded.response.headers, 5)
    assert answerer.answer("usual", {}).source == Source("mock", exchange=17, mock=3)
    changed = Answerer.of_exchange(17, recorded, mock(text="oops", status=500, from_exchange=17))
    assert (changed.status, changed.headers) == (500, (("content-type", "text/plain; charset=utf-8"),))


def test_an_edit_gives_a_failed_exchange_an_answer():
    """Where nothing came, the user says what should have come."""
    failed = exchange(request(), failure=Failure("connect", "refused"))
    answerer = Answerer.of_exchange(17, failed, mock(answer={"text": "hi"}, from_exchange=17))
    assert (answerer.status, answerer.answer("exact", {}).body) == (200, b'{"text":"hi"}')
