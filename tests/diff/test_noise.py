from __future__ import annotations

from fractions import Fraction
from math import comb

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from aimyproxy.diff.noise import Evidence, NoiseLearner, significantly_more
from aimyproxy.exchange import Failure
from tests import builders


def learned(*exchanges):
    learner = NoiseLearner()
    for exchange in exchanges:
        learner.add(exchange)
    return learner.learned()


def asked(user, action="start", **own):
    return builders.request(
        {"action": action, "queryText": "hi", "channelType": "vk", "userId": f"vk-{user}", "lastSeen": user, **own}
    )


def answered(user, answer, status=200, **own):
    return builders.exchange(asked(user, **own), builders.response(answer, status))


def differing(noise):
    """The spots that differed within the baseline."""
    return {spot: found for spot, found in noise.spots.items() if found.pairs_differing}


def test_what_differs_for_the_same_question_is_seen():
    """The token differs for three users who asked the same; the greeting doesn't."""
    noise = learned(*(answered(user, {"token": f"x{user}", "greeting": "Hi"}) for user in range(3)))
    assert noise.evidence("start", "$.token") == Evidence(1, 1, 2, 2)
    assert noise.evidence("start", "$.greeting") == Evidence(1, 0, 2, 0)
    assert noise.evidence("start", "$.other") == Evidence()


def test_where_an_event_shows_nothing_the_others_stand_in():
    """It is the same variable of the bot; what the event itself shows wins."""
    exchanges = [answered(user, {"t": user, "s": 1}) for user in range(3)]
    exchanges += [answered(user, {"t": 1}, action="pay") for user in range(4)]
    noise = learned(*exchanges)
    assert noise.evidence("start", "$.t") == Evidence(1, 1, 2, 2)
    assert noise.evidence("pay", "$.t") == Evidence(1, 0, 3, 0)
    assert noise.evidence("bye", "$.t") == Evidence(2, 1, 5, 2)
    assert noise.evidence("bye", "$.s") == Evidence(1, 0, 2, 0)


@pytest.mark.parametrize(
    ("evidence", "answers", "compared", "noise"),
    [
        (Evidence(1, 1, 1, 1), 1, 1, True),
        (Evidence(1, 1, 50, 50), 1000, 1000, True),
        (Evidence(1, 1, 1000, 1), 1, 1000, True),
        (Evidence(1, 1, 1000, 1), 400, 1000, False),
        (Evidence(1, 1, 1000, 1), 4, 1000, True),
        (Evidence(1, 1, 100, 50), 60, 100, True),
        (Evidence(1, 1, 100, 50), 100, 100, False),
        (Evidence(1, 0, 100, 0), 1, 1000, False),
        (Evidence(1, 0, 2, 0), 1, 1000, False),
        (Evidence(), 5, 5, False),
        (Evidence(kind="UUID"), 5, 5, True),
        (Evidence(1, 0, 10, 0, kind="UUID"), 5, 5, False),
        (Evidence(1, 0, 10, 0, 10, 10), 5, 5, True),
        (Evidence(repeats=10), 5, 5, False),
        (Evidence(repeats=10, kind="UUID"), 5, 5, False),
    ],
)
def test_statistics_decide_what_noise_explains(evidence, answers, compared, noise):
    """A change in so many of the answers is noise where the webhook differs from itself as much, chance considered."""
    assert evidence.explains(answers, compared) is noise


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 60), st.integers(0, 60))
def test_the_test_is_fishers(answers, same, differing, alike):
    """Counted out with whole numbers."""
    compared, pairs = answers + same, differing + alike
    marked, total = answers + differing, compared + pairs
    ways = sum(
        comb(marked, count) * comb(total - marked, compared - count)
        for count in range(answers, min(compared, marked) + 1)
    )
    chance = Fraction(ways, comb(total, compared))
    assume(not Fraction(999, 10**6) < chance < Fraction(1001, 10**6))
    assert significantly_more(answers, compared, differing, pairs) is (chance < Fraction(1, 1000))


def test_a_candidate_that_is_asked_again_shows_its_noise():
    """Path by path; another status says nothing of the paths."""
    learner = NoiseLearner()
    for number in range(3):
        learner.add_repeat(answered(1, {"t": number, "a": 1}), answered(1, {"t": number + 5, "a": 1}))
    learner.add_repeat(answered(1, {"t": 1}), answered(1, {"t": 2}, status=500))
    learner.add_repeat(answered(1, {"t": 1}), builders.exchange(asked(1), failure=Failure("timeout", "")))
    noise = learner.learned()
    assert noise.evidence("start", "$.t") == Evidence(repeats=3, repeats_differing=3)
    assert noise.evidence("start", "$.a") == Evidence(repeats=3)


@pytest.mark.parametrize(
    "other",
    [
        answered(2, {"total": 2}, kolvo=2),
        answered(2, {"total": 2}, queryText="two"),
        answered(2, {"total": 2}, channelType="telegram"),
        answered(2, {"total": 2}, action="choose"),
        answered(1, {"total": 2}),
        answered(2, {"total": 2}, status=500),
        builders.exchange(asked(2), failure=Failure("timeout", "")),
        answered(2, {"total": "2"}),
    ],
)
def test_another_question_is_no_evidence(other):
    """Other variables, another text, channel, event, occurrence or status, no answer, another type: no noise."""
    assert differing(learned(answered(1, {"total": 1}), other)) == {}


def test_indices_are_one_path():
    """A random price in each element is noise in all of them."""
    noise = learned(*(answered(user, {"items": [{"p": user}, {"p": user + 10}]}) for user in range(2)))
    assert noise.spots == {("start", "$.items[*].p"): Evidence(1, 1, 1, 1)}


def test_where_a_path_could_not_be_compared_is_no_evidence():
    """Neither for noise nor against it."""
    exchanges = [answered(n, {"t": n} if n < 2 else {"t": 0}, kolvo=n // 2) for n in range(4)]
    exchanges += [answered(n, {}, kolvo=n // 2) for n in range(4, 8)]
    assert learned(*exchanges).spots == {("start", "$.t"): Evidence(2, 1, 2, 1)}


def test_a_value_taken_from_the_request_is_no_noise():
    """A greeting by the name that the channel knows differs from user to user, and a change of it is a difference."""

    def greeted(number, name):
        raw = {"object": {"message": {"from_id": 600 + number, "date": 1000 + number}, "first_name": name}}
        answer = {"greeting": f"Hi, {name}!", "order": f"vk-{number}-1", "id": 600 + number, "at": 1000 + number}
        return builders.exchange(asked(number, rawRequest=raw), builders.response(answer))

    noise = learned(greeted(1, "Ann"), greeted(2, "Boris"), greeted(3, "Ann"))
    assert {path for _, path in differing(noise)} == {"$.at"}


def test_requests_that_are_no_bots_make_noise_too():
    """A page with a date, asked for twice."""
    get = builders.Request("GET", "/health", (), builders.Body())
    texts = [
        builders.exchange(get, builders.Response(200, (), builders.Body.of(text))) for text in (b"10:00", b"10:01")
    ]
    assert learned(*texts).spots == {(None, "$"): Evidence(1, 1, 1, 1)}


def test_bodies_nested_deeper_than_python_calls_teach_without_harm():
    """No recording ends the learning."""
    deep = builders.Body.of(b'{"action": "start", "a":' + b'{"a":' * 900 + b"1" + b"}" * 901)
    exchange = builders.exchange(builders.Request("POST", "/", (), deep), builders.Response(200, (), deep))
    assert differing(learned(exchange, exchange)) == {}
