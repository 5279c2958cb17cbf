"""What answers a conversation that asks more often than any recorded one did."""

from __future__ import annotations

import json

import pytest

from aimyproxy.answering.index import Index
from aimyproxy.answering.misses import Miss
from aimyproxy.answering.mocks import Mock
from aimyproxy.answering.replayer import Replayer
from aimyproxy.answering.serving import Serving
from aimyproxy.exchange import Failure, Request
from tests.builders import exchange, request, response


def visit(user, text="", **more):
    """A request of a user, and what the webhook sets in its answer."""
    return request({"action": "visit", **({"userId": user} if user else {}), "queryText": text}), more


def replayer(after_last, *pairs, mocks=(), match="event"):
    exchanges = [exchange(asked, response({**asked.body.variables(), **more})) for asked, more in pairs]
    return over(after_last, exchanges, mocks, match)


def over(after_last, exchanges, mocks=(), match="event"):
    parsed = [Mock.parse(identity, document) for identity, document in enumerate(mocks, 1)]
    return Replayer(Index.build(enumerate(exchanges, 1), parsed, match), "shop", Serving(after_last))


def numbers(replay, asked, times):
    """The variable `n` of the answers to this, asked so often; None for a miss."""
    found = [replay.answer(asked)[1] for _ in range(times)]
    return [None if isinstance(one, Miss) else json.loads(one.body).get("n") for one in found]


@pytest.mark.parametrize(
    ("after_last", "wanted"),
    [("last", [1, 2, 3, 3, 3]), ("cycle", [1, 2, 3, 1, 2]), ("miss", [1, 2, 3, None, None])],
)
@pytest.mark.parametrize(("user", "text"), [("a", ""), ("a", "never recorded"), (None, "")])
def test_a_conversation_that_goes_on(after_last, wanted, text, user):
    """The same request or another, of the recorded user or where nobody has a name."""
    replay = replayer(after_last, *(visit(user, n=n) for n in (1, 2, 3)))
    assert numbers(replay, visit(user, text)[0], 5) == wanted


@pytest.mark.parametrize(
    ("after_last", "wanted"),
    [("last", [7, 1, 5]), ("cycle", [7, 1, 5, 7, 1, 5, 7]), ("miss", [7, 1, 5, None, None])],
)
def test_what_depends_on_the_occurrence_goes_on_in_the_same_way(after_last, wanted):
    """For users and texts that nobody recorded; the longest recorded sequence counts."""
    pairs = [visit(user, f"{user}{n}", n=n) for user in "abcd" for n in (7, 1, 5)]
    replay = replayer(after_last, *pairs, visit("e", "x", n=7), match="learned")
    assert numbers(replay, visit("new", "?")[0], len(wanted)) == wanted
    assert numbers(replay, visit("other", "?")[0], 2) == [7, 1]
    assert numbers(replay, visit(None, "?")[0], len(wanted)) == wanted


def test_a_shorter_sequence_of_its_own_is_a_cycle_of_its_own():
    """The user asked twice, somebody else five times."""
    others = [visit("b", str(n), n=n) for n in range(10, 15)]
    replay = replayer("cycle", visit("a", "x", n=1), visit("a", "y", n=2), *others)
    assert numbers(replay, visit("a", "z")[0], 6) == [1, 2, 1, 2, 1, 2]


def test_the_same_request_has_a_cycle_of_its_own():
    """Inside an event that was asked for more often."""
    pairs = [visit("a", "x", n=1), visit("a", "y", n=2), visit("a", "x", n=3), visit("a", "z", n=4)]
    assert numbers(replayer("cycle", *pairs), visit("a", "x")[0], 5) == [1, 3, 1, 3, 1]


def test_an_exact_answer_is_missed_where_its_event_came_too_often():
    """Each text was recorded, but not four visits."""
    replay = replayer("miss", visit("a", "x", n=1), visit("a", "y", n=2))
    assert [numbers(replay, visit("a", text)[0], 1) for text in "yxx"] == [[2], [1], [None]]


def test_the_miss_says_why_and_what_would_help():
    """In words, with the numbers."""
    replay = replayer("miss", visit("a"), visit("a"))
    miss = [replay.answer(visit("new", "?")[0])[1] for _ in range(4)][3]
    assert miss.reason == (
        'No recorded conversation asked for "visit" more than 2 times, and this is time 4 (--after-last miss).'
    )
    assert miss.nearest == ()
    assert miss.suggestion.startswith("--after-last last or cycle would go on answering. To answer it: aimyproxy mock")
    unnamed = [replay.answer(visit(None)[0])[1] for _ in range(3)][2]
    assert unnamed.reason.endswith("Requests without a userId count as one conversation.")


def test_a_miss_for_another_reason_keeps_it():
    """An unknown event came never too often."""
    miss = replayer("miss", visit("a")).answer(request(action="other"))[1]
    assert miss.reason == 'The event "other" is not in the recording.'


@pytest.mark.parametrize(
    ("after_last", "wanted"), [("last", [1, 2, 2, 2]), ("cycle", [1, 2, 1, 2]), ("miss", [1, 2, None, None])]
)
def test_what_is_no_bots_has_the_sequence_of_its_request(after_last, wanted):
    """There is no event to count."""
    asked = Request("GET", "/health", (), exchange().request.body.of(b""))
    replay = over(after_last, [exchange(asked, response({"n": n})) for n in (1, 2)])
    assert numbers(replay, asked, 4) == wanted
    if after_last == "miss":
        once = over("miss", [exchange(asked, response({}))])
        reason = [once.answer(asked)[1] for _ in range(2)][1].reason
        assert (
            reason
            == "No recorded conversation sent this request more than once, and this is time 2 (--after-last miss)."
        )


def test_a_mock_answers_however_often_it_is_asked():
    """And counts on; one that merges is laid over nothing where the recording has no more."""
    mocks = [{"event": "visit", "when": {"$.queryText": "m"}, "answer": {"n": "{{ count }}"}}]
    replay = replayer("miss", visit("a", n=1), mocks=mocks)
    assert numbers(replay, visit("a", "m")[0], 3) == [1, 2, 3]
    assert numbers(replay, visit("a")[0], 1) == [None]
    merging = replayer("miss", visit("a", n=1), mocks=[{"event": "visit", "merge": True, "answer": {"m": 1}}])
    assert numbers(merging, visit("a")[0], 2) == [1, None]
    assert not isinstance(merging.answer(visit("a")[0])[1], Miss)


def test_an_exchange_without_an_answer_counts_as_asked():
    """It was asked for three times, however it ended."""
    failed = exchange(visit("a")[0], failure=Failure("timeout", "30 s"))
    answered = [exchange(visit("a", str(n))[0], response({"n": n})) for n in (1, 2)]
    assert numbers(over("miss", [answered[0], failed, answered[1]]), visit("a", "?")[0], 4) == [1, 2, 2, None]
