"""Pairs of different users by what their answers depend on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimyproxy import cli
from aimyproxy.diff.answers import answer_of
from aimyproxy.diff.pairs import Pair
from aimyproxy.diff.run import Terms, diff_recordings
from aimyproxy.diff.strangers import introduced
from aimyproxy.store.recording import Recording
from tests import builders

NAMES = ["Anna", "Boris", "Vera", "Gleb", "Dina", "Egor", "Zoya", "Ivan", "Kira", "Lev", "Mila", "Nik"]
PRICES = {"S": 300, "M": 400, "L": 500}


def by_size(event, variables, occurrence, previous):
    """Only the size decides, and how often one came, and from where; nobody knows what decides `other`."""
    return None if event == "other" else f"{event} {variables['size']} {occurrence} {previous}".encode()


def talk(user, size, events, **changes):
    return [builders.exchange(builders.request(userId=user, action=event, size=size, **changes)) for event in events]


def recorded(folder, name, exchanges):
    recording = Recording.create(folder / name, None)
    for exchange in exchanges:
        recording.append(exchange)
    recording.close()
    return recording


def everybody_alone(baseline, candidate):
    return [
        *(Pair(answer_of(identity, exchange), None) for identity, exchange in baseline),
        *(Pair(None, answer_of(identity, exchange)) for identity, exchange in candidate),
    ]


def ids(found):
    return [(pair.baseline and pair.baseline.id, pair.candidate and pair.candidate.id) for pair in found]


def test_who_has_the_same_reasons_is_a_pair(tmp_path):
    """In recorded order, with the occurrence and the event before in the conversation; nobody else."""
    before = recorded(tmp_path, "a", [*talk("u1", "S", ["start", "pay"]), *talk("u2", "M", ["start"])])
    after = recorded(tmp_path, "b", [*talk("v1", "M", ["start", "start"]), *talk("v2", "S", ["start", "pay"])])
    found = ids(introduced(everybody_alone(before, after), before, after, lambda _: by_size))
    assert found == [(1, 3), (2, 4), (3, 1), (None, 2)]


def test_where_nobody_knows_what_decides_they_stay_alone(tmp_path):
    """Events whose answers are not explained, and bodies that are no object."""
    before = recorded(tmp_path, "a", talk("u1", "S", ["other"]))
    after = recorded(tmp_path, "b", talk("v1", "S", ["other"]))
    assert ids(introduced(everybody_alone(before, after), before, after, lambda _: by_size)) == [(1, None), (None, 1)]


def test_nothing_is_learned_without_need(tmp_path):
    """Where only one side has somebody alone, or of other events."""
    before = recorded(tmp_path, "a", talk("u1", "S", ["start"]))
    after = recorded(tmp_path, "b", talk("v1", "S", ["pay"]))
    alone = everybody_alone(before, after)
    assert list(introduced(alone, before, after, pytest.fail)) == alone


TALKS = st.lists(
    st.tuples(st.sampled_from("SM"), st.lists(st.sampled_from(["start", "other"]), max_size=3)), max_size=4
)


@given(TALKS, TALKS)
def test_every_exchange_comes_once(tmp_path_factory, one, other):
    """In a pair or alone."""
    folder = tmp_path_factory.mktemp("recordings")
    sides = [
        recorded(folder, name, [made for number, said in enumerate(talks) for made in talk(f"{name}{number}", *said)])
        for name, talks in (("a", one), ("b", other))
    ]
    found = ids(introduced(everybody_alone(*sides), *sides, lambda _: by_size))
    assert sorted(first for first, _ in found if first) == list(range(1, len(sides[0]) + 1))
    assert sorted(second for _, second in found if second) == list(range(1, len(sides[1]) + 1))


def shop(folder, name, users, greeting):
    """A bot whose greeting is made of the name, whose price depends on the size, and whose carts decide nothing."""
    exchanges = []
    for number, (user, named, size) in enumerate(users):
        asked = {"userId": user, "channelType": "telegram", "name": named, "size": size, "cart": f"{user}-{number}"}
        for action, said in (("start", {"greeting": f"{greeting}, {named}"}), ("price", {"price": PRICES[size]})):
            variables = {"action": action, **asked}
            exchanges.append(builders.exchange(builders.request(variables), builders.response({**variables, **said})))
    return recorded(folder, name, exchanges)


def test_what_decides_is_learned_from_the_baseline(tmp_path, capsys):
    """Twelve users against twelve others, in another order and with carts of their own: one change, nobody alone."""
    shop(tmp_path, "shop", [(f"u{n}", NAMES[n], "SML"[n % 3]) for n in range(12)], "Hi")
    shop(tmp_path, "shop-v2", [(f"v{n}", NAMES[n * 5 % 12], "LSM"[n % 3]) for n in range(12)], "Hello")
    assert cli.run(["diff", "shop", "shop-v2", "--recordings", str(tmp_path)]) == 1
    out = capsys.readouterr().out
    assert out.startswith("12 of 24 answers differ, in 1 of 2 events.\n")
    assert '$.greeting "Hi, Anna" → "Hello, Anna"' in out


def test_without_a_learner_they_are_alone(tmp_path):
    """Who calls for a report by hand gets pairs by conversation and inputs."""
    sides = (
        shop(tmp_path, "shop", [("u1", "Anna", "S")], "Hi"),
        shop(tmp_path, "shop-v2", [("v1", "Anna", "S")], "Hi"),
    )
    assert diff_recordings(*sides, Terms()).alone == 4
