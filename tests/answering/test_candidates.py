from __future__ import annotations

from aimyproxy.answering.candidates import candidates, holds
from aimyproxy.answering.expressions import ABSENT, Copy, Echo, Linear, Pair, Text
from aimyproxy.answering.features import OCCURRENCE, Situation

NAMES = ["Иван", "Анна", "Пётр", "Ольга", "Лев"]


def rows(requests, made):
    return [(Situation(request, 1, None), made(request)) for request in requests]


def found(requests, made, path=None):
    return candidates(rows(requests, made), path)


def people(**more):
    return [
        {"name": name, "age": 31 + 7 * index, **{key: make(index) for key, make in more.items()}}
        for index, name in enumerate(NAMES)
    ]


def texts(requests, made):
    return [expression for expression in found(requests, made) if isinstance(expression, Text)]


def test_an_echo_is_proposed_where_there_is_a_place_for_it():
    """And before all else."""
    assert found(people(), lambda got: got["name"], ("name",))[0] == Echo(("name",))
    assert Echo(("name",)) not in found(people(), lambda got: got["name"])


def test_copies_prefer_the_authors_variables():
    """The first of the paths that have the value."""
    requests = people(twin=lambda index: NAMES[index])
    assert [one for one in found(requests, lambda got: got["name"]) if isinstance(one, Copy)] == [
        Copy(("name",)),
        Copy(("twin",)),
    ]


def test_once_is_no_proof():
    """A value that stood in one request only is a coincidence; an expression needs two."""
    assert not found(people()[:1], lambda got: f"Привет, {got['name']}")
    assert not found(people()[:1], lambda got: got["name"])
    assert not found(people(), lambda got: got["name"] if got["age"] == 31 else "нет")


def test_containers_are_copied_whole():
    """An object that moved."""
    requests = people(order=lambda index: {"items": [index, index + 1]})
    assert Copy(("order",)) in found(requests, lambda got: got["order"])
    assert Copy(("order", "items")) in found(requests, lambda got: got["order"]["items"])


def test_several_variables_in_one_text():
    """In any order, more than once, numbers too."""
    assert texts(people(), lambda got: f"{got['age']}: {got['name']} ({got['name']})") == [
        Text((("age",), ": ", ("name",), " (", ("name",), ")"))
    ]


def test_the_longest_value_is_found_first():
    """A full name, not the first name that it begins with."""
    requests = people(full=lambda index: f"{NAMES[index]} Смирнов")
    assert texts(requests, lambda got: f"Привет, {got['full']}!") == [Text(("Привет, ", ("full",), "!"))]
    assert texts(requests, lambda got: f"Привет, {got['name']}!") == [Text(("Привет, ", ("name",), "!"))]


def test_values_are_words_of_their_own():
    """`Лев` is not in `Левый`, and `1` not in `11`."""
    assert not texts(people(), lambda got: f"x{got['name']}x")
    requests = [{"n": str(index), "name": name} for index, name in enumerate(NAMES)]
    assert texts(requests, lambda got: f"{got['name']}: 1{got['n']}") != [Text((("name",), ": 1", ("n",)))]


def test_a_short_value_is_no_variable_of_a_text():
    """A letter stands in any text by chance; a digit is a number."""
    requests = [{"letter": letter, "other": "zz"} for letter in "абвгд"]
    assert not texts(requests, lambda got: f"Вариант {got['letter']} из многих")
    requests = [{"digit": digit} for digit in range(5)]
    assert texts(requests, lambda got: f"Шагов: {got['digit']}") == [Text(("Шагов: ", ("digit",)))]


def test_whole_floats_are_found_as_texts_show_them():
    """`7.0` as `7`."""
    requests = [{"price": float(price)} for price in (10, 20, 30)]
    assert texts(requests, lambda got: f"{got['price']:g} ₽") == [Text((("price",), " ₽"))]


def test_a_mark_of_the_request_is_the_first_path_that_always_had_it():
    """A path that had it once by chance does not do."""
    requests = people(nick=lambda index: NAMES[index] if index < 2 else f"ник-{index}")
    requests = [{"nick": one["nick"], **one} for one in requests]
    assert texts(requests, lambda got: f"Это {got['name']}.") == [Text(("Это ", ("name",), "."))]


def test_numbers_from_numbers():
    """A fixed price, a fixed step, a product and a sum."""
    requests = [{"qty": qty, "price": price} for qty, price in ((2, 100), (3, 250), (5, 990), (7, 110))]
    assert Linear(("qty",), 50, 0) in found(requests, lambda got: got["qty"] * 50)
    assert Linear(("qty",), 1, 9) in found(requests, lambda got: got["qty"] + 9)
    assert Pair(("qty",), ("price",), product=True) in found(requests, lambda got: got["qty"] * got["price"])
    assert Pair(("qty",), ("price",), product=False) in found(requests, lambda got: got["qty"] + got["price"])


def test_the_occurrence_may_be_copied():
    """The number of a visit."""
    situations = [Situation({}, occurrence, None) for occurrence in (1, 2, 3)]
    assert Copy(OCCURRENCE) in candidates([(one, one.values[OCCURRENCE]) for one in situations], None)


def test_candidates_are_bounded_and_always_the_same():
    """However many variables a request has."""
    requests = [{f"v{path}": 100 + index for path in range(80)} for index in range(9)]
    first = found(requests, lambda got: got["v0"])
    assert len(first) == 48
    assert first == found(requests, lambda got: got["v0"])


def test_holds_compares_meanings():
    """`1` and `1.0` are the same, `true` is not; nothing is only nothing."""
    here = Situation({"n": 1, "t": True}, 1, None)
    assert holds(Copy(("n",)), (here, 1.0))
    assert not holds(Copy(("t",)), (here, 1))
    assert not holds(Copy(("no",)), (here, ABSENT))
    assert holds(Echo(("no",)), (here, ABSENT))
    assert not holds(Echo(("no",)), (here, None))
    assert not holds(Echo(("n",)), (here, ABSENT))
