from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimyproxy.answering.background import Background, Hints
from aimyproxy.answering.expressions import ABSENT, Constant, Copy, Echo, Pair, Text
from aimyproxy.answering.features import OCCURRENCE, PREVIOUS, Situation
from aimyproxy.answering.fitting import cell_key, fit
from aimyproxy.answering.privacy import Owners, Privacy
from aimyproxy.errors import InvalidDocument

NAMES = ["Иван", "Анна", "Пётр", "Ольга", "Лев", "Мария", "Олег", "Зоя"]


def situation(occurrence=1, previous=None, **variables):
    return Situation(variables, occurrence, previous)


def rows(count, made, **more):
    """So many rows of users; `more` are variables by number, `made` is the value by the variables."""
    found = []
    for index in range(count):
        own = {"id": f"id-{index * 7919}", **{key: of(index) for key, of in more.items()}}
        found.append((situation(**own), made(own)))
    return found


CITY = {"city": lambda index: ["Омск", "Тверь", "Казань"][index % 3]}
DAYS = {"Омск": 3, "Тверь": 5, "Казань": 2}


def test_what_never_varies_is_a_constant():
    """Even where an expression would give it, too; and nothing decides it."""
    found = fit(rows(8, lambda _: "ok", state=lambda _: "ok"))
    assert (found.keys, found.table) == ((), {b"": Constant("ok")})
    assert found.complete
    assert found.trusted
    assert found.value(situation(state="other")) == ("ok", True)


def test_one_path_decides():
    """The one that the values follow, of all that there are."""
    found = fit(rows(12, lambda got: DAYS[got["city"]], **CITY, other=lambda index: index % 4))
    assert found.keys == (("city",),)
    assert found.value(situation(city="Тверь")) == (5, True)
    assert found.value(situation(city="Псков"))[1] is False


@pytest.mark.parametrize("turns", [2, 3, 4])
def test_what_takes_turns_in_many_rows_is_seen(turns):
    """Some of them are looked at, and not every n-th, which would always be the same user's."""
    greetings = rows(240 * turns, lambda got: f"Привет, {got['name']}!", name=lambda index: NAMES[index % turns])
    assert fit(greetings).table == {b"": Text(("Привет, ", ("name",), "!"))}
    prices = rows(240 * turns, lambda got: 50 * "SMLX".index(got["size"]), size=lambda index: "SMLX"[index % turns])
    found = fit(prices)
    assert found.keys == (("size",),)
    assert all(found.value(asked) == (price, True) for asked, price in prices)


def test_two_paths_decide_together():
    """Where neither does alone."""
    more = {"a": lambda index: index % 2, "b": lambda index: index // 2 % 3, "c": lambda index: index % 5}
    found = fit(rows(60, lambda got: ["да", "нет"][(got["a"] + got["b"]) % 2] * (1 + got["b"]), **more))
    assert set(found.keys) == {("a",), ("b",)}
    assert found.complete


def test_three_paths_decide_together():
    """As many as are looked for."""
    more = {key: lambda index, place=place: index // 2**place % 2 for place, key in enumerate("abc")}
    found = fit(rows(64, lambda got: ["мяу", "гав"][(got["a"] + got["b"] + got["c"]) % 2], **more))
    assert set(found.keys) == {("a",), ("b",), ("c",)}


def test_fewer_paths_are_better_and_the_authors_before_the_channels():
    """Of two that explain as much, the one known earlier."""
    both = [(situation(own=index % 2, queryText=f"q{index % 2}"), ["одно", "другое"][index % 2]) for index in range(12)]
    assert fit(both).keys == (("own",),)


def test_a_path_that_is_unique_decides_nothing():
    """It explains what was, and nothing that will be."""
    noise = iter(["a1x", "b7q", "c3w", "d9e", "e2r", "f8t", "g4y", "h6u"])
    found = fit(rows(8, lambda _: next(noise)))
    assert found.keys == ()
    assert found.noise
    assert not found.trusted


def test_noise_is_served_as_known():
    """One of the values that were seen, always the same one."""
    stamps = [f"{index * 7_919_311 % 9_999_991}" for index in range(10)]
    seen = [(situation(city="Омск"), stamp) for stamp in stamps]
    found = fit(seen)
    value, known = found.value(situation(city="Омск"))
    assert value in stamps
    assert known
    assert found.value(situation(city="Омск")) == (value, known)


def test_what_only_looks_like_noise_is_a_guess():
    """Each request had another phone: what is made of it may well follow from it."""
    phones = [f"+7999{index * 7_919_311 % 9_999_991:07d}" for index in range(24)]
    found = fit([(situation(phone=phone), f"{phone[:5]}***{phone[-2:]}") for phone in phones])
    assert found.noise
    assert found.value(situation(phone="+79995554433"))[1] is False


def test_what_a_recorded_request_contradicts_is_a_guess():
    """Most are grown up; that says nothing of the next one."""
    found = fit([(situation(age=age), age >= 18) for age in range(13, 43)])
    assert found.trusted
    assert found.value(situation(age=15)) == (True, False)


def test_an_unknown_choice_is_no_noise():
    """Few values without a reason: any of them is a guess."""
    choice = iter("aabbabbabaabbbab" * 2)
    found = fit(rows(32, lambda _: f"вариант {next(choice)}"))
    assert not found.noise
    assert found.value(situation())[1] is False


def test_the_occurrence_and_the_previous_event_may_decide():
    """They are looked at as the variables are."""
    seen = [(situation(1 + index % 2, n=index // 2), ["первый", "второй"][index % 2]) for index in range(12)]
    assert fit(seen).keys == (OCCURRENCE,)
    seen = [(situation(1, ["a", "b"][index % 2], n=index // 3), ["из a", "из b"][index % 2]) for index in range(12)]
    assert fit(seen).keys == (PREVIOUS,)


def test_an_expression_needs_no_path():
    """It explains values never seen."""
    found = fit(rows(8, lambda got: f"Привет, {got['name']}!", name=lambda index: NAMES[index]))
    assert found.keys == ()
    assert found.value(situation(name="Зинаида")) == ("Привет, Зинаида!", True)
    # A row that lacks it can't be answered so.
    assert found.value(situation())[1] is False


def test_a_path_may_decide_between_expressions():
    """A greeting by name in one channel, a plain one in the other."""
    more = {"name": lambda index: NAMES[index // 2 % 8], "kind": lambda index: "ab"[index % 2]}
    found = fit(rows(24, lambda got: f"Привет, {got['name']}!" if got["kind"] == "a" else "Привет!", **more))
    assert found.keys == (("kind",),)
    assert found.value(situation(kind="a", name="Зинаида")) == ("Привет, Зинаида!", True)
    assert found.value(situation(kind="b", name="Зинаида")) == ("Привет!", True)


def test_a_short_coincidence_is_no_copy():
    """Two rows with the same digit in two places prove nothing."""
    found = fit([(situation(a=1, c="x"), 1), (situation(a=2, c="y"), 2), (situation(a=7, c="x"), 1)])
    assert Copy(("a",)) not in found.table.values()


def test_a_table_is_preferred_to_a_formula_where_it_is_known():
    """Arithmetic is only for what the table lacks."""
    more = {"qty": lambda index: 1 + index % 3, "price": lambda index: [100, 250, 990][index // 3 % 3]}
    found = fit(rows(27, lambda got: got["qty"] * got["price"], **more))
    assert found.value(situation(qty=2, price=250)) == (500, True)
    assert found.value(situation(qty=17, price=333))[0] == 17 * 333


def test_an_echo_is_tried_where_it_may_be_one():
    """Also where there is nothing to echo."""
    seen = [(situation(name=name), name) for name in NAMES[:4]] + [(situation(), ABSENT)]
    found = fit(seen, ("name",))
    assert found.table == {b"": Echo(("name",))}
    assert found.value(situation()) == (ABSENT, True)


def test_pinned_paths_decide_whatever_the_recording_says():
    """The user knows; but what never varies needs nobody to decide it."""
    seen = rows(16, lambda got: DAYS[got["city"]], **CITY, twin=lambda index: index % 3)
    pinned = Hints(pinned=(("twin",),))
    found = fit(seen, background=Background(pinned))
    assert found.keys == (("twin",),)
    assert found.value(situation(twin=1, city="Псков")) == (5, True)
    assert found.value(situation(twin=7, city="Омск"))[1] is False
    assert fit(rows(16, lambda _: "ok", **CITY), background=Background(pinned)).keys == ()


def test_more_paths_may_join_the_pinned_ones():
    """Where these alone do not explain it."""
    seen = rows(24, lambda got: DAYS[got["city"]], **CITY, x=lambda index: index % 2)
    assert fit(seen, background=Background(Hints(pinned=(("x",),)))).keys == (("x",), ("city",))


def test_forbidden_paths_never_decide():
    """Another one does, or none."""
    more = {**CITY, "code": lambda index: index % 3}
    seen = rows(12, lambda got: DAYS[got["city"]] * 1111, **more)
    assert fit(seen).keys == (("city",),)
    assert fit(seen, background=Background(Hints(forbidden=frozenset({("city",)})))).keys == (("code",),)
    assert fit(seen, background=Background(Hints(forbidden=frozenset({("city",), ("code",)})))).keys == ()


def test_hints_are_spelled_as_json_paths():
    """To one place each."""
    assert Hints.parse(["$.order.total"], ["$.items[0]", "$.a"]) == Hints(
        (("order", "total"),), frozenset({("items", 0), ("a",)})
    )
    with pytest.raises(InvalidDocument):
        Hints.parse(["$"], [])


def owned(count, made, **more):
    owners = Owners()
    seen = [(owners.heard(one), value) for one, value in rows(count, made, **more)]
    seen = [
        (owners.heard(situation(userId=f"user-{index}", action="e", **one.variables)), value)
        for index, (one, value) in enumerate(seen)
    ]
    return seen, Privacy.of([(one, None) for one, _ in seen], owners)


def test_a_constant_that_holds_a_users_value_is_withheld():
    """Nothing is a guess where nothing can be given."""
    seen, privacy = owned(1, lambda got: f"Ваш номер {got['id']}0", id=lambda _: "id-553311")
    found = fit(seen, background=Background(privacy=privacy))
    assert found.value(situation()) == (ABSENT, False)
    assert fit(seen).value(situation())[0] == "Ваш номер id-5533110"


def test_an_expression_that_holds_a_users_value_is_withheld():
    """The rest of the template is this user's own."""
    owners = Owners()
    variables = {"userId": "user-a", "action": "e", "tag": "tag-7781"}
    seen = [(owners.heard(situation(**variables, qty=qty)), f"{qty} для xtag-7781x") for qty in (101, 202, 303)]
    privacy = Privacy.of([(one, None) for one, _ in seen], owners)
    assert isinstance(fit(seen).fallback, Text)
    assert fit(seen, background=Background(privacy=privacy)).value(situation(qty=404)) == (ABSENT, False)


def test_a_formula_that_holds_a_users_number_is_withheld():
    """An id to which something was added."""
    owners = Owners()
    seen = [
        (owners.heard(situation(userId="user-a", action="e", code=55_331_100, qty=qty)), 55_331_100 + qty)
        for qty in (1, 2, 3)
    ]
    privacy = Privacy.of([(one, None) for one, _ in seen], owners)
    assert fit(seen).value(situation(qty=0))[0] == 55_331_100
    assert fit(seen, background=Background(privacy=privacy)).table == {b"": Pair(("code",), ("qty",), product=False)}


def test_cells_tell_apart_what_is_there():
    """A null is not nothing, a 1 is not true, and equal numbers are equal."""
    keys = (("a",),)
    different = [situation(), situation(a=None), situation(a=1), situation(a=True), situation(a="1")]
    assert len({cell_key(one, keys) for one in different}) == 5
    assert cell_key(situation(a=1), keys) == cell_key(situation(a=1.0), keys)
    assert cell_key(situation(a=1), ()) == cell_key(situation(a=2), ())


def test_many_rows_are_sampled():
    """And those that were not are in the table, too."""
    found = fit(rows(2000, lambda got: f"ответ {got['k'] * 77}", k=lambda index: index * index % 50))
    assert found.keys == (("k",),)
    assert found.rows < 500
    assert all(found.value(situation(k=index * index % 50))[1] for index in range(50))


ROWS = st.lists(
    st.tuples(
        st.fixed_dictionaries({}, optional={name: st.sampled_from([0, 1, None, "да", "пицца"]) for name in "abc"}),
        st.one_of(st.just(ABSENT), st.sampled_from([0, True, "да", "пицца: да", "соус"]), st.integers(0, 3)),
    ),
    min_size=1,
    max_size=14,
)


@given(ROWS)
def test_any_rows_have_an_explanation_and_always_the_same(pairs):
    """It answers what was asked with what was answered, wherever it says that it explains all."""
    seen = [(situation(**variables), value) for variables, value in pairs]
    found = fit(seen, ("a",))
    assert found == fit([(situation(**variables), value) for variables, value in pairs], ("a",))
    assert 0 <= found.right <= found.rows == len(seen)
    for one, value in seen:
        made, known = found.value(one)
        if found.complete:
            assert (made, known) == (value, True)


def test_what_is_taken_away_is_no_echo():
    """Where the request has none there is none to echo; where it has one, it doesn't come back."""
    found = fit([(situation(), ABSENT), (situation(a="x"), ABSENT), (situation(a="y"), ABSENT)], ("a",))
    assert found.value(situation(a="z")) == (ABSENT, True)


@given(ROWS, st.data())
def test_values_of_one_event_are_explained_as_if_each_were_alone(pairs, data):
    """Though what one teaches about the situations is remembered for the next, also of some of the rows."""
    owners = Owners()
    seen = [(owners.heard(situation(**variables)), value) for variables, value in pairs]
    background = Background()
    for _ in range(3):
        some = [row for row in seen if data.draw(st.booleans())] or seen
        others = data.draw(st.permutations([value for _, value in some]))
        column = [(one, value) for (one, _), value in zip(some, others, strict=True)]
        assert fit(column, None, background) == fit(column)


def test_a_value_seen_once_is_a_guess_where_the_others_are_made_from_the_request():
    """It is likely made in the same way, by a sum that was not found for want of a second one."""
    prices = {"S": 10, "M": 20, "L": 35}
    found = [(situation(size=size, total=total), total + price) for size, price in prices.items() for total in range(6)]
    learned = fit([*found, (situation(size="XL", total=3), 53)])
    assert learned.keys == (("size",),)
    assert learned.value(situation(size="M", total=100)) == (120, True)
    assert learned.value(situation(size="XL", total=100)) == (53, False)


def test_numbers_that_are_explained_in_part_are_no_chance():
    """Of running totals some are found and some aren't; that makes none of them a random number."""
    numbers = [7919 * index % 1000 for index in range(24)]
    found = [
        (situation(kind="sum" if index % 3 else f"other-{index}", total=number), number + 5 if index % 3 else number**3)
        for index, number in enumerate(numbers)
    ]
    learned = fit(found)
    assert learned.noise
    assert (learned.kind, learned.chance) == (None, False)
    assert not learned.value(situation(kind="other-3", total=1))[1]


def test_a_formula_that_nobody_found_is_no_chance():
    """Its values look like random numbers, and follow from the request all the same."""
    found = [
        (situation(w=w, h=h), (w * w + 3 * h) % 997) for w, h in ((n * 7919 % 499, n * 104729 % 501) for n in range(40))
    ]
    learned = fit(found)
    assert learned.noise
    assert not learned.value(situation(w=77, h=33))[1]


def test_a_count_over_all_users_is_chance():
    """Whoever asks next gets a higher one."""
    learned = fit([(situation(name=NAMES[number * 3 % 8]), 1000 + number * number) for number in range(12)])
    assert learned.noise
    assert learned.value(situation(name="Зина"))[1]


def test_what_differs_between_users_is_no_chance():
    """Only what one user's same request got twice is: a webhook may know its users from elsewhere."""
    users = [{"action": "login", "userId": f"u{number}", "channelId": "c", "channelType": "vk"} for number in range(8)]
    cards = [(situation(**user), f"карта {letter}") for user, letter in zip(users, "абвгдежз", strict=True)]
    assert not fit(cards).chance
    again = [(situation(2, **users[0]), "карта я")]
    assert fit([*cards, *again]).chance
