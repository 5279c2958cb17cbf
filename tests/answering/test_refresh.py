"""Answers whose noise is made anew."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from random import Random

import pytest

from aimyproxy.answering.fresh import Dice
from aimyproxy.answering.index import Index
from aimyproxy.answering.mocks import Mock
from aimyproxy.answering.replayer import Replayer
from aimyproxy.answering.serving import Serving
from tests.builders import exchange, request, response

NOW = 1795485600.0  # 2026-11-24T02:00:00Z
BEGUN = 1767261600.0


def paid(number, **more):
    return request({"action": "pay", "userId": f"u{number}", "queryText": f"pay {number}", "sum": number, **more})


def token(number):
    return f"{number * 2654435761 % 2**40:010X}"


def receipt(number):
    """What the webhook made up at its own: an order's id, a moment, a dice."""
    moment = datetime.fromtimestamp(BEGUN + number * 977, UTC)
    roll = number * 7919 % 89
    return {
        "order": {"id": token(number), "at": moment.strftime("%Y-%m-%dT%H:%M:%SZ")},
        "text": f"Заказ {token(number)}: {number} ₽",
        "roll": roll,
        "rolled": f"Выпало {roll}",
        "score": roll,
        "tickets": [{"seat": f"{number * 40503 % 2**32:08x}", "texts": ["Заказ", f"Ваш заказ: {token(number)}"]}],
        "shop": "pizza",
    }


def recording(count=12):
    for number in range(1, count + 1):
        at = datetime.fromtimestamp(BEGUN + number * 977, UTC).strftime("%Y-%m-%dT%H:%M:%S.000000Z")
        asked = paid(number)
        answered = response({**asked.body.variables(), **receipt(number)})
        yield number, exchange(asked, answered, at=at)


def replayer(*mocks, match="learned", dice=None):
    parsed = [Mock.parse(identity, document) for identity, document in enumerate(mocks, 1)]
    index = Index.build(recording(), parsed, match)
    return Replayer(index, "shop", Serving(dice=dice or Dice(Random(1), lambda: NOW)))


def answered(replay, asked):
    found = replay.answer(asked)[1]
    return found.source.step, json.loads(found.body)


@pytest.mark.parametrize(
    ("asked", "step"), [(paid(3), "exact"), (paid(3, queryText="again"), "conversation"), (paid(500), "guess")]
)
def test_noise_is_made_anew_whoever_answers(asked, step):
    """Recorded or made; in its own form, and with the texts that repeat it. A dice proves nothing, so it is a guess."""
    found, body = answered(replayer(), asked)
    assert found == step
    identity = body["order"]["id"]
    assert re.fullmatch("[0-9A-F]{10}", identity)
    assert identity not in {token(number) for number in range(1, 13)}
    assert body["order"]["at"] == "2026-11-24T02:00:00Z"
    assert body["text"] == f"Заказ {identity}: {body['sum']} ₽"
    assert body["rolled"] == f"Выпало {body['roll']}"
    assert body["score"] == body["roll"]
    (ticket,) = body["tickets"]
    assert re.fullmatch("[0-9a-f]{8}", ticket["seat"])
    assert ticket["texts"] == ["Заказ", f"Ваш заказ: {identity}"]
    assert body["shop"] == "pizza"


def test_what_is_not_there_or_is_something_else_stays():
    """An answer of the event that has none of the noise."""
    other = exchange(paid(99), response({"roll": "nobody", "order": [], "shop": "closed"}))
    index = Index.build([*recording(), (13, other)], (), "learned")
    replay = Replayer(index, "shop", Serving(dice=Dice(Random(1), lambda: NOW)))
    assert answered(replay, paid(99)) == ("exact", {"roll": "nobody", "order": [], "shop": "closed"})


def test_each_answer_is_another():
    """Also to the same request."""
    replay = replayer()
    orders = [answered(replay, paid(3))[1]["order"]["id"] for _ in range(20)]
    assert len(set(orders)) == 20


def test_without_the_wish_all_is_as_recorded():
    """To the byte."""
    replay = Replayer(Index.build(recording(), (), "learned"))
    assert answered(replay, paid(3))[1] == {**paid(3).body.variables(), **receipt(3)}


def test_what_a_person_wrote_stays():
    """A mock, and an edited exchange."""
    by_hand = {"order": {"id": "AAAAAAAAAA", "at": "2020-01-01T00:00:00Z"}, "text": "AAAAAAAAAA", "roll": 1}
    assert answered(replayer({"event": "pay", "answer": by_hand}), paid(3))[1] == by_hand
    edited = answered(replayer({"event": "pay", "from_exchange": 3, "answer": by_hand}), paid(3))[1]
    assert edited == by_hand


def test_what_the_request_says_stays():
    """An order that the bot already has keeps its id, wherever it is repeated."""
    had = {"order": {"id": token(3), "at": "2026-01-01T10:00:00Z"}, "note": f"Заказ {token(3)}"}
    asked = paid(3, **had)
    index = Index.build(
        [*recording(), (13, exchange(asked, response({**asked.body.variables(), "roll": 5})))], (), "learned"
    )
    replay = Replayer(index, "shop", Serving(dice=Dice(Random(1), lambda: NOW)))
    step, body = answered(replay, asked)
    assert step == "exact"
    assert (body["order"], body["note"]) == (had["order"], had["note"])


def test_what_has_no_answer_of_variables_stays():
    """A page is served as it was recorded."""
    page = exchange(paid(99), response({}))
    html = page.response.body.of(b"<h1>Oops</h1>")
    broken = exchange(paid(99), type(page.response)(500, (), html))
    index = Index.build([*recording(), (13, broken)], (), "learned")
    found = Replayer(index, "shop", Serving(dice=Dice())).answer(paid(99))[1]
    assert (found.status, found.body) == (500, b"<h1>Oops</h1>")
