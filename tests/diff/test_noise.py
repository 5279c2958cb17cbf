from __future__ import annotations

import pytest

from aimyproxy.diff.comparison import Finding
from aimyproxy.diff.noise import Evidence, NoiseLearner
from aimyproxy.diff.structure import Difference
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


def changed(path, before="a", after="b"):
    return Finding("effect", Difference(path, "changed", before, after))


def test_what_differs_for_the_same_question_is_noise():
    """The token differs for three users who asked the same; the greeting doesn't."""
    noise = learned(*(answered(user, {"token": f"x{user}", "greeting": "Hi"}) for user in range(3)))
    assert noise.spots == {("start", "$.token"): Evidence(1, 1, 2, 2)}
    assert noise.evidence("start", changed(("token",)))
    assert not noise.evidence("start", changed(("greeting",)))
    assert not noise.evidence("other", changed(("token",)))


@pytest.mark.parametrize("kind", ["added", "removed", "type"])
def test_a_noisy_field_that_vanishes_or_changes_its_type_is_a_difference(kind):
    """Only a value that changed is noise; a status never is."""
    noise = learned(*(answered(user, {"token": f"x{user}"}) for user in range(3)))
    assert not noise.evidence("start", Finding("effect", Difference(("token",), kind, "a", 1)))
    assert not noise.evidence("start", Finding("status", Difference((), "changed", 200, 500)))


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
    assert learned(answered(1, {"total": 1}), other).spots == {}


def test_indices_are_one_path():
    """A random price in each element is noise in all of them."""
    noise = learned(*(answered(user, {"items": [{"p": user}, {"p": user + 10}]}) for user in range(2)))
    assert noise.spots == {("start", "$.items[*].p"): Evidence(1, 1, 1, 1)}
    assert noise.evidence("start", changed(("items", 7, "p")))


def test_a_field_that_was_odd_once_hides_nothing():
    """One of a hundred in one group, or one of three groups, is not enough."""
    odd_once = [answered(user, {"total": 5 if user == 50 else 1}) for user in range(100)]
    assert learned(*odd_once).spots == {}
    in_one_group = [answered(n, {"total": n if n < 2 else 1}, kolvo=n // 2) for n in range(6)]
    assert learned(*in_one_group).spots == {}


def test_half_of_the_groups_are_enough():
    """Where a path could not be compared, it does not count against it."""
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
    assert {path for _, path in noise.spots} == {"$.at"}


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
    assert learned(exchange, exchange).spots == {}
