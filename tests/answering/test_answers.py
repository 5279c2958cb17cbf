from __future__ import annotations

import json

import pytest

from aimyproxy.answering.answers import Answer, Answerer, Source, served_headers
from aimyproxy.answering.faults import Fault
from aimyproxy.answering.mocks import Mock
from aimyproxy.exchange import Body, Failure, Response
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
    merged = Source("mock", mock=3, over=Source("exact", exchange=17))
    assert (merged.header, str(merged)) == ("mock; mock=3; over=exact; exchange=17", "mock 3 over exact #17")
    failed = Source("mock", mock=3, problem="answer.a: 'b' is undefined")
    assert (failed.header, str(failed)) == ("mock; mock=3; failed", "mock 3 failed: answer.a: 'b' is undefined")


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
    assert (answerer.status, answerer.delay_ms) == (200, None)
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


def test_templates_are_rendered_for_each_request():
    """With its variables and the number of the asking."""
    answerer = Answerer.of_mock(mock(answer={"text": "{{ name }}, {{ count }}", "list": ["{{ order }}"], "n": 1}))
    variables = {"name": "Пётр", "order": {"qty": 2}}
    answer = answerer.answer("mock", variables, 2)
    assert json.loads(answer.body) == {"text": "Пётр, 2", "list": [{"qty": 2}], "n": 1}
    assert (answer.status, answer.headers) == (200, (("content-type", "application/json"),))
    text = Answerer.of_mock(mock(text="{{ name }}")).answer("mock", {"name": "Пётр \ud83d"})
    assert text.body.decode() == "Пётр ?"
    assert Answerer.of_mock(mock(text="{{ order }}")).answer("mock", variables).body == b'{"qty":2}'
    assert Answerer.of_mock(mock(answer="{{ order }}")).answer("mock", variables).body == b'{"qty":2}'


def test_a_template_that_fails_is_explained():
    """Status 500: the mock, the member, the problem; never a traceback."""
    answerer = Answerer.of_mock(mock(answer={"items": [{"title": "{{ nmae }}"}]}, delay_ms=5))
    answer = answerer.answer("mock", START)
    problem = "'nmae' is undefined"
    assert json.loads(answer.body) == {
        "error": f"Mock 3 failed: answer.items[0].title: {problem}",
        "mock": 3,
        "member": "answer.items[0].title",
        "problem": problem,
    }
    assert (answer.status, answer.headers, answer.delay_ms) == (500, (("content-type", "application/json"),), 0)
    assert str(answer.source) == "mock 3 failed: answer.items[0].title: 'nmae' is undefined"


def test_an_edits_templates_are_rendered_and_the_rest_is_rebased():
    """What a user says is never a template."""
    recorded = exchange(answered=response({**START, "greeting": "Привет"}))
    edit = mock(answer={**START, "greeting": "Здравствуйте, {{ name }}"}, from_exchange=17)
    answerer = Answerer.of_exchange(17, recorded, edit)
    sly = "{{ 7 * 7 }}"
    assert body_of(answerer, {"name": sly}) == {"name": sly, "greeting": f"Здравствуйте, {sly}"}


BENEATH = Answer(
    201, (("Content-Type", "text/html"), ("X", "1")), b'{"a":1,"b":{"c":1}}', 7, Source("exact", exchange=9)
)


def test_a_merging_mock_is_laid_over_the_answer_beneath():
    """Variable by variable; what it doesn't give stays as it is."""
    answer = Answerer.of_mock(mock(answer={"b": "{{ name }}", "d": 2}, merge=True)).answer("mock", START, 1, BENEATH)
    assert json.loads(answer.body) == {"a": 1, "b": START["name"], "d": 2}
    assert (answer.status, answer.headers, answer.delay_ms) == (201, BENEATH.headers, 7)
    assert answer.source == Source("mock", mock=3, over=BENEATH.source)


def test_a_merging_mocks_status_headers_and_delay_win():
    """And the body stays, byte for byte, where there is no answer."""
    merging = mock(status=503, headers=[["x", "2"], ["Y", "3"]], delay_ms=9, merge=True)
    answer = Answerer.of_mock(merging).answer("mock", START, 1, BENEATH)
    assert (answer.status, answer.delay_ms, answer.body) == (503, 9, BENEATH.body)
    assert answer.headers == (("x", "2"), ("Y", "3"), ("Content-Type", "text/html"))


def test_a_mock_that_takes_no_time_takes_none():
    """Whatever the one beneath it says; where it says nothing, that one is asked."""
    for said, taken in ((0, 0), (None, 7)):
        members = {"answer": {}, "merge": True} | ({} if said is None else {"delay_ms": said})
        assert Answerer.of_mock(mock(**members)).answer("mock", START, 1, BENEATH).delay_ms == taken


def test_mocks_that_say_nothing_are_hollow_where_nothing_is_beneath():
    """A status or headers say something; so does what another mock has put beneath."""
    lone = Answerer.of_mock(mock(fault="slow:0.5"))
    hollow = lone.answer("mock", START)
    assert hollow.hollow
    assert lone.answer("mock", START, 1, hollow).hollow
    for said in (
        {"status": 404, "merge": True},
        {"headers": [["a", "1"]], "merge": True},
        {"answer": {}, "merge": True},
    ):
        answer = Answerer.of_mock(mock(**said)).answer("mock", START, 1, hollow)
        assert (answer.hollow, answer.fault) == (False, Fault("slow", 0.5))
        assert not lone.answer("mock", START, 1, answer).hollow


def test_a_fault_is_laid_over_the_answer_beneath():
    """Which stays, byte for byte, for when the fault doesn't strike; a mock's own fault wins over one beneath."""
    lone = Answerer.of_mock(mock(fault="slow:0.5"))
    answer = lone.answer("mock", START, 1, BENEATH)
    assert (answer.status, answer.headers, answer.body) == (201, BENEATH.headers, BENEATH.body)
    assert answer.fault == Fault("slow", 0.5)
    merging = Answerer.of_mock(mock(answer={}, merge=True))
    assert merging.answer("mock", START, 1, answer).fault == Fault("slow", 0.5)
    assert Answerer.of_mock(mock(fault="500")).answer("mock", START, 1, answer).fault == Fault("500")
    assert lone.answer("mock", START).body == b"{}"


@pytest.mark.parametrize("beneath", [None, BENEATH._replace(body=b"<html>"), BENEATH._replace(body=b"[1]")])
def test_what_is_no_object_beneath_counts_as_an_empty_one(beneath):
    """Also where nothing would have answered."""
    answer = Answerer.of_mock(mock(answer={"d": 2}, merge=True)).answer("mock", START, 1, beneath)
    assert answer.body == b'{"d":2}'
    assert ("content-type", "application/json") in answer.headers
    assert ("Content-Type", "text/html") not in answer.headers
    assert answer.status == (201 if beneath else 200)


def test_a_merging_edit_is_laid_over_its_exchange():
    """Rebased for the request at hand."""
    recorded = exchange(answered=response({**START, "greeting": "Привет", "n": 1}, status=201))
    answerer = Answerer.of_exchange(17, recorded, mock(answer={"n": 2}, from_exchange=17, merge=True))
    answer = answerer.answer("usual", {"name": "Пётр"})
    assert json.loads(answer.body) == {"name": "Пётр", "greeting": "Привет", "n": 2}
    assert (answer.status, str(answer.source)) == (201, "mock 3 over usual #17")


def test_nothing_is_laid_over_a_failure():
    """It explains itself whole."""
    failed = Answerer.of_mock(mock(answer={"a": "{{ b }}"})).answer("mock", {})
    assert Answerer.of_mock(mock(answer={"d": 2}, merge=True)).answer("mock", {}, 1, failed) is failed
