"""Live values put back into answers."""

import json
from dataclasses import replace

import pytest

from aimyproxy.answering.answers import Answer
from aimyproxy.answering.index import Index
from aimyproxy.answering.misses import Miss
from aimyproxy.answering.mocks import Mock
from aimyproxy.answering.replayer import Replayer
from aimyproxy.exchange import Body
from aimyproxy.redaction.redactor import Redactor
from aimyproxy.redaction.rules import Rules
from tests import builders

IVAN = {"userId": "telegram-40112-pizza-635678009", "name": "Иван"}
ANNA = {"userId": "telegram-40112-pizza-777111222", "name": "Марина"}


def redactor(*wanted):
    return Redactor(b"k" * 32, Rules.parse(wanted))


def recorded(asked, answer, *wanted):
    """An exchange as a redacted recording keeps it; what the webhook answers is made of the variables asked."""
    variables = asked.body.variables()
    return redactor(*wanted).exchange(builders.exchange(asked, builders.response(answer(variables))))


def replaying(exchanges, *wanted, mocks=()):
    index = Index.build(list(enumerate(exchanges, 1)), list(mocks), "learned", {})
    return Replayer(index, redactor=redactor(*wanted))


def answered(replayer, **variables):
    asked, found = replayer.answer(builders.request(**variables))
    assert isinstance(found, Answer), found
    assert asked.variables["userId"] == variables.get("userId", builders.START["userId"])
    return json.loads(found.body), found.source.step


def greeting(variables):
    return {**variables, "greeting": f"Привет, {variables['name']}!", "tel": f"+{variables.get('phone', '')}"}


@pytest.mark.parametrize("echoing", [True, False])
def test_the_same_user_gets_their_own_values(echoing):
    """The request is found, and what the answer took from it is live: echoed, or inside a text."""
    variables = {**IVAN, "phone": "79991234567"}

    def answer(asked):
        made = greeting(asked)
        return made if echoing else {name: made[name] for name in ("greeting", "tel")}

    exchange = recorded(builders.request(**variables), answer, "personal")
    assert "Иван" not in json.dumps(exchange.response.body.value, ensure_ascii=False)
    body, step = answered(replaying([exchange], "personal"), **variables)
    assert step == "exact"
    assert (body["greeting"], body["tel"]) == ("Привет, Иван!", "+79991234567")
    if echoing:
        assert {**builders.START, **variables}.items() <= body.items()


def test_another_user_gets_theirs():
    """What is learned from replaced values holds for live ones."""
    exchanges = [
        recorded(
            builders.request(**{**IVAN, "userId": f"telegram-40112-pizza-63567{n}009", "name": name}),
            greeting,
            "personal",
        )
        for n, name in enumerate(["Иван", "Пётр", "Анна", "Олег", "Мария", "Антон"])
    ]
    body, step = answered(replaying(exchanges, "personal"), **ANNA)
    assert step == "learned"
    assert body["greeting"] == "Привет, Марина!"
    assert body["userId"] == ANNA["userId"]


def test_a_short_value_comes_back_where_it_was_echoed():
    """It is looked for nowhere else."""
    exchange = recorded(builders.request(pin=7, qty=7), lambda asked: {**asked, "total": 7}, "$.pin")
    assert exchange.request.body.value["pin"] != 7
    body, step = answered(replaying([exchange], "$.pin"), pin=7, qty=7)
    assert step == "exact"
    assert (body["pin"], body["total"]) == (7, 7)


def test_what_the_webhook_knows_itself_is_the_replacement():
    """A value that no request told is as it was recorded."""
    exchange = recorded(builders.request(), lambda _: {"password": "hunter2-hunter2"})
    body, _ = answered(replaying([exchange]))
    assert body["password"] == exchange.response.body.value["password"] != "hunter2-hunter2"


def test_templates_say_the_live_value():
    """A mock's text is made of the request."""
    mock = Mock.parse(1, {"event": "start", "answer": {"text": "Это {{ name }}!"}})
    body, step = answered(replaying([], "personal", mocks=[mock]), **ANNA)
    assert (body["text"], step) == ("Это Марина!", "mock")


def test_conditions_hold_for_the_live_value_and_for_its_replacement():
    """Who writes a mock may know either; the more specific one wins, and a merging one is laid over once."""
    named = redactor("personal").exchange(builders.exchange(builders.request(**ANNA))).request.body.value["name"]
    usual = Mock.parse(1, {"event": "start", "answer": {"who": "anybody"}})
    for value in ("Марина", named):
        mine = Mock.parse(2, {"event": "start", "when": {"$.name": value}, "answer": {"who": "me"}})
        assert answered(replaying([], "personal", mocks=[usual, mine]), **ANNA)[0] == {"who": "me"}
    merging = Mock.parse(2, {"event": "start", "answer": {"text": "{{ count }}"}, "merge": True})
    assert answered(replaying([], "personal", mocks=[merging, usual]), **ANNA)[0] == {"who": "anybody", "text": 1}


def test_a_miss_explains_itself_in_replacements():
    """Its text goes to screens and logs."""
    exchange = recorded(builders.request(**IVAN), greeting, "personal")
    _, found = replaying([exchange], "personal").answer(builders.request(**ANNA, action="other"))
    assert isinstance(found, Miss)
    assert found.conversation == redactor("personal").conversation(("telegram", "40112-pizza-tg1", ANNA["userId"]))
    assert "777111222" not in json.dumps(found.document())


def test_answers_that_are_no_objects():
    """Texts get live values too, bytes stay."""
    text = builders.response({})
    page = replace(text, body=Body("text", "<p>token tok-1234567890</p>"))
    raw = replace(text, body=Body("base64", b"\xff tok-1234567890"))
    for response, expected in ((page, b"<p>token tok-1234567890</p>"), (raw, None)):
        exchange = redactor().exchange(builders.exchange(builders.request(token="tok-1234567890"), response))
        assert exchange.response.body != response.body
        _, found = replaying([exchange]).answer(builders.request(token="tok-1234567890"))
        assert found.body == (expected or exchange.response.body.raw)
