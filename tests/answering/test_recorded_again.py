"""What was recorded comes back as it was, through the whole replayer, however much may be generalised."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimyproxy import jsonvalue
from aimyproxy.aimylogic import effect_of
from aimyproxy.answering.index import Index
from aimyproxy.answering.replayer import Replayer
from aimyproxy.answering.serving import MATCHES
from aimyproxy.exchange import Body, Request, Response
from tests.builders import exchange
from tests.strategies import objects, values

NAMES = ["name", "order", "data", "items", "Город", "x"]
CHANNELS = ["telegram", "vk", "chatwidget", "yandex", "resterisk", "max"]


@st.composite
def asked(draw):
    """A bot's variables: its author's own, of any shape, and a frame with ids and dates of the channel."""
    user, channel = draw(st.sampled_from(["u-1", "u-2", "u-3", None])), draw(st.sampled_from(CHANNELS))
    own = draw(st.dictionaries(st.sampled_from(NAMES), values, max_size=4))
    frame = {"action": draw(st.sampled_from(["start", "order"])), "channelType": channel, "channelId": "c"}
    message = {"message_id": draw(st.integers(1, 10**9)), "date": draw(st.integers(1, 10**9)), "text": "да"}
    said = {"queryText": draw(st.sampled_from(["да", "нет"])), "lastSeen": draw(st.integers(0, 99))}
    who = {} if user is None else {"userId": user}
    return {**frame, **own, **said, **who, "rawRequest": {"message": message}}


@st.composite
def changed(draw, before):
    """What a webhook makes of an object: members echoed, dropped, changed, or changed inside, at any depth."""
    after = {}
    for name, value in before.items():
        kind = draw(st.sampled_from(["echo", "echo", "echo", "drop", "change", "inside"]))
        if kind == "inside" and isinstance(value, dict | list):
            after[name] = draw(changed(value)) if isinstance(value, dict) else [*value, draw(values)]
        elif kind == "change":
            after[name] = draw(values)
        elif kind != "drop":
            after[name] = value
    return after


@st.composite
def answered(draw, variables):
    """A webhook's answer: an object with echoes in their place, moved and renamed, in texts; or something else."""
    status = draw(st.sampled_from([200, 200, 200, 201, 422]))
    kind = draw(st.sampled_from(["object"] * 6 + ["json", "text", "bytes"]))
    if kind != "object":
        body = draw(st.sampled_from([Body("json", [1, variables]), Body("text", "ОК!"), Body("base64", b"\xff")]))
        return Response(status, (), body)
    after = draw(changed(variables)) if draw(st.booleans()) else {}
    for name in draw(st.lists(st.sampled_from(["a", "b", *NAMES]), max_size=3, unique=True)):
        held = variables[draw(st.sampled_from(sorted(variables)))]
        shapes = [held, {"in": [held, {"deep": held}]}, f"<{held}>", draw(values), draw(objects)]
        after[name] = draw(st.sampled_from(shapes))
    return Response(status, (("content-type", "text/html"),), Body("json", after))


@st.composite
def recordings(draw):
    pairs = []
    for _ in range(draw(st.integers(1, 8))):
        again = pairs and draw(st.booleans())
        variables = draw(st.sampled_from([one for one, _ in pairs])) if again else draw(asked())
        pairs.append((variables, draw(answered(variables))))
    return pairs


def post(variables):
    return Request("POST", "/", (), Body("json", copy.deepcopy(variables)))


def replayed(pairs, match):
    return Replayer(
        Index.build(enumerate((exchange(post(asked), answer) for asked, answer in pairs), 1), match=match), "shop"
    )


def effect(variables, answer):
    """The status and the effect on a bot that has asked with these variables."""
    body = answer.body if isinstance(answer, Response) else Body.of(answer.body)
    return answer.status, effect_of(post(variables), Response(answer.status, (), body))


def same(one, other):
    return one[0] == other[0] and one[1].same_as(other[1])


@pytest.mark.parametrize("match", MATCHES)
@given(recordings())
def test_a_recorded_conversation_has_the_recorded_effects(match, pairs):
    """In its order, from its own exchanges: status, variables, nested or not, and bodies that are no objects."""
    replay = replayed(pairs, match)
    for number, (variables, recorded) in enumerate(pairs, 1):
        answer = replay.answer(post(variables))[1]
        assert answer.source.header == f"exact; exchange={number}"
        assert same(effect(variables, answer), effect(variables, recorded))


@given(asked(), st.sampled_from(["telegram", "max"]), st.data())
def test_what_is_volatile_is_rebased_and_changes_nothing_else(asked, channel, data):
    """The same request with other ids and dates has the same effect; its own are echoed."""
    variables = {**asked, "channelType": channel}
    recorded = data.draw(answered(variables))
    message = {**variables["rawRequest"]["message"], "message_id": 7, "date": 8}
    again = {**variables, "lastSeen": 777, "rawRequest": {"message": message}}
    wanted = effect(variables, recorded)
    for match in MATCHES:
        answer = replayed([(variables, recorded)], match).answer(post(again))[1]
        assert answer.source.header == "exact; exchange=1"
        found = effect(again, answer)
        if wanted[1].kind == "body":
            assert same(found, wanted)
        else:
            assert jsonvalue.same(unspoiled(found), unspoiled(wanted))


def unspoiled(effect):
    """What it sets, less what was asked anew."""
    return {name: value for name, value in effect[1].value.items() if name not in ("lastSeen", "rawRequest")}


# -- moved, renamed, and given to somebody new ----------------------------------------------------------------------

SOURCES = [("name",), ("phone",), ("order", "sku"), ("order", "box", "code"), ("order",), ("items",), ("items", 0)]
TARGETS = [("who",), ("data", "customer", "it"), ("data", "n"), ("rows",), ("a", "b", "c", "d", "e"), ("items",)]


def shopper(number):
    """Variables of a user, each value nobody else's."""
    serial = 100_003 + number * 7919
    order = {"sku": f"товар {serial + 1}", "box": {"code": serial + 2}, "gift": False}
    own = {
        "name": f"Имя {serial} Отчество",
        "phone": f"+7{serial}44",
        "order": order,
        "items": [f"x-{serial}y", serial],
    }
    frame = {"userId": f"telegram-{serial + 3}", "channelId": "c", "channelType": "telegram"}
    return {"action": "e", "queryText": "да", **frame, **own, "rawRequest": {"message": {"message_id": serial * 3}}}


def at(value, path):
    for step in path:
        value = value[step]
    return value


def put(value, path, held, shape):
    """Set the value at this path, alone, in a list, or in a text."""
    *steps, last = path
    for step in steps:
        value = value.setdefault(step, {})
    made = {"alone": held, "list": [1, held], "text": f"Это {held}!"}
    value[last] = made["alone" if shape == "text" and isinstance(held, list | dict) else shape]


@given(
    st.lists(st.tuples(st.sampled_from(SOURCES), st.sampled_from(["alone", "list", "text"])), min_size=1, max_size=4),
    st.permutations(TARGETS),
    st.booleans(),
)
def test_moved_and_renamed_values_are_the_new_users(moves, targets, echoing):
    """Values and objects, from any depth to any depth; never seen before."""

    def webhook(got):
        made = copy.deepcopy(got) if echoing else {"ok": True}
        for (source, shape), target in zip(moves, targets, strict=False):
            put(made, target, at(got, source), shape)
        return Response(200, (), Body("json", made))

    users = [shopper(number) for number in range(6)]
    replay = replayed([(one, webhook(one)) for one in users], "learned")
    new = shopper(77)
    answer = replay.answer(post(new))[1]
    assert answer.source.step == "learned"
    assert same(effect(new, answer), effect(new, webhook(new)))
