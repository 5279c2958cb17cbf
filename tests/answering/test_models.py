from __future__ import annotations

import json

import pytest

from aimyproxy.answering.background import Hints
from aimyproxy.answering.features import OCCURRENCE, Situation
from aimyproxy.answering.models import EventModel, Lesson
from aimyproxy.answering.privacy import Owners
from aimyproxy.exchange import Body, Response
from tests.builders import request, response

NAMES = ["Иван", "Анна", "Пётр", "Ольга", "Лев", "Мария", "Олег", "Зоя"]


def people(count=8, **more):
    return [
        {
            "action": "e",
            "userId": f"u-{index}",
            "name": NAMES[index % 7],
            **{key: of(index) for key, of in more.items()},
        }
        for index in range(count)
    ]


def model(webhook, requests, hints=None):
    owners, lessons = Owners(), []
    for identity, variables in enumerate(requests, 1):
        made = webhook(variables)
        answer = made if isinstance(made, Response) else response(made)
        situation = owners.heard(Situation(variables, 1, None))
        lessons.append(Lesson(identity, situation, request(variables), answer))
    return EventModel.of(lessons, hints or Hints(), owners)


def answered(learned, occurrence=1, **variables):
    """The body's value, and whether it is known."""
    body, _, known = learned.answer(Situation({"action": "e", "userId": "new", **variables}, occurrence, None))
    return json.loads(body), known


def test_an_echoing_webhook_echoes_new_variables():
    """Behind them comes what it sets."""
    learned = model(lambda got: {**got, "ok": True}, people())
    assert answered(learned, x=[1]) == ({"action": "e", "userId": "new", "x": [1], "ok": True}, True)
    (outcome,) = learned.outcomes.values()
    assert outcome.echoes_all
    assert list(outcome.order) == ["ok"]


def test_a_delta_does_not_echo():
    """Also where it repeats a variable."""
    learned = model(lambda got: {"name": got["name"], "ok": True}, people())
    assert not next(iter(learned.outcomes.values())).echoes_all
    assert answered(learned, name="Зина", x=1)[0].get("x") is None


def test_what_is_sometimes_set_and_sometimes_echoed():
    """A default for who has none."""
    requests = people(16)
    for index, one in enumerate(requests):
        if index % 2:
            one["lang"] = ["en", "de"][index // 2 % 2]
    learned = model(lambda got: {**got, "lang": got.get("lang", "ru")}, requests)
    assert answered(learned, name="Зина")[0]["lang"] == "ru"
    assert answered(learned, name="Зина", lang="de")[0]["lang"] == "de"


def test_a_variable_may_be_taken_away():
    """An echoing webhook that leaves one out, or sets it only in some answers."""
    learned = model(lambda got: {**got, **({"gift": "чай"} if got["vip"] else {})}, people(16, vip=lambda n: n % 2))
    assert answered(learned, name="Зина", vip=0, gift="кофе")[0].get("gift") in (None, "кофе")
    assert answered(learned, name="Зина", vip=1)[0]["gift"] == "чай"


def test_texts_may_be_made_of_the_answers_own_values():
    """The sum is in the request nowhere, and stands in the text."""

    def webhook(got):
        total = got["qty"] * got["price"]
        return {"text": f"Итого: {total} руб.", "sum": total}

    learned = model(webhook, people(24, qty=lambda n: 2 + n % 5, price=lambda n: 100 + 37 * (n % 7)))
    made, _ = answered(learned, name="Зина", qty=11, price=1001)
    assert made == {"text": "Итого: 11011 руб.", "sum": 11011}
    assert list(made) == ["text", "sum"]
    assert all(path[0] != "\0answer" for path in learned.deciding())


def test_each_outcome_has_its_own_answer():
    """Statuses and kinds of bodies; the latest exchange of each lends its frame."""

    def webhook(got):
        if got["qty"] > 5:
            return response({"error": "too many"}, 422)
        return Response(200, (), Body("text", "никого")) if got["qty"] == 0 else {"ok": True}

    learned = model(webhook, people(32, qty=lambda n: n % 8))
    assert sorted(learned.outcomes) == ["200 object", "200 text", "422 object"]
    assert learned.outcome.keys == (("qty",),)
    for qty, wanted in ((7, (422, b'{"error":"too many"}')), (0, (200, "никого".encode())), (3, (200, b'{"ok":true}'))):
        body, outcome, known = learned.answer(Situation({"qty": qty}, 1, None))
        assert (outcome.status, body, known) == (*wanted, True)
    assert [outcome.exchange for outcome in learned.outcomes.values()] == [25, 30, 32]


def test_an_outcome_that_was_never_recorded_is_a_guess_at_one_that_was():
    """A status that the request spells may be any other tomorrow."""
    requests = people(9, want=lambda n: ["200 object", "404 object", "500 object"][n % 3], extra=lambda n: f"x{n}")
    learned = model(lambda got: response({"ok": True}, int(got["want"][:3])), requests)
    _, outcome, known = learned.answer(Situation({"want": "999 object"}, 1, None))
    assert (outcome.status in (200, 404, 500), known) == (True, False)


def test_a_user_who_says_what_an_outcome_is_called_is_answered():
    """The outcome's name is no value that may be withheld."""
    learned = model(lambda _: {"ok": True}, people(1, said=lambda _: "200 object"))
    assert answered(learned, said="hi")[0] == {"ok": True}


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        (Body("json", "да"), '"да"'.encode()),
        (Body("json", [1, None]), b"[1,null]"),
        (Body("json", 1.5), b"1.5"),
        (Body("text", "да"), "да".encode()),
        (Body("text", "<html>"), b"<html>"),
        (Body("base64", b"\xff\x00"), b"\xff\x00"),
        (Body(), b""),
    ],
)
def test_bodies_keep_their_kind(body, wanted):
    """A JSON string keeps its quotes, a text has none."""
    learned = model(lambda _: Response(200, (), body), people())
    found, _, known = learned.answer(Situation({}, 1, None))
    assert (found, known) == (wanted, True)


def test_bytes_that_differ_are_a_guess():
    """The latest ones, unless they tell of somebody."""
    pictures = iter([b"\xff\x00", b"\xff\x01", b"\xff\x02"])
    learned = model(lambda _: Response(200, (), Body("base64", next(pictures))), people(3))
    body, _, known = learned.answer(Situation({}, 1, None))
    assert (body, known) == (b"\xff\x02", False)
    for encoding in ("utf-8", "cp1251", "utf-16-le"):
        learned = model(
            lambda got, encoding=encoding: Response(200, (), Body("base64", got["name"].encode(encoding) + b"\xff")),
            people(3, name=lambda n: ["Иннокентий", "Анастасия", "Маргарита"][n]),
        )
        body, _, known = learned.answer(Situation({}, 1, None))
        assert (body, known) == (b"", False)


def test_headers_are_those_that_all_had():
    """The latest one's content type, too; nothing that tells of somebody."""

    def webhook(got):
        headers = [("Content-Type", f"text/html; n={got['n']}"), ("X-V", "1"), ("X-Id", got["name"]), ("X-Id", "all")]
        return Response(200, tuple(headers), Body("json", {}))

    learned = model(webhook, people(4, n=lambda n: n))
    (outcome,) = learned.outcomes.values()
    assert outcome.headers == (("Content-Type", "text/html; n=3"), ("X-V", "1"), ("X-Id", "all"))
    (outcome,) = model(webhook, people(1, n=lambda n: n)).outcomes.values()
    assert outcome.headers == (("Content-Type", "text/html; n=0"), ("X-V", "1"), ("X-Id", "all"))


def test_what_decides_is_told():
    """By the path in the answer, the outcome's first."""
    days = {"Омск": 3, "Тверь": 5}
    learned = model(lambda got: {"to": {"days": days[got["city"]]}}, people(12, city=lambda n: sorted(days)[n % 2]))
    decisions = dict(learned.decisions())
    assert next(iter(decisions)) == ()
    assert learned.deciding() == (("city",),)
    assert learned.lessons == 12
    texts = model(
        lambda got: Response(200, (), Body("text", str(days[got["city"]]))),
        people(12, city=lambda n: sorted(days)[n % 2]),
    )
    assert texts.deciding() == (("city",),)


def test_hints_are_for_everything_of_the_event():
    """A forbidden path decides no member."""
    days = {"Омск": 3, "Тверь": 5}
    requests = people(12, city=lambda n: sorted(days)[n % 2])
    learned = model(lambda got: {"days": days[got["city"]]}, requests, Hints(forbidden=frozenset({("city",)})))
    assert learned.deciding() == ()
    assert answered(learned, city="Омск")[1] is False


def test_the_occurrence_is_a_deciding_path_like_others():
    """Named apart from the variables."""
    owners, lessons = Owners(), []
    for index in range(12):
        variables = {"action": "e", "userId": f"u-{index // 2}", "n": index // 2}
        situation = owners.heard(Situation(variables, 1 + index % 2, None))
        lessons.append(
            Lesson(index, situation, request(variables), response({"text": ["Привет", "Снова вы"][index % 2]}))
        )
    learned = EventModel.of(lessons, Hints(), owners)
    assert learned.deciding() == (OCCURRENCE,)
    assert answered(learned, 2) == ({"text": "Снова вы"}, True)


def test_origins_are_all_that_an_answer_follows_from():
    """What decides, what it is copied or made from; nothing that is only there, and no noise."""
    learned = model(
        lambda variables: {
            "greeting": f"Hi, {variables['name']}",
            "price": {"S": 300, "M": 400}[variables["size"]],
            "double": variables["pieces"] * 2,
            "sum": variables["pieces"] + variables["tip"],
        },
        people(24, size=lambda i: "SM"[i % 2], pieces=lambda i: i * 7 % 24, tip=lambda i: i * i % 17, cart=lambda i: i),
    )
    assert set(learned.origins()) == {("name",), ("size",), ("pieces",), ("tip",)}


def test_where_answers_are_not_explained_there_are_no_origins():
    """A choice without a reason that the request shows."""
    choices = iter("AABABBBAABBABAAABBBABBAA")
    learned = model(lambda _: {"variant": next(choices)}, people(24))
    assert learned.origins() is None
