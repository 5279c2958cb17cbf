from __future__ import annotations

import json
import shlex

from hypothesis import given

from aimyproxy import jsonvalue
from aimyproxy.answering.index import Index
from aimyproxy.answering.mocks import Mock
from aimyproxy.answering.replayer import Replayer
from aimyproxy.exchange import Body, Failure, Request
from tests.builders import START, exchange, request, response
from tests.strategies import objects


def explained(exchanges, asked, *mocks, match="exact"):
    parsed = [Mock.parse(identity, document) for identity, document in enumerate(mocks, 1)]
    return Replayer(Index.build(enumerate(exchanges, 1), parsed, match), "shop").answer(asked)[1]


def test_the_nearest_exchange_of_the_event_comes_first_with_what_differs():
    """The bot author's own variables before the system's, and those before the channel's."""
    exchanges = [
        exchange(request(name="Пётр", queryText="нет", lastSeen=None)),
        exchange(request(name="Пётр")),
        exchange(request(action="other")),
    ]
    raw = {"update_id": 5, "message": {"message_id": 6, "date": 7, "text": "да"}}
    miss = explained(exchanges, request(city="Тверь", rawRequest=raw))
    assert [near.exchange for near in miss.nearest] == [2, 1]
    assert {near.reason for near in miss.nearest} == {"same event"}
    assert miss.document()["nearest"][0] == {
        "exchange": 2,
        "event": "start",
        "reason": "same event",
        "differences": [
            {"path": "$.name", "recorded": "Пётр", "request": "Иван"},
            {"path": "$.city", "request": "Тверь"},
            {"path": "$.rawRequest.message.text", "recorded": "Хочу пиццу 🍕", "request": "да"},
        ],
        "more_differences": 0,
    }
    assert "has these variables" in miss.reason


def test_an_unknown_event_is_compared_with_those_spelled_alike():
    """The likeliest mistake is a typo; case is no difference."""
    exchanges = [exchange(request(action="start")), exchange(request(action="price"))]
    miss = explained(exchanges, request(action="Strat"), match="event")
    assert [(near.exchange, near.reason) for near in miss.nearest] == [(1, "event spelled alike")]
    assert miss.nearest[0].document()["differences"] == [{"path": "$.action", "recorded": "start", "request": "Strat"}]
    assert miss.reason == 'The event "Strat" is not in the recording.'


def test_else_the_same_conversation_is_shown():
    """So that the user sees where it stood."""
    exchanges = [exchange(request(action="start")), exchange(request(action="price", userId="someone"))]
    miss = explained(exchanges, request(action="доставка"))
    assert [(near.exchange, near.reason) for near in miss.nearest] == [(1, "same conversation")]
    assert explained(exchanges, request(action="доставка", userId="new")).nearest == ()
    assert explained(exchanges, request({"action": "доставка"})).nearest == ()


def test_the_reason_tells_why_a_known_event_has_no_answer():
    """Only failures, or only mocks whose conditions don't hold."""
    failed = [exchange(failure=Failure("timeout", "30 s"))]
    miss = explained(failed, request(name="Пётр"), match="event")
    assert miss.reason == 'No exchange of the event "start" has a response to replay.'
    assert miss.nearest[0].exchange == 1
    mock = {"event": "start", "when": {"$.name": "Пётр"}, "answer": {}}
    assert "no mock that answers it has conditions that hold" in explained([], request(), mock).reason


def test_a_request_of_no_bot_is_compared_by_method_path_and_body():
    """And told how a mock for it looks."""
    exchanges = [exchange(Request("GET", "/health", (), Body()), response({"ok": True})), exchange()]
    miss = explained(exchanges, Request("POST", "/health", (), Body.of(b'{"a": 1}')))
    assert [near.exchange for near in miss.nearest] == [1]
    paths = [difference.path for difference in miss.nearest[0].differences]
    assert paths == ["method", "body", "kind"]
    assert '"event": null' in miss.suggestion
    assert miss.document()["conversation"] is None


def test_the_suggestion_can_be_pasted_into_a_shell():
    """Whatever the event is called."""
    for event in ("start", "it's $HOME; rm -rf *", "--answer"):
        command = explained([], request(action=event)).suggestion.partition(": ")[2]
        words = [word for word in shlex.split(command) if word != "--"]
        assert words[:3] == ["aimyproxy", "mock", "shop"]
        assert event in words
        assert json.loads(words[words.index('{"variable": "value"}')])


def test_the_text_is_a_few_short_lines():
    """Long values are cut, and of many differences some are shown."""
    many = {f"v{number}": number for number in range(500)}
    exchanges = [exchange(request(name="и" * 5000, **many)) for _ in range(60)]
    miss = explained(exchanges, request(order={"items": ["x" * 100]}))
    lines = miss.lines()
    assert len(lines) == 5
    assert max(map(len, lines)) < 400
    assert lines[1].endswith("more")
    assert len(jsonvalue.dumps(miss.document())) < 5000


def test_long_values_are_described():
    """By their beginning, or by how much is in them."""
    long = {"text": "x" * 500, "items": list(range(100)), "order": dict.fromkeys(map(str, range(100)))}
    miss = explained([exchange(request(**long))], request())
    recorded = {one["path"]: one["recorded"] for one in miss.document()["nearest"][0]["differences"]}
    assert recorded == {"$.text": "x" * 79 + "…", "$.items": "[… 100 elements]", "$.order": "{… 100 members}"}
    assert '$.text "' in miss.lines()[1]
    assert "(absent)" in miss.lines()[1]


@given(objects, objects)
def test_every_miss_is_explained_as_json_and_as_text(recorded, asked):
    """With differences exactly where the requests differ."""
    miss = explained(
        [exchange(request({**START, **recorded, "action": "e"}), response({}))],
        request({**START, **asked, "action": "e"}),
    )
    if hasattr(miss, "source"):
        return
    assert miss.nearest[0].differences
    assert jsonvalue.loads(jsonvalue.dumps(miss.document()))["nearest"]
    assert all(miss.lines())


def test_no_command_is_suggested_that_would_make_a_mock_for_another_event():
    """As one with a shortened name would."""
    text = str(explained([exchange(request())], request(action="x" * 101)))
    assert "aimyproxy mock" not in text
    assert "its event is too long for a command" in text
