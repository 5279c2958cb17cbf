"""Counted and merging mocks in a replay as a whole."""

from __future__ import annotations

import json

from aimyproxy.answering.index import Index
from aimyproxy.answering.misses import Miss
from aimyproxy.answering.mocks import Mock
from aimyproxy.answering.replayer import Replayer
from aimyproxy.exchange import Body, Request
from tests.builders import START, exchange, request, response


def replayer(*documents, match="learned", exchanges=()):
    mocks = [Mock.parse(number, {"event": "start", **document}) for number, document in enumerate(documents, 1)]
    return Replayer(Index.build(enumerate(exchanges, 1), mocks, match))


def asked(replay, **changes):
    _, answer = replay.answer(request(**changes))
    assert not isinstance(answer, Miss)
    return json.loads(answer.body), str(answer.source)


def test_an_event_is_counted_in_its_conversation():
    """From 1, for each user, and by no other event; also where only a mock knows it."""
    replay = replayer({"answer": {"n": "{{ count }}"}}, {"event": "order", "answer": {"n": "{{ count }}"}})
    first, second = {"userId": "a"}, {"userId": "b"}
    said = [asked(replay, **user)[0]["n"] for user in (first, first, second, first)]
    assert said == [1, 2, 1, 3]
    assert asked(replay, action="order", **first)[0]["n"] == 1


def test_recorded_and_mocked_askings_are_counted_together():
    """The mock may answer from some asking on."""
    recorded = [exchange(answered=response({**START, "greeting": "Привет"}))]
    document = {"when": {"$.again": True}, "answer": {"n": "{{ count }}"}}
    replay = replayer(document, exchanges=recorded)
    asked(replay)
    assert asked(replay, again=True)[0] == {"n": 2}


def test_an_edits_templates_know_the_count():
    """It answers in its exchange's place."""
    recorded = [exchange(answered=response({"greeting": "Привет"}))]
    for match in ("exact", "event", "learned"):
        replay = replayer({"answer": {"n": "{{ count }}"}, "from_exchange": 1}, match=match, exchanges=recorded)
        assert [asked(replay)[0] for _ in range(2)] == [{"n": 1}, {"n": 2}]


def test_a_merging_mock_is_laid_over_what_was_recorded():
    """Each answer as it would have been, and the mock's variables."""
    recorded = [exchange(answered=response({**START, "greeting": "Привет"}))]
    replay = replayer({"answer": {"promo": True}, "merge": True}, exchanges=recorded)
    answer, source = asked(replay)
    assert answer == {**START, "greeting": "Привет", "promo": True}
    assert source == "mock 1 over exact #1"
    answer, source = asked(replay, name="Пётр", userId="x")
    assert (answer["name"], answer["greeting"], answer["promo"]) == ("Пётр", "Привет", True)
    assert source.startswith("mock 1 over ")


def test_a_merging_mock_answers_alone_where_there_is_nothing_beneath():
    """Over an empty object, also a request that is no bot's."""
    replay = replayer({"answer": {"promo": True}, "merge": True}, {"event": None, "answer": {"a": 1}, "merge": True})
    assert asked(replay) == ({"promo": True}, "mock 1")
    _, answer = replay.answer(Request("POST", "/", (), Body("json", [1])))
    assert answer.body == b'{"a":1}'


def test_merging_mocks_are_laid_over_each_other():
    """The most specific on top, over the first that doesn't merge; nothing recorded shines through that."""
    recorded = [exchange(answered=response({"recorded": 1}))]
    replay = replayer(
        {"answer": {"a": 1, "b": 1, "c": 1}},
        {"when": {"$.x": {"exists": True}}, "answer": {"b": 2, "c": 2}, "merge": True},
        {"when": {"$.x": 1}, "answer": {"c": 3}, "merge": True},
        exchanges=recorded,
    )
    assert asked(replay, x=1) == ({"a": 1, "b": 2, "c": 3}, "mock 3 over mock 2 over mock 1")
    assert asked(replay, x=2)[0] == {"a": 1, "b": 2, "c": 2}
    assert asked(replay) == ({"a": 1, "b": 1, "c": 1}, "mock 1")
