from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aimyproxy import jsonvalue
from aimyproxy.answering.background import Background
from aimyproxy.answering.expressions import ABSENT
from aimyproxy.answering.features import Situation
from aimyproxy.answering.nodes import Elements, Leaf, Members, before, learn, learn_member
from aimyproxy.answering.privacy import Owners, Privacy
from tests.strategies import values

NAMES = ["Иван", "Анна", "Пётр", "Ольга", "Лев", "Мария", "Олег", "Зоя"]


def situation(**variables):
    return Situation(variables, 1, None)


def learned(rows, path=("v",)):
    return learn(rows, path, Background(privacy=Privacy()))


def users(made, count=8):
    requests = [{"name": NAMES[index % 8], "qty": index % 3 + 1} for index in range(count)]
    return [(situation(**one), made(one)) for one in requests]


def test_what_is_explained_as_a_whole_is_a_leaf():
    """A constant object is one value."""
    node = learned(users(lambda _: {"a": [1, {"b": 2}]}))
    assert isinstance(node, Leaf)
    assert node.value(situation()) == ({"a": [1, {"b": 2}]}, True)
    assert [path for path, _ in node.decisions(("v",))] == [("v",)]


def test_an_object_is_learned_member_by_member():
    """At any depth, in the order of its members."""
    node = learned(users(lambda got: {"to": {"name": got["name"], "by": "bot"}, "text": f"Привет, {got['name']}"}))
    assert isinstance(node, Members)
    made, known = node.value(situation(name="Зинаида"))
    assert (made, known) == ({"to": {"name": "Зинаида", "by": "bot"}, "text": "Привет, Зинаида"}, True)
    assert list(made) == ["to", "text"]
    assert [path for path, _ in node.decisions(("v",))] == [("v", "to", "name"), ("v", "to", "by"), ("v", "text")]


def test_an_array_of_one_length_is_learned_element_by_element():
    """A card with rows."""
    node = learned(users(lambda got: ["Ваши данные", {"label": f"Имя: {got['name']}"}]))
    assert isinstance(node, Elements)
    assert node.value(situation(name="Зинаида")) == (["Ваши данные", {"label": "Имя: Зинаида"}], True)
    assert [path for path, _ in node.decisions(("v",))] == [("v", 0), ("v", 1, "label")]


def test_a_member_may_be_missing():
    """Whether it is there is decided as everything is."""
    node = learned(users(lambda got: {"n": got["name"], **({"gift": "чай"} if got["qty"] == 3 else {})}, 24))
    assert node.value(situation(name="Зинаида", qty=3)) == ({"n": "Зинаида", "gift": "чай"}, True)
    assert node.value(situation(name="Зинаида", qty=1)) == ({"n": "Зинаида"}, True)


def test_a_whole_object_may_be_missing():
    """And what it would hold is not made then."""
    node = learned(users(lambda got: {"text": f"Привет, {got['name']}"} if got["qty"] == 3 else ABSENT, 24))
    assert node.value(situation(name="Зинаида", qty=3)) == ({"text": "Привет, Зинаида"}, True)
    assert node.value(situation(name="Зинаида", qty=1)) == (ABSENT, True)


def test_a_whole_array_may_be_missing():
    """As an object may."""
    node = learned(users(lambda got: [f"Привет, {got['name']}"] if got["qty"] == 3 else ABSENT, 24))
    assert node.value(situation(name="Зинаида", qty=3)) == (["Привет, Зинаида"], True)
    assert node.value(situation(name="Зинаида", qty=1)) == (ABSENT, True)


def growing(anew=frozenset()):
    """Each user's list after one, two and three additions; begun anew where the requested action says so."""
    rows = []
    for user in range(8):
        held = []
        for step in range(3):
            sku = f"товар-{user * 3 + step}"
            action = "заново" if (user + step) % 4 in anew else "ещё"
            after = [*([] if action == "заново" else held), {"sku": sku}]
            rows.append((situation(v=held, sku=sku, action_=action), after))
            held = after
    return rows


def test_a_list_grows_behind_the_users_own():
    """Whatever it holds, however long it is."""
    node = learned(growing())
    assert isinstance(node, Elements)
    for held in ([], [{"sku": "мой"}], [{"other": 1}, 2, 3, 4, 5, 6]):
        assert node.value(situation(v=held, sku="новый", action_="ещё"))[0] == [*held, {"sku": "новый"}]
    assert [path for path, _ in node.decisions(("v",))] == [("v", -1, "sku")]


def test_a_list_may_be_begun_anew():
    """Where something says so."""
    node = learned(growing(anew={1}))
    held = [{"sku": "мой"}]
    assert node.value(situation(v=held, sku="новый", action_="ещё"))[0] == [*held, {"sku": "новый"}]
    assert node.value(situation(v=held, sku="новый", action_="заново"))[0] == [{"sku": "новый"}]


def test_lists_without_a_system_are_served_whole():
    """As recorded, a guess."""
    lists = [[1], [2, 3], [4, 5, 6], [1], [7, 8], [9]]
    node = learned([(situation(n=f"n{index}"), one) for index, one in enumerate(lists)], None)
    assert isinstance(node, Leaf)
    assert node.value(situation(n="new"))[0] in lists


def test_empty_objects_have_no_members():
    """There or not, they are values."""
    rows = [(situation(n=f"n{index}"), {} if index % 2 else "нет") for index in range(8)]
    assert learned(rows).value(situation(n="new"))[0] in ({}, "нет")


def test_what_the_request_has_no_list_at_is_empty():
    """Nothing there, something else there, or no way there."""
    assert before(situation(v=[1]), ("v",)) == [1]
    assert before(situation(v="x"), ("v",)) == []
    assert before(situation(), ("v",)) == []
    assert before(situation(v={"a": 1}), ("v", "b")) == []


def test_a_member_that_is_named_after_a_user_is_withheld():
    """And the answer is a guess without it."""
    owners = Owners()
    one = owners.heard(situation(userId="u-1", action="e", tag="метка-1"))
    node = learn_member("для метка-1", [(one, True)], None, Background(privacy=Privacy.of([(one, None)], owners)))
    assert node.value(one) == (ABSENT, False)


@given(st.lists(st.tuples(values, values), min_size=1, max_size=6))
def test_any_values_are_learned(pairs):
    """What is explained in full is given back in full; nothing is made of the wrong kind of thing."""
    rows = [(situation(v=asked, n=index), answered) for index, (asked, answered) in enumerate(pairs)]
    node = learned(rows)
    for one, answered in rows:
        made, _ = node.value(one)
        if isinstance(node, Leaf) and node.decision.complete:
            assert made is not ABSENT
            assert jsonvalue.same(made, answered)
    again = learned([(situation(v=asked, n=index), answered) for index, (asked, answered) in enumerate(pairs)])
    assert repr(again) == repr(node)
