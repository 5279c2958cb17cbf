from __future__ import annotations

import json

from aimyproxy.answering.answers import Answerer
from aimyproxy.answering.background import Hints
from aimyproxy.answering.features import Situation
from aimyproxy.answering.lessons import Lessons
from aimyproxy.answering.lots import drawn
from aimyproxy.answering.mocks import Mock
from aimyproxy.answering.models import Lesson
from aimyproxy.answering.privacy import Owners
from aimyproxy.exchange import Failure
from tests.builders import exchange, request, response

DAYS = {"Омск": 3, "Тверь": 5, "Казань": 2}


def visit(number):
    return {"action": "e", "userId": f"u-{number}", "city": sorted(DAYS)[number % 3]}


def situation(variables):
    return Situation(variables, 1, None)


def taught(count=12, edits=None, hints=None, answer=None):
    """The lessons of so many visits, with a person's edits by id; `answer` makes the answer to a visit, or None."""
    owners, lessons, edited = Owners(), [], []
    for identity in range(1, count + 1):
        variables = visit(identity - 1)
        made = answer(identity - 1) if answer else {"days": DAYS[variables["city"]]}
        recorded = exchange(request(variables), made and response(made), None if made else Failure("timeout", ""))
        here = owners.heard(situation(variables))
        if recorded.response is not None:
            lessons.append(Lesson(identity, here, recorded.request, recorded.response))
        if edits and identity in edits:
            mock = Mock.parse(7, {"event": "e", "from_exchange": identity, "answer": edits[identity]})
            edited.append((here, Answerer.of_exchange(identity, recorded, mock)))
    return Lessons(lessons, owners, hints, edited)


def test_nothing_teaches_nothing():
    """There is no model, and no answer."""
    assert Lessons().model() is None
    assert Lessons().answer(situation({})) is None


def test_what_was_learned_answers_and_what_was_not_is_a_guess():
    """With the latest exchange that the answer is like."""
    lessons = taught()
    known = lessons.answer(situation({"city": "Омск"}))
    assert (known.source.header, json.loads(known.body)) == ("learned; exchange=12", {"days": 3})
    assert (known.status, known.delay_ms) == (200, None)
    assert known.headers == (("content-type", "text/html; charset=utf-8"),)
    assert lessons.answer(situation({"city": "Псков"})).source.header == "guess; exchange=12"


def test_it_is_learned_once_and_when_needed():
    """A recording that nobody asks costs nothing."""
    lessons = taught()
    assert lessons.model() is lessons.model()


def test_hints_are_heeded():
    """They are the user's, for this event."""
    assert taught(hints=Hints(forbidden=frozenset({("city",)}))).model().deciding() == ()


def test_an_edit_answers_where_the_deciding_values_are_its_exchanges():
    """The first one's of several; elsewhere the lessons do."""
    lessons = taught(edits={2: {"days": 77}, 5: {"days": 88}})
    city = visit(1)["city"]
    edited = lessons.answer(situation({"city": city}))
    assert (edited.source.header, json.loads(edited.body)) == ("mock; mock=7", {"days": 77})
    for other in DAYS.keys() - {city}:
        assert json.loads(lessons.answer(situation({"city": other})).body) == {"days": DAYS[other]}


def test_an_edit_of_what_nothing_decides_answers_all():
    """All requests are alike."""
    lessons = taught(4, {3: {"ok": "edited"}}, answer=lambda _: {"ok": True})
    assert json.loads(lessons.answer(situation(visit(99))).body) == {"ok": "edited"}


def test_an_edit_of_a_failed_exchange_needs_a_lesson():
    """A failure teaches nothing, and its edit answers its likes once something was learned."""
    lessons = taught(1, {1: {"days": 77}}, answer=lambda _: None)
    assert lessons.model() is None
    assert lessons.answer(situation(visit(0))) is None
    lessons = taught(2, {1: {"days": 77}}, answer=lambda number: {"ok": True} if number else None)
    assert json.loads(lessons.answer(situation(visit(0))).body) == {"days": 77}


def test_some_of_the_lessons_teach_the_same_as_all():
    everything = taught(500)
    lessons = Lessons([everything._lessons[position] for position in drawn(500, 30)])
    for city, days in DAYS.items():
        answer = lessons.answer(situation({"city": city}))
        assert (answer.source.step, json.loads(answer.body)) == ("learned", {"days": days})
    assert lessons.model().lessons == 30
