"""An index that took over an edit answers as one that was built with it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimyproxy.answering.background import Hints
from aimyproxy.answering.index import Index
from aimyproxy.answering.mocks import Mock
from aimyproxy.answering.replayer import Replayer
from aimyproxy.answering.serving import MATCHES
from aimyproxy.exchange import Body, Failure, Request
from tests.answering.test_recorded_again import post, recordings
from tests.builders import exchange, request, response

FAILURE = Failure("timeout", "too slow")


@st.composite
def exchanges_of(draw):
    """A recording in which some requests got no response, and ids have gaps; sometimes out of order."""
    failing = st.sampled_from([False, False, False, True])
    made = [
        exchange(post(asked), None, failure=FAILURE) if draw(failing) else exchange(post(asked), answer)
        for asked, answer in draw(recordings())
    ]
    ids = draw(st.lists(st.integers(1, 12), min_size=len(made), max_size=len(made), unique=True))
    return list(zip(ids if draw(st.booleans()) else sorted(ids), made, strict=True))


@st.composite
def mocks_for(draw, ids):
    """Rules and edits, of exchanges that are there or not, some of them switched off."""
    documents = []
    for _ in range(draw(st.integers(0, 4))):
        document = {"event": draw(st.sampled_from(["start", "order"])), "answer": {"a": draw(st.integers(0, 3))}}
        if draw(st.booleans()):
            document["from_exchange"] = draw(st.sampled_from([*ids, 99]))
        if draw(st.integers(0, 3)) == 0:
            document["when"] = {"$.channelType": "vk"}
        if draw(st.integers(0, 3)) == 0:
            document["merge"] = True
        if draw(st.integers(0, 5)) == 0:
            document["enabled"] = False
        documents.append(document)
    return [Mock.parse(identity, document) for identity, document in enumerate(documents, 1)]


HINTS = st.dictionaries(
    st.sampled_from(["start", "order"]),
    st.builds(
        Hints,
        st.sampled_from([(), (("queryText",),), (("channelType",),)]),
        st.sampled_from([frozenset(), frozenset({("name",)}), frozenset({("queryText",)})]),
    ),
)


def said_by(index, requests):
    """All that anybody can see of an index: its answers, turn by turn, and what it says of itself."""
    replay = Replayer(index)
    answers = [repr(replay.answer(asked)[1]) for asked in requests for _ in range(2)]
    learned = [repr(list(model.decisions())) for _, model in sorted(index.models().items())]
    standing = [index.standing(event) for event in ("start", "order", None)]
    return answers, learned, standing, index.summary(), index.warnings, index.answering, index.events


@pytest.mark.parametrize("match", MATCHES)
@given(st.data())
def test_an_edited_index_is_the_one_that_would_be_built(match, data):
    """Step by step, through several edits, whether or not it has answered and learned before; and itself stays."""
    recorded = data.draw(exchanges_of())
    ids = [identity for identity, _ in recorded]
    news = [post({**one.request.body.variables(), "userId": "new", "name": "Зоя"}) for _, one in recorded[:2]]
    requests = [*(one.request for _, one in recorded), *news]
    mocks, hints = data.draw(mocks_for(ids)), data.draw(HINTS)
    index = Index.build(recorded, mocks, match, hints)
    for _ in range(2):
        before = said_by(index, requests) if data.draw(st.booleans()) else None
        mocks, hints = data.draw(mocks_for(ids)), data.draw(HINTS)
        edited = index.edited(mocks, hints)
        built = Index.build(recorded, mocks, match, hints)
        if edited is not None:
            assert said_by(edited, requests) == said_by(built, requests)
        if before is not None:
            assert said_by(index, requests) == before
        index = edited or built


def recorded_shop():
    """Two users of two cities, and one whose webhook was too slow."""
    told = [("a", "Москва", 1), ("b", "Тверь", 2), ("c", "Москва", 1), ("d", "Тверь", 2)]
    answered = [
        exchange(request({"action": "start", "userId": user, "city": city}), response({"zone": zone}))
        for user, city, zone in told
    ]
    return [*enumerate(answered, 1), (5, exchange(request({"action": "start", "userId": "e"}), None, failure=FAILURE))]


def edit_of(identity, **more):
    return [Mock.parse(1, {"event": "start", "from_exchange": identity, "answer": {"zone": 9}, **more})]


def zone(index, user, **changes):
    _, answer = Replayer(index).answer(request({"action": "start", "userId": user, **changes}))
    return answer.source.header, Body.of(answer.body).variables()["zone"]


def test_an_edit_of_an_exchange_is_taken_over_and_taken_back():
    """Word for word, and for whoever asks the like."""
    index = Index.build(recorded_shop(), (), "learned")
    index.models()
    edited = index.edited(edit_of(1), {})
    assert zone(edited, "a", city="Москва") == ("mock; mock=1", 9)
    assert zone(edited, "new", city="Москва") == ("mock; mock=1", 9)
    assert zone(edited, "b", city="Тверь") == ("exact; exchange=2", 2)
    assert zone(index, "a", city="Москва") == ("exact; exchange=1", 1)
    back = edited.edited([], {})
    assert zone(back, "a", city="Москва") == ("exact; exchange=1", 1)


def test_hints_are_learned_by():
    """A forbidden path decides nothing any more."""
    index = Index.build(recorded_shop(), (), "learned")
    assert index.models()["start"].deciding() == (("city",),)
    hinted = index.edited([], {"start": Hints.parse([], ["$.city"])})
    assert ("city",) not in hinted.models()["start"].deciding()


def test_rules_need_no_exchange():
    """A mock of its own answers beside what was recorded."""
    index = Index.build(recorded_shop(), (), "learned")
    rule = Mock.parse(1, {"event": "order", "answer": {"a": 1}})
    assert index.edited([rule], {}).events == {"start", "order"}


def test_what_answers_only_by_an_edit_is_built_anew():
    """The exchange has no response of its own, so that the edit adds a turn, or takes one away."""
    index = Index.build(recorded_shop(), (), "learned")
    assert index.edited(edit_of(5), {}) is None
    assert Index.build(recorded_shop(), edit_of(5), "learned").edited([], {}) is None


def test_an_edit_of_what_is_not_there_is_told_until_it_is_gone():
    """Also where another edit comes."""
    index = Index.build(recorded_shop(), (), "learned")
    lost = index.edited(edit_of(99), {})
    assert lost.warnings == ["Mock 1 edits exchange 99, which is not in the recording: it answers nothing."]
    both = [*edit_of(99), Mock.parse(2, {"event": "start", "from_exchange": 2, "answer": {}})]
    assert lost.edited(both, {}).warnings == lost.warnings
    assert lost.edited([], {}).warnings == []


def test_requests_that_no_bot_sends_can_be_edited_too():
    """They have no event, so only the exact answer changes."""
    got = [(1, exchange(Request("GET", "/health", (), Body("absent")), response({"zone": 1})))]
    edited = Index.build(got, (), "learned").edited(edit_of(1), {})
    _, answer = Replayer(edited).answer(got[0][1].request)
    assert answer.source.header == "mock; mock=1"
