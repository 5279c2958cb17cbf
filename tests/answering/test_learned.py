from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aimyproxy import jsonvalue
from aimyproxy.aimylogic import effect_of
from aimyproxy.answering.index import Index
from aimyproxy.answering.mocks import Mock
from aimyproxy.answering.replayer import Replayer
from aimyproxy.exchange import Body, Response
from tests.builders import exchange, request, response

NAMES = ["Иван", "Анна", "Пётр", "Ольга", "Дмитрий", "Елена", "Сергей", "Наталья", "Мария", "Олег"]
CHANNELS = ["telegram", "vk", "chatwidget"]


def asked(number, event="e", **own):
    """A request of user `number` with these variables of the bot's author."""
    channel = CHANNELS[number % 3]
    frame = {"userId": f"{channel}-{7_000_001 + number * 131}", "channelId": f"{channel}-1", "channelType": channel}
    message = {"message_id": 9_000_017 + number * 977, "date": 1_790_000_000 + number, "text": "…"}
    return request({"action": event, "queryText": f"/{event}", **frame, "rawRequest": {"message": message}, **own})


def variables(of):
    return of.body.variables()


def recorded(pairs):
    """The recording of these (request, answer): a Response, or the variables of one."""
    answers = [(one, made if isinstance(made, Response) else response(made)) for one, made in pairs]
    return list(enumerate((exchange(one, made) for one, made in answers), 1))


def replayed(pairs, *mocks):
    parsed = [Mock.parse(identity, document) for identity, document in enumerate(mocks, 1)]
    return Replayer(Index.build(recorded(pairs), parsed, match="learned"))


def of_webhook(webhook, requests):
    return replayed([(one, webhook(variables(one))) for one in requests])


def served(replay, one):
    """The step that answered, and the body's value."""
    answer = replay.answer(one)[1]
    return answer.source.step, json.loads(answer.body)


def people(count=12, **more):
    return [
        asked(
            number,
            name=NAMES[number % len(NAMES)],
            age=20 + number,
            **{key: make(number) for key, make in more.items()},
        )
        for number in range(count)
    ]


def test_an_echo_is_the_new_users_own():
    """What the webhook adds is added; everything else is this user's."""
    replay = of_webhook(lambda got: {**got, "hours": "10–22", "menu": ["пицца", "чай"]}, people())
    new = asked(500, name="Новый", extra={"deep": [1]})
    assert served(replay, new) == ("learned", {**variables(new), "hours": "10–22", "menu": ["пицца", "чай"]})


def test_a_delta_stays_a_delta():
    """The webhook didn't echo, so replay doesn't."""
    replay = of_webhook(lambda _: {"step": 2, "next": "size"}, people())
    assert served(replay, asked(500, name="Новый")) == ("learned", {"step": 2, "next": "size"})


def test_texts_are_rebuilt_from_the_new_users_values():
    """At any depth, several in one text."""

    def webhook(got):
        return {"cards": [{"rows": [f"Имя: {got['name']}", {"age": got["age"]}]}], "t": f"{got['name']}, {got['age']}?"}

    new = asked(500, name="Зинаида", age=71)
    assert served(of_webhook(webhook, people()), new) == ("learned", webhook(variables(new)))


def test_what_is_moved_and_renamed_is_found_again():
    """`name` came back as `data.customer.name`."""
    replay = of_webhook(lambda got: {"data": {"customer": {"name": got["name"]}, "from": "bot"}}, people())
    assert served(replay, asked(500, name="Зина")) == (
        "learned",
        {"data": {"customer": {"name": "Зина"}, "from": "bot"}},
    )


def test_a_table_is_looked_up_and_what_it_lacks_is_a_guess():
    """A city that the recording has is known; another is not."""
    days = {"Омск": 3, "Тверь": 5, "Казань": 2}
    replay = of_webhook(lambda got: {**got, "days": days[got["city"]]}, people(city=lambda n: sorted(days)[n % 3]))
    step, answer = served(replay, asked(500, name="Зина", city="Тверь"))
    assert (step, answer["days"]) == ("learned", 5)
    unknown = replay.answer(asked(501, name="Зина", city="Псков"))[1]
    assert unknown.source.header.startswith("guess; exchange=")
    assert json.loads(unknown.body)["city"] == "Псков"


def test_two_variables_may_decide_together():
    """Neither of them alone explains the price."""
    sizes = {"S": 100, "M": 200}
    crusts = {"thin": 7, "thick": 50}
    requests = people(24, size=lambda n: "SM"[n % 2], crust=lambda n: ["thin", "thick"][n // 2 % 2])

    def webhook(got):
        return {"price": f"{sizes[got['size']] + crusts[got['crust']]} ₽"}

    replay = of_webhook(webhook, requests)
    for size in sizes:
        for crust in crusts:
            new = asked(500, name="Зина", size=size, crust=crust)
            assert served(replay, new) == ("learned", webhook(variables(new)))


def test_the_channel_may_decide():
    """A system variable decides where none of the author's does."""
    replay = of_webhook(lambda got: {"ui": "text" if got["channelType"] == "vk" else "buttons"}, people())
    news = [asked(number, name="Зина") for number in (500, 501, 502)]
    found = {variables(new)["channelType"]: served(replay, new) for new in news}
    assert found == {
        "telegram": ("learned", {"ui": "buttons"}),
        "vk": ("learned", {"ui": "text"}),
        "chatwidget": ("learned", {"ui": "buttons"}),
    }


def visits(count, texts):
    """Each of so many users comes once, twice, and so on in turn."""
    for number in range(count):
        for visit in range(1 + number % len(texts)):
            yield asked(number, name=NAMES[number % 10]), {"text": texts[visit], "visits": visit + 1}


def test_the_occurrence_may_decide():
    """The first time, the second time, each user in their own conversation."""
    replay = replayed(visits(12, ["Добро пожаловать", "С возвращением", "Гость"]))
    one, other = asked(500, name="Зина"), asked(501, name="Лев")
    texts = [served(replay, who)[1]["text"] for who in (one, one, other, one, other)]
    assert texts == ["Добро пожаловать", "С возвращением", "Добро пожаловать", "Гость", "С возвращением"]


def test_the_previous_event_may_decide():
    """The same request, from another screen."""
    pairs = []
    for number in range(12):
        first = "menu" if number % 2 else "basket"
        pairs += [(asked(number, first), {"ok": True}), (asked(number, "help"), {"about": first})]
    replay = replayed(pairs)
    for number, first in ((500, "menu"), (501, "basket"), (503, "menu")):
        replay.answer(asked(number, first))
        assert served(replay, asked(number, "help")) == ("learned", {"about": first})


def test_noise_is_served_and_hinders_nothing():
    """A number that is different each time, beside what is the same."""
    noise = iter(range(777_777, 99_999_999, 7_919_311))
    replay = of_webhook(lambda got: {**got, "stamp": next(noise), "status": "accepted"}, people())
    step, answer = served(replay, asked(500, name="Зина"))
    assert (step, answer["status"], answer["name"]) == ("learned", "accepted", "Зина")
    assert answer["stamp"] in range(777_777, 99_999_999, 7_919_311)


def test_a_list_grows_behind_the_users_own_elements():
    """Also where it begins."""

    def webhook(got):
        items = [*(got.get("items") or []), {"sku": got["sku"], "qty": got["qty"]}]
        return {**got, "items": items, "count": len(items)}

    pairs = []
    for number in range(12):
        held = {"sku": f"P-{number % 4}", "qty": 1 + number * 5 % 7}
        for step in range(1 + number % 3):
            one = asked(number, **held, name=NAMES[number % 10])
            pairs.append((one, made := webhook(variables(one))))
            held |= {"items": made["items"], "count": made["count"], "sku": f"P-{(number + step) % 4}"}
    replay = replayed(pairs)
    for items in (None, [{"sku": "X-1", "qty": 7}], [{"sku": "X-1", "qty": 7}, {"sku": "X-2", "qty": 8}]):
        own = {"items": items, "count": len(items)} if items else {}
        new = asked(500, sku="Z-9", qty=5, name="Зина", **own)
        assert served(replay, new)[1] == webhook(variables(new))


def test_an_error_is_an_outcome_with_its_own_answer():
    """Its status and its variables, decided as all else."""
    requests = people(24, qty=lambda n: n % 8)
    replay = of_webhook(lambda got: response({"error": "no"}, 422) if got["qty"] > 5 else {"ok": True}, requests)
    statuses = [replay.answer(asked(500 + qty, name="Зина", qty=qty))[1].status for qty in range(8)]
    assert statuses == [200] * 6 + [422] * 2


@pytest.mark.parametrize(
    ("made", "wanted"),
    [
        (lambda name: Body("json", ["a", {"b": name}]), b'["a",{"b":"\xd0\x97\xd0\xb8\xd0\xbd\xd0\xb0"}]'),
        (lambda name: Body("text", f"OK, {name}"), "OK, Зина".encode()),
        (lambda name: Body("json", f"OK, {name}"), '"OK, Зина"'.encode()),
        (lambda _: Body("json", 7), b"7"),
        (lambda _: Body("json", None), b"null"),
        (lambda _: Body("base64", b"\xff\xfe"), b"\xff\xfe"),
        (lambda _: Body(), b""),
    ],
)
def test_what_is_no_object_is_learned_too(made, wanted):
    """In the form in which it was recorded."""
    replay = of_webhook(lambda got: Response(200, (), made(got["name"])), people())
    answer = replay.answer(asked(500, name="Зина"))[1]
    assert (answer.source.step, answer.body) == ("learned", wanted)


def test_an_edited_exchange_answers_its_likes():
    """Where the deciding values are the same, and only there; rebased."""
    days = {"Омск": 3, "Тверь": 5, "Казань": 2}
    requests = people(city=lambda n: ["Омск", "Тверь", "Казань"][n % 3])
    pairs = [(one, {**variables(one), "days": days[variables(one)["city"]]}) for one in requests]
    edit = {"event": "e", "from_exchange": 2, "answer": {**variables(requests[1]), "days": 99}}
    replay = replayed(pairs, edit)
    new = asked(500, name="Зина", city="Тверь")
    answer = replay.answer(new)[1]
    assert answer.source.header == "mock; mock=1"
    assert json.loads(answer.body) == {**variables(new), "days": 99}
    assert served(replay, asked(501, name="Зина", city="Омск"))[1]["days"] == 3


def test_the_users_own_conversation_comes_before_a_guess():
    """Their recorded answer is nearer than anybody's."""
    requests = [asked(number, code=f"{number * 7919 % 100_003}-x") for number in range(12)]
    replay = replayed([(one, {"rank": [3, 14, 15, 92, 65][index * index % 5]}) for index, one in enumerate(requests)])
    own = variables(requests[3])
    assert served(replay, request({**own, "code": "never"}))[0] in ("conversation", "learned")
    assert served(replay, asked(500, code="never"))[0] in ("guess", "learned")


def test_headers_that_differ_are_somebodys_own():
    """A session's cookie is not another's; what all had stays, in its order."""

    def webhook(got):
        headers = (("content-type", "text/html"), ("set-cookie", f"user={got['userId']}"), ("x-version", "7"))
        return Response(200, headers, Body("json", {"ok": True}))

    answer = of_webhook(webhook, people()).answer(asked(500, name="Зина"))[1]
    assert answer.headers == (("content-type", "text/html"), ("x-version", "7"))


def test_bytes_that_differ_are_not_known():
    """Whoever asks gets bytes of which nobody's values can be read, and is told that they are guessed."""
    replay = of_webhook(lambda got: Response(200, (), Body("base64", b"\xff" + got["name"].encode())), people())
    answer = replay.answer(asked(500, name="Зина"))[1]
    assert answer.source.step == "guess"
    assert not any(name.encode() in answer.body for name in NAMES)


def test_one_recorded_user_is_not_given_to_another():
    """A name that all of one user's requests had is not the same in all conversations: there is only one."""
    one = asked(1, name="Иннокентий")
    pairs = [(replace(one), {"text": "Привет, Иннокентий", "n": visit}) for visit in range(3)]
    for count in (1, 2, 3):
        assert "Иннокентий" not in json.dumps(served(replayed(pairs[:count]), asked(2, name="Лев")), ensure_ascii=False)


def test_what_only_one_user_has_at_all_is_theirs():
    """The others sent no such variable."""
    pairs = [(asked(number), {"text": "Здравствуйте"}) for number in range(5)]
    pairs.append((asked(9, secret="Тайна-4411", city="Омск"), {"text": "Тайна-4411"}))
    replay = replayed(pairs)
    for new in (asked(500), asked(501, city="Омск")):
        assert "Тайна" not in served(replay, new)[1].get("text", "")


def test_what_a_webhook_remembered_is_still_the_users():
    """The request in which they said it was another one."""
    pairs = []
    for number in range(8):
        pairs.append((asked(number, "tell", code=f"код-{number * 7919:06}"), {"ok": True}))
        pairs.append((asked(number, "show"), {"text": f"Вы сказали код-{number * 7919:06}"}))
    assert "код-" not in json.dumps(served(replayed(pairs), asked(500, "show"))[1], ensure_ascii=False)


def test_a_template_of_one_user_is_not_anothers():
    """Two texts of one user prove what changes in them, and keep what does not."""
    pairs = [
        (asked(1, tag="синица-8841", qty=qty), {"text": f"{qty} шт. для xсиница-8841z"}) for qty in (101, 202, 303)
    ]
    pairs += [(asked(2, tag="другой-1177", qty=404), {"text": "404 шт. для xдругой-1177z"})]
    answer = served(replayed(pairs), asked(500, tag="третий-0000", qty=505))
    assert "синица-8841" not in str(answer)
    assert "другой-1177" not in str(answer)


def test_members_are_not_named_after_others():
    """A user's value may be a key."""
    for count in (1, 2, 5):
        pairs = [(asked(n, tag=f"метка-{n * 7919:06}"), {"by": {f"метка-{n * 7919:06}": "да"}}) for n in range(count)]
        assert "метка-" not in str(served(replayed(pairs), asked(500, tag="новая"))[1])


def test_what_everyone_had_may_be_given_to_everyone():
    """It is nobody's own."""
    pairs = [(asked(number, shop="Пицца-Тверь"), {"text": "Пицца-Тверь рада вам"}) for number in range(4)]
    assert served(replayed(pairs), asked(500))[1] == {"text": "Пицца-Тверь рада вам"}


def test_the_same_recording_teaches_the_same():
    """Twice, and with the keys of its objects in another order."""

    def webhook(got):
        return {**got, "text": f"{got['name']}: {got['age']}", "fee": got["age"] * 2, "ui": got["channelType"][:2]}

    requests = people()
    pairs = [(one, webhook(variables(one))) for one in requests]
    turned = [(request(dict(reversed(variables(one).items()))), dict(reversed(made.items()))) for one, made in pairs]
    news = [asked(500 + number, name="Зина", age=61) for number in range(3)]
    first, again, other = (replayed(some) for some in (pairs, pairs, turned))
    for new in news:
        assert replay_bytes(first, new) == replay_bytes(again, new)
        assert served(first, new) == served(other, new)


def replay_bytes(replay, one):
    answer = replay.answer(one)[1]
    return answer.body, answer.source.header


# -- properties ----------------------------------------------------------------------------------------------------

WORDS = st.text(st.sampled_from("абвгдежзиклмнопрстуф"), min_size=4, max_size=8)
VALUES = st.one_of(WORDS, st.integers(1000, 99_999))
SLOTS = ["alpha", "beta", "gamma"]


@st.composite
def recipes(draw):
    """How a pure webhook makes a value: a constant, a variable, or a text with variables in it."""
    kind = draw(st.sampled_from(["constant", "copy", "text", "object", "list"]))
    if kind == "constant":
        constant = draw(
            st.one_of(st.none(), st.booleans(), st.integers(0, 9), st.just("готово"), st.just([1, {"a": "б"}]))
        )
        return lambda _: constant
    if kind == "copy":
        slot = draw(st.sampled_from(SLOTS))
        return lambda got: got[slot]
    if kind == "text":
        chosen = draw(st.lists(st.sampled_from(SLOTS), min_size=1, max_size=3))
        return lambda got: "Итак: " + "; ".join(f"[{got[slot]}]" for slot in chosen) + "!"
    inner = draw(st.lists(recipes(), min_size=1, max_size=2))
    if kind == "list":
        return lambda got: [make(got) for make in inner]
    return lambda got: {f"k{index}": make(got) for index, make in enumerate(inner)}


@st.composite
def pure_recordings(draw):
    """A pure webhook, echoing or not, and requests with random variables, each user's their own."""
    made = draw(st.dictionaries(st.sampled_from(["one", "two", "three", "alpha"]), recipes(), min_size=1, max_size=3))
    echoing = draw(st.booleans())

    def webhook(got):
        return {**(got if echoing else {}), **{name: make(got) for name, make in made.items()}}

    kinds = [draw(st.sampled_from([WORDS, st.integers(1000, 99_999)])) for _ in SLOTS]
    count = draw(st.integers(4, 9))
    columns = [draw(st.lists(kind, min_size=count, max_size=count, unique=True)) for kind in kinds]
    requests = [
        asked(number, **dict(zip(SLOTS, row, strict=True))) for number, row in enumerate(zip(*columns, strict=True))
    ]
    return webhook, requests


@given(pure_recordings())
def test_a_pure_webhook_is_replayed_to_other_users_exactly(recording):
    """Constants, copies and templates: the same variables of a new user have the recorded effect."""
    webhook, requests = recording
    replay = of_webhook(webhook, requests)
    for one in requests:
        new = request({**variables(one), "userId": "telegram-nobody"})
        wanted = effect_of(new, response(webhook(variables(new))))
        answer = replay.answer(new)[1]
        found = effect_of(new, Response(answer.status, answer.headers, Body.of(answer.body)))
        assert jsonvalue.same(found.value, wanted.value), (found, wanted)


class Leaking:
    """A webhook that answers with whatever it heard: echoed, put in texts, moved, or another user's."""

    def __init__(self, draw):
        self.draw = draw
        self.heard = []

    def __call__(self, got):
        own = [value for key, value in got.items() if key in PLANTED]
        self.heard += own
        shape = self.draw(
            st.sampled_from(["object", "object", "object", "json", "text", "bytes", "header"]), label="body"
        )
        if shape == "json":
            return Response(200, (), Body("json", [self.made(own)]))
        if shape == "text":
            return Response(200, (), Body("text", f"Ваше: {self.value(own)}!"))
        if shape == "bytes":
            return Response(200, (), Body("base64", b"\xff" + str(self.value(own)).encode("cp1251")))
        if shape == "header":
            return Response(200, (("x-user", str(self.value(own))),), Body("json", {}))
        result = dict(got) if self.draw(st.booleans(), label="echo") else {}
        for name in self.draw(st.lists(st.sampled_from(["t", "u", "v"]), max_size=3, unique=True), label="members"):
            result[name] = self.made(own)
        return result

    def value(self, own):
        source = self.draw(st.sampled_from(["own", "own", "heard", "none"]), label="source")
        return self.draw(
            st.sampled_from({"own": own, "heard": self.heard}.get(source, []) or ["ничего"]), label="value"
        )

    def made(self, own, depth=0):
        value = self.value(own)
        shape = self.draw(st.sampled_from(["plain", "text", "glued", "list", "object", "key", "nested"]), label="shape")
        if shape == "nested" and depth < 2:
            return {"in": self.made(own, depth + 1), "k": [self.made(own, depth + 1)]}
        return {
            "plain": value,
            "text": f"Ваше: {value}!",
            "glued": f"ы{value}ы",
            "list": [value, 1],
            "object": {"a": {"b": value}},
            "key": {str(value): True},
        }.get(shape, value)


PLANTED = {"name": "имя{}я", "phone": "+7{}0", "code": None, "note": 'a"{}\\б'}


def planted(user, kind):
    serial = str(100_003 + user * 7919)
    form = PLANTED[kind]
    return int(serial + "17") if form is None else form.format(serial)


@settings(max_examples=3 * settings.default.max_examples)
@given(st.data())
def test_no_value_of_a_user_reaches_another(data):
    """Wherever the webhook put it: who asks as somebody new gets nothing that belongs to a recorded user."""
    webhook = Leaking(data.draw)
    pairs, secrets = [], {}
    for user in range(data.draw(st.integers(1, 5), label="users")):
        for _ in range(data.draw(st.integers(1, 3), label="requests")):
            kinds = data.draw(st.lists(st.sampled_from(sorted(PLANTED)), unique=True), label="kinds")
            own = {kind: planted(user, kind) for kind in kinds}
            secrets.setdefault(user, set()).update(map(str, own.values()))
            event = data.draw(st.sampled_from(["e", "f"]), label="event")
            one = asked(user, event, **own, qty=data.draw(st.integers(1, 3), label="qty"))
            pairs.append((one, webhook(variables(one))))
    replay = replayed(pairs)
    for event in ("e", "f"):
        for kinds in ([], ["name"], sorted(PLANTED)):
            new = asked(900, event, **{kind: planted(900, kind) for kind in kinds}, qty=2)
            answer = replay.answer(new)[1]
            if hasattr(answer, "source"):
                spoken = "\n".join([*strings(spoken_in(answer.body)), *(value for _, value in answer.headers)])
                found = {secret for own in secrets.values() for secret in own if secret in spoken}
                assert not found, (answer.source.header, spoken)


def spoken_in(body):
    """What the bytes say: a JSON value, or a text in one of the usual encodings."""
    try:
        return json.loads(body)
    except ValueError:
        return [body.decode(encoding, "ignore") for encoding in ("utf-8", "cp1251")]


def strings(value):
    """All that is said in a value: its strings, numbers and keys."""
    if isinstance(value, dict):
        for key, member in value.items():
            yield key
            yield from strings(member)
    elif isinstance(value, list):
        for element in value:
            yield from strings(element)
    else:
        yield str(value)
