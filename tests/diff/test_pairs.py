from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from aimyproxy.diff.comparison import compare
from aimyproxy.diff.pairs import pairs
from aimyproxy.exchange import Body, Request
from tests import builders

asked = st.tuples(st.sampled_from("ab"), st.sampled_from(["start", "choose"]))
recordings = st.lists(asked, max_size=12)


def recorded(questions):
    return [
        (number, builders.exchange(builders.request(userId=user, action=event)))
        for number, (user, event) in enumerate(questions, 1)
    ]


def ids(found):
    return [(pair.baseline and pair.baseline.id, pair.candidate and pair.candidate.id) for pair in found]


def test_a_pair_is_of_one_conversation_one_event_and_one_occurrence():
    """The second `start` of a user pairs with the second `start` of the same user, wherever it stands."""
    baseline = recorded([("a", "start"), ("b", "start"), ("a", "start"), ("a", "choose")])
    candidate = recorded([("b", "start"), ("a", "choose"), ("a", "start"), ("a", "start")])
    assert sorted(ids(pairs(baseline, candidate))) == [(1, 3), (2, 1), (3, 4), (4, 2)]


def test_what_has_no_partner_is_reported():
    """On either side, after the pairs."""
    baseline = recorded([("a", "start"), ("b", "start"), ("a", "start")])
    candidate = recorded([("a", "start"), ("c", "choose")])
    assert ids(pairs(baseline, candidate)) == [(1, 1), (2, None), (3, None), (None, 2)]


def said(user, occurrence_of=("start",), **own):
    return [builders.exchange(builders.request(userId=user, action=event, **own)) for event in occurrence_of]


def test_other_users_who_asked_the_same_are_pairs():
    """Event, occurrence and what was said have to be equal, in order; who asked does not."""
    baseline = [*said("a", size="S"), *said("b", size="L"), *said("c", ("start", "start"), size="M")]
    candidate = [*said("x", size="L"), *said("y", ("start", "start", "pay"), size="M"), *said("b", size="S")]
    found = ids(pairs(list(enumerate(baseline, 1)), list(enumerate(candidate, 1))))
    assert sorted(found, key=str) == [(1, None), (2, 5), (3, 2), (4, 3), (None, 1), (None, 4)]


def greeted(user, name, greeting):
    person = {"id": len(name) * 1111, "first_name": name}
    asked = builders.request(userId=user, name="", rawRequest={"message": {"from": person, "message_id": 7}})
    said = {"greeting": f"{greeting}, {name}!", "who": person["id"], "link": f"/u/{user}", "none": None}
    return builders.exchange(asked, builders.response(said))


def test_what_an_answer_took_from_its_user_is_no_difference_to_another_users():
    """Names and ids out of the request, alone or in texts; what the webhook says otherwise is."""
    baseline = [(1, greeted("user-1", "Иван", "Привет"))]
    (same,) = pairs(baseline, [(1, greeted("user-2", "Екатерина", "Привет"))])
    assert compare(same.baseline, same.candidate) == []
    (other,) = pairs(baseline, [(1, greeted("user-2", "Екатерина", "Здравствуйте"))])
    (found,) = compare(other.baseline, other.candidate)
    assert (found.difference.before, found.difference.after) == ("Привет, Екатерина!", "Здравствуйте, Екатерина!")


def test_what_was_made_from_another_recording_is_never_taken_for_anothers():
    """An answer that was dropped stays without a partner."""
    baseline = list(enumerate([*said("a"), *said("b"), *said("c")], 1))
    made = [(1, replace(baseline[2][1], made_from=("shop", 3))), (2, replace(baseline[0][1], made_from=("shop", 1)))]
    assert sorted(ids(pairs(baseline, made, name="shop")), key=str) == [(1, 2), (2, None), (3, 1)]
    assert sorted(ids(pairs(made, made[::-1])), key=str) == [(1, 1), (2, 2)]


@given(recordings, recordings)
def test_every_exchange_comes_exactly_once(one, other):
    """In a pair or alone; and a recording against itself has nobody alone."""
    found = ids(pairs(recorded(one), recorded(other)))
    assert sorted(first for first, _ in found if first) == list(range(1, len(one) + 1))
    assert sorted(second for _, second in found if second) == list(range(1, len(other) + 1))
    assert ids(pairs(recorded(one), recorded(one))) == [(n, n) for n in range(1, len(one) + 1)]


def other_request(path, body, method="POST"):
    return builders.exchange(Request(method, path, (), Body.of(body)))


def test_without_a_conversation_method_path_and_body_decide():
    """The n-th of the same requests pairs with the n-th of them."""
    health, text, array = ("/health", b"", "GET"), ("/", b"text"), ("/x", b"[1]")
    baseline = [(1, other_request(*health)), (2, other_request(*text)), (3, other_request(*array))]
    candidate = [(1, other_request("/x", b"[1.0]")), (2, other_request(*health)), (3, other_request(*health))]
    assert ids(pairs(baseline, candidate)) == [(1, 2), (3, 1), (2, None), (None, 3)]


def test_a_test_widget_without_a_user_pairs_whatever_is_volatile():
    """`lastSeen` differs from request to request and says nothing."""
    first = other_request("/", b'{"action": "start", "lastSeen": 1}')
    second = other_request("/", b'{"lastSeen": 2, "action": "start"}')
    assert ids(pairs([(1, first)], [(1, second)])) == [(1, 1)]


def test_bodies_nested_deeper_than_python_calls_pair_by_their_bytes():
    """No recording ends the comparison."""
    deep = b'{"a":' * 900 + b"1" + b"}" * 900
    assert ids(pairs([(1, other_request("/", deep))], [(1, other_request("/", deep))])) == [(1, 1)]
