from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimyproxy import jsonvalue
from aimyproxy.answering.index import Index
from aimyproxy.answering.mocks import Mock
from aimyproxy.answering.replayer import Replayer
from aimyproxy.exchange import Body, Failure, Request, Response
from tests.builders import START, exchange, request, response


def echo(asked, **more):
    return response({**asked.body.variables(), **more})


def said(event, user="u", text="", **more):
    """A request of a user, and what the webhook sets in its answer."""
    return request({"action": event, "userId": user, "queryText": text}), more


def recording(*pairs):
    return list(enumerate((exchange(asked, echo(asked, **more)) for asked, more in pairs), 1))


def replayer(exchanges, *mocks, match="event"):
    parsed = [Mock.parse(identity, document) for identity, document in enumerate(mocks, 1)]
    return Replayer(Index.build(exchanges, parsed, match))


def served(replay, asked):
    """The answer's header and its variables, or None for a miss."""
    _, found = replay.answer(asked)
    return (found.source.header, json.loads(found.body)) if hasattr(found, "source") else None


def source(replay, asked):
    answer = served(replay, asked)
    return answer and answer[0]


def test_the_same_request_gets_its_recorded_answer():
    """However much the volatile variables differ."""
    replay = replayer(recording((request(), {"greeting": "Привет"})))
    header, variables = served(replay, request(lastSeen=1))
    assert header == "exact; exchange=1"
    assert variables == {**START, "lastSeen": 1, "greeting": "Привет"}


def test_repeated_requests_go_through_their_sequence_and_stay_at_the_last():
    """Each conversation through its own."""
    pairs = [said("start", "a"), said("start", "b"), said("start", "a"), said("start", "a")]
    replay = replayer(recording(*pairs))
    asked = [pairs[0][0], pairs[0][0], pairs[1][0], pairs[0][0], pairs[0][0], pairs[1][0]]
    exchanges = [int(source(replay, one).rpartition("=")[2]) for one in asked]
    assert exchanges == [1, 3, 2, 4, 4, 2]


def test_without_a_user_repeated_requests_still_go_through_their_sequence():
    """A test widget has no channel, and its requests no userId."""
    asked = request({"action": "start"})
    replay = replayer(recording((asked, {"n": 1}), (asked, {"n": 2})))
    assert [served(replay, asked)[1]["n"] for _ in range(3)] == [1, 2, 2]


def test_a_conversation_goes_on_where_its_event_stands():
    """The k-th time of an event gets what came the k-th time, then the last again."""
    replay = replayer(recording(said("step", text="a"), said("start"), said("step", text="b")))
    other = said("step", text="c")[0]
    assert [source(replay, other) for _ in range(3)] == [
        "conversation; exchange=1",
        "conversation; exchange=3",
        "conversation; exchange=3",
    ]


def test_exact_matches_count_as_visits():
    """The second visit gets the second answer, whatever the first one was answered by."""
    replay = replayer(recording(said("step", text="a"), said("step", text="b")))
    assert source(replay, said("step", text="a")[0]) == "exact; exchange=1"
    assert source(replay, said("step", text="c")[0]) == "conversation; exchange=2"


def test_a_new_user_gets_the_events_most_frequent_effect():
    """And of equally frequent ones the first recorded."""
    pairs = [said("start", "a", hi=1), said("start", "b", hi=2), said("start", "c", hi=2), said("bye", "a", x=1)]
    replay = replayer(recording(*pairs, said("bye", "b", x=2)))
    header, variables = served(replay, said("start", "new")[0])
    assert (header, variables["hi"]) == ("usual; exchange=2", 2)
    assert variables["userId"] == "new"
    assert source(replay, said("bye", "new")[0]) == "usual; exchange=4"


def test_a_status_is_part_of_the_effect():
    """Two errors are less usual than three answers that set the same."""
    bad = [exchange(said("e", str(n))[0], response({"x": 1}, status=500)) for n in range(2)]
    good = [exchange(said("e", str(n))[0], response({"x": 1})) for n in range(3)]
    replay = replayer(list(enumerate([*bad, *good], 1)))
    assert source(replay, said("e", "new")[0]) == "usual; exchange=3"


def test_a_recorded_error_answers_and_a_failure_does_not():
    """A 500 was a response; a time-out was none."""
    failed = exchange(said("start")[0], failure=Failure("timeout", "30 s"))
    error = exchange(said("start")[0], Response(500, (), Body("text", "<html>")))
    answer = replayer([(1, failed), (2, error)]).answer(said("start")[0])[1]
    assert (answer.source.header, answer.status, answer.body) == ("exact; exchange=2", 500, b"<html>")
    assert source(replayer([(1, failed)]), said("start")[0]) is None


def test_only_exact_matches_answer_if_wanted():
    """Nothing is generalised then, mocks aside."""
    replay = replayer(recording(said("start")), {"event": "mocked", "answer": {}}, match="exact")
    assert source(replay, said("start")[0]) == "exact; exchange=1"
    assert source(replay, said("start", text="other")[0]) is None
    assert source(replay, said("start", "new")[0]) is None
    assert source(replay, said("mocked", "new")[0]) == "mock; mock=1"


def test_an_unknown_event_is_a_miss():
    """Nothing is invented."""
    assert source(replayer(recording(said("start"))), said("strat")[0]) is None
    assert source(replayer([]), said("start")[0]) is None


def test_a_mock_wins_over_all_that_is_recorded():
    """And is sent as it is, a delta."""
    replay = replayer(
        recording(said("start", text="a")),
        {"event": "start", "answer": {"hi": 1}},
        {"event": "start", "when": {"$.queryText": "b"}, "answer": {"hi": 2}},
        {"event": "start", "when": {"$.queryText": "a", "$.userId": "u"}, "answer": {"hi": 3}, "enabled": False},
    )
    assert served(replay, said("start", text="a")[0]) == ("mock; mock=1", {"hi": 1})
    assert served(replay, said("start", text="b")[0]) == ("mock; mock=2", {"hi": 2})
    assert replay.index.mocks == 2


def test_mocked_visits_count_as_visits():
    """The bot was at that screen."""
    mock = {"event": "step", "when": {"$.queryText": "m"}, "answer": {}}
    replay = replayer(recording(said("step", text="a"), said("step", text="b")), mock)
    assert source(replay, said("step", text="m")[0]) == "mock; mock=1"
    assert source(replay, said("step", text="c")[0]) == "conversation; exchange=2"


def edit_of(identity, answer, **more):
    return {"event": "start", "answer": answer, "from_exchange": identity, **more}


def test_an_edit_answers_wherever_its_exchange_would():
    """As the exact match, in the conversation, as the usual answer; the others stay as they are."""
    pairs = [said("start", "a", "x", hi=1), said("start", "b", "x", hi=2), said("start", "b", "y", hi=2)]
    edited = {**pairs[1][0].body.variables(), "hi": "edited"}
    replay = replayer(recording(*pairs), edit_of(2, edited))
    for asked in (pairs[1][0], said("start", "new")[0]):
        header, variables = served(replay, asked)
        assert header == "mock; mock=1"
        assert variables == {**asked.body.variables(), "hi": "edited"}
    assert source(replay, pairs[0][0]) == "exact; exchange=1"
    assert source(replay, said("start", "b", "other")[0]) == "conversation; exchange=3"
    assert source(replayer(recording(*pairs), edit_of(2, edited)), said("start", "b", "z")[0]) == "mock; mock=1"


def test_the_first_enabled_edit_of_an_exchange_counts():
    """As with all mocks: ties by the order of the file."""
    pairs = [said("start")]
    mocks = [edit_of(1, {"n": 1}, enabled=False), edit_of(1, {"n": 2}), edit_of(1, {"n": 3})]
    assert served(replayer(recording(*pairs), *mocks), pairs[0][0]) == ("mock; mock=2", {"n": 2})


def test_an_edit_of_no_exchange_is_warned_of():
    """It would answer nothing, in silence."""
    index = replayer(recording(said("start")), edit_of(99, {})).index
    assert index.warnings == ["Mock 1 edits exchange 99, which is not in the recording: it answers nothing."]
    assert not replayer(recording(said("start")), edit_of(99, {}, when={"$.a": 1})).index.warnings


def test_an_edit_with_conditions_is_a_rule_that_is_rebased():
    """The user narrowed it down to other requests."""
    pairs = [said("start", "a", hi=1)]
    edited = {**pairs[0][0].body.variables(), "hi": 2}
    replay = replayer(recording(*pairs), edit_of(1, edited, when={"$.queryText": "x"}))
    asked = said("start", "new", "x")[0]
    assert served(replay, asked) == ("mock; mock=1", {**asked.body.variables(), "hi": 2})
    assert source(replay, pairs[0][0]) == "exact; exchange=1"


def test_what_is_no_bots_request_matches_by_method_path_and_body():
    """And generalises to nothing."""
    health = Request("GET", "/health", (), Body())
    replay = replayer([(1, exchange(health, Response(200, (), Body("text", "ok"))))])
    assert replay.answer(health)[1].body == b"ok"
    assert source(replay, Request("GET", "/", (), Body())) is None
    mocked = replayer([], {"event": None, "text": "fine"})
    assert mocked.answer(health)[1].body == b"fine"


def test_too_deep_an_exchange_is_left_out_and_told():
    """One odd exchange does not take the others along."""
    deep = []
    for _ in range(5000):
        deep = [deep]
    odd = exchange(Request("POST", "/", (), Body("json", {"action": "start", "n": deep})), response({}))
    index = Index.build([(1, odd), *((2, one) for _, one in recording(said("start")))])
    assert index.warnings == ["Exchange 1 is nested too deep to answer anything."]
    assert index.exchanges == 2


def test_it_tells_what_it_holds():
    """In numbers for people, and the events by name."""
    index = replayer(recording(said("start"), said("order")), {"event": "mocked", "answer": {}}).index
    assert index.summary() == "2 exchanges, 1 mock, 3 events"
    assert index.events == {"start", "order", "mocked"}
    assert (index.exchanges, index.answering) == (2, 2)


@pytest.mark.parametrize("event", ["start", "new"])
def test_unknown_things_are_not_counted(event):
    """A bot that asks for ever new things does not fill the memory."""
    replay = replayer(recording(said("start")))
    assert replay.index.counted(replay.answer(said("other", event)[0])[0]) == []


ASKED = st.builds(
    said, st.sampled_from(["start", "order"]), st.sampled_from(["a", "b"]), st.sampled_from(["x", "y"]), n=st.integers()
)


@given(st.lists(ASKED, max_size=12))
def test_a_recording_replays_itself(pairs):
    """The same requests in the same order get the same answers, each from its own exchange."""
    exchanges = recording(*pairs)
    replay = replayer(exchanges)
    for identity, one in exchanges:
        header, variables = served(replay, one.request)
        assert header == f"exact; exchange={identity}"
        assert jsonvalue.same(variables, one.response.body.variables())


@given(st.lists(ASKED, max_size=12), ASKED)
def test_nobody_gets_the_variables_of_another(pairs, new):
    """The user's own are in the answer of an echoing webhook, whoever was recorded."""
    asked = said(new[0].body.value["action"], "new", "z")[0]
    answer = served(replayer(recording(*pairs)), asked)
    events = {one.body.value["action"] for one, _ in pairs}
    assert (answer is None) == (asked.body.value["action"] not in events)
    if answer:
        assert jsonvalue.same({**answer[1], **asked.body.value}, answer[1])
