from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aimyproxy.answering import situations as situations_module
from aimyproxy.answering.features import Situation
from aimyproxy.answering.privacy import Owners
from aimyproxy.answering.sayings import Sayings, told
from aimyproxy.answering.situations import Situations
from aimyproxy.answering.survey import HeldExchanges, Reader, Survey
from aimyproxy.errors import BrokenFile
from aimyproxy.exchange import Body, Failure, Request
from tests.builders import exchange, request, response

WORDS = [
    "Анна",
    "Олеговна",
    "+79161234567",
    79161234567,
    79161234567.0,
    "да",
    "",
    7,
    True,
    None,
    ["Тверская"],
    "Straße",
]
VALUES = st.sampled_from(WORDS) | st.dictionaries(st.sampled_from(["a", "b"]), st.sampled_from(WORDS), max_size=2)
REQUESTS = st.builds(
    lambda event, user, own: {"action": event, **({"userId": user} if user else {}), **own},
    st.sampled_from(["start", "order"]),
    st.sampled_from(["u1", "u2", None]),
    st.dictionaries(st.sampled_from(["name", "phone", "rawRequest", "queryText"]), VALUES, max_size=3),
)


@st.composite
def recordings(draw):
    """Requests of a few users, some of which got no response, and some that no bot sent."""
    made = []
    for variables in draw(st.lists(REQUESTS, max_size=12)):
        asked = request(variables) if draw(st.integers(0, 9)) else Request("GET", "/", (), Body())
        failed = draw(st.integers(0, 5)) == 0
        answered = None if failed else response(draw(st.dictionaries(st.sampled_from("xy"), VALUES, max_size=2)))
        made.append(exchange(asked, answered, Failure("timeout", "") if failed else None))
    return made


def surveyed(made, edited=()):
    held = HeldExchanges(enumerate(made, 1))
    survey = Survey(held.glances(), edited)
    return survey, Situations(survey, Reader(held))


def walked(made, edited):
    """Each exchange's situation and all owners, the slow way: one after another, everything remembered."""
    owners, counts, previous, said = Owners(), {}, {}, {}
    found = {}
    for position, one in enumerate(made):
        if one.event is None:
            continue
        variables, who = one.request.body.variables(), one.conversation
        occurrence = counts[who, one.event] = counts.get((who, one.event), 0) + 1
        before = previous.get(who) if who else None
        previous[who] = one.event
        if one.response is None and position + 1 not in edited:
            continue
        own = said.setdefault(who, Sayings())
        found[position] = (occurrence, before, told(variables), own.remembered(position, one))
        own.add(position, variables)
        owners.heard(Situation(variables, occurrence, before))
    return found, owners


@given(recordings(), st.sets(st.integers(1, 12)), st.sampled_from([1, 200]), st.data())
def test_situations_are_those_of_a_walk_through_the_recording(made, edited, long, data):
    """Whichever are asked for, and however long the conversations are."""
    survey, situations = surveyed(made, edited)
    expected, _ = walked(made, edited)
    assert [position for position in range(len(made)) if survey.heard(position)] == list(expected)
    wanted = sorted(data.draw(st.sets(st.sampled_from(list(expected) or [None])))) if expected else []
    situations_module_long, situations_module._LONG = situations_module._LONG, long
    try:
        found = {position: situation for position, situation, _ in situations.read(wanted)}
    finally:
        situations_module._LONG = situations_module_long
    assert list(found) == wanted
    for position, one in found.items():
        assert (one.occurrence, one.previous, one.told, one.remembered) == expected[position]
        assert one.order == position + 1


@given(recordings(), st.lists(st.sampled_from(["анна", "олеговна +79161234567", "79161234567", "strasse"]), max_size=3))
def test_owners_are_those_of_a_walk_through_the_recording(made, texts):
    """A conversation heard in one go tells as much as its requests one by one, among others'."""
    survey, situations = surveyed(made)
    _, owners = walked(made, ())
    orders = [position + 1 for position in range(len(made)) if survey.heard(position)]
    for text in texts:
        for count, order in enumerate(orders, 1):
            assert set(situations.owners.private(text, order)) == set(owners.private(text, count))


class Breaking(HeldExchanges):
    """Exchanges one of which can't be read."""

    def exchange(self, position):
        if position == 1:
            raise BrokenFile("exchanges.json", "exchange 2: odd", line=4, column=1)
        return super().exchange(position)

    def variables(self, position):
        return self.exchange(position).request.body.variables()


def test_what_is_broken_is_left_out_and_told():
    """Once, wherever it was met."""
    held = Breaking(enumerate([exchange(request(name=name)) for name in ("Анна", "Олег", "Зоя")], 1))
    survey, reader = Survey(held.glances()), Reader(held)
    situations = Situations(survey, reader)
    assert [position for position, *_ in situations.read([0, 1, 2])] == [0, 2]
    assert situations.owners is situations.owners
    assert list(reader.troubles) == [1]
    assert reader.troubles[1] == "exchanges.json:4:1: exchange 2: odd. It answers nothing."


def test_what_is_too_deep_is_left_out_and_told():
    """A glance may not have seen it."""
    deep = []
    for _ in range(400):
        deep = [deep]
    odd = exchange(Request("POST", "/", (), Body("json", {"action": "start", "a": deep})), response({}))
    held = HeldExchanges([(7, odd)])
    survey = Survey((identity, seen._replace(deep=False)) for identity, seen in held.glances())
    reader = Reader(held)
    assert list(Situations(survey, reader).read([0])) == []
    assert reader.troubles == {0: "Exchange 7 is nested too deep to answer anything."}
