"""Several users at once: nobody gets what is another's, however the webhook answers and whatever may be generalised."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import aimyproxy
from aimyproxy.answering.index import Index
from aimyproxy.answering.replayer import Replayer
from aimyproxy.exchange import Body, Response
from aimyproxy.store.recording import Recording
from tests.builders import exchange, request

SURNAMES = ["Аистов", "Бобров", "Волков", "Грачёв", "Дроздов", "Ежов", "Жуков", "Зайцев", "Козлов", "Лисицын"]
SHAPES = [
    "echo",
    "text",
    "glued",
    "list",
    "look-up",
    "noise",
    "moved",
    "key",
    "body",
    "header",
    "accumulated",
    "remembered",
]


def own(user):
    """What a user says: each value nobody else's."""
    serial, name = 100_003 + user * 7919, SURNAMES[user % 10] + "ий" * (user // 10 % 10)
    return {
        "name": f"{name} Ян",
        "phone": f"+7 (999) {serial}",
        "email": f"{serial}.ya@mail.ru",
        "card": 4_000_000_000_000_000 + serial,
        "note": f'Код домофона "{serial}К", этаж\\{serial}',
        "order": {"items": [{"sku": f"гравировка {serial}"}], "to": {"street": f"улица {name}ская, {serial}"}},
    }


def frame(user, event):
    serial = 900_007 + user * 6007
    sender = {"id": serial, "username": f"nick_{serial}"}
    message = {"message_id": serial * 3, "date": serial + 10**9, "from": sender, "text": f"фраза {serial}"}
    asked = {"action": event, "queryText": f"фраза {serial}", "userId": f"telegram-{serial}", "channelId": "c"}
    return {**asked, "channelType": "telegram", "rawRequest": {"message": message}}


def secrets(variables):
    """All that a user said, as it would stand in an answer."""
    for name, value in variables.items():
        if name not in ("action", "channelId", "channelType", "visit", "size"):
            yield from said(value)


def said(value):
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from said(inner)
    else:
        yield str(value)


def spoken(answer):
    """All that an answer says: texts, numbers and keys of its body, and its headers."""
    try:
        body = json.loads(answer.body)
    except ValueError:
        body = answer.body.decode(errors="replace")
    return "\n".join([*words(body), *(value for _, value in answer.headers)])


def words(value):
    if isinstance(value, dict):
        yield from value
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from words(inner)
    else:
        yield str(value)


def webhook(shape, echoing, got, memory):
    """A webhook of this shape; `memory` is what it remembers of this user."""
    memory.setdefault("names", []).append(got["name"])
    memory.setdefault("visits", []).append(got["action"])
    made = {
        "echo": {"ok": True},
        "text": {"text": f"{got['name']}, перезвоним: {got['phone']}; {got['note']}"},
        "glued": {"link": f"https://vk.com/id{got['card']}z", "to": f"к{got['name']}у"},
        "list": {"rows": [f"Имя: {got['name']}", {"label": "Почта", "value": [got["email"], got["card"]]}]},
        "look-up": {"price": {"S": 100, "M": 200}[got["size"]], "for": f"{got['size']} для {got['name']}"},
        "noise": {"token": f"{hash_of(got['phone'], memory)}-{got['phone']}", "stamp": hash_of(got["name"], memory)},
        "moved": {"crm": {"lead": got["order"], "contact": {"mail": got["email"]}}},
        "key": {"by": {got["email"]: {"n": 1}, got["name"]: True}},
        "accumulated": {"cart": [*got.get("cart", []), {"who": got["name"], "what": got["order"]}]},
        "remembered": {"history": " / ".join(memory["names"]), "sender": got["rawRequest"]["message"]["from"]},
    }
    headers = (("set-cookie", f"user={got['email']}"),) if shape == "header" else ()
    if shape == "visits":
        # In no variable, so that replay itself has to count.
        return Response(200, headers, Body("text", f"Визит {memory['visits'].count(got['action'])}"))
    if shape == "body":
        return Response(200, headers, Body("text", f"Спасибо, {got['name']} ({got['userId']})"))
    return Response(200, headers, Body("json", {**(got if echoing else {}), **made.get(shape, {})}))


def hash_of(text, memory):
    memory["asked"] = memory.get("asked", 0) + 1
    return sum(map(ord, text)) * 7919 * memory["asked"] % 10**7


@st.composite
def bots(draw):
    """The shape of each event's answers, and who visits which screens in which order."""
    events = {event: (draw(st.sampled_from(SHAPES)), draw(st.booleans())) for event in ("e", "f", "g")}
    users = draw(st.integers(1, 6))
    visits = st.tuples(st.integers(0, users - 1), st.sampled_from(sorted(events)), st.sampled_from("SM"))
    return events, draw(st.lists(visits, min_size=users, max_size=4 * users))


class Talk:
    """The bot's side: what each user holds, and what the webhook made of it."""

    def __init__(self, events):
        self.events = events
        self.held, self.memories = {}, {}

    def asked(self, user, event, size):
        held = {**self.held.get(user, own(user)), **frame(user, event), "size": size}
        self.held[user] = held
        return held

    def answered(self, user, held):
        shape, echoing = self.events[held["action"]]
        answer = webhook(shape, echoing, held, self.memories.setdefault(user, {}))
        self.merged(user, answer.body.variables())
        return answer

    def merged(self, user, variables):
        self.held[user] = {**self.held[user], **(variables or {})}


def recorded(events, visits):
    talk = Talk(events)
    for user, event, size in visits:
        held = talk.asked(user, event, size)
        asked = request(dict(held))
        yield exchange(asked, talk.answered(user, held))


def others(user, users):
    """What all but this user said."""
    return {secret for other in users if other != user for secret in secrets({**own(other), **frame(other, "e")})}


def asked_by_strangers(replay, events, visits, users, ask):
    """New users, one after the other in turns: none of them hears of anybody but themselves."""
    talk = Talk(events)
    for user, event, size in visits:
        held = talk.asked(user, event, size)
        answer = ask(replay, held)
        if answer is not None:
            heard = {secret for secret in others(user, users) if secret in spoken(answer)}
            assert not heard, (event, events[event], answer.source, spoken(answer))
            talk.merged(user, Body.of(answer.body).variables())


def served(replay, held):
    answer = replay.answer(request(dict(held)))[1]
    return answer if hasattr(answer, "source") else None


STRANGERS = [50, 51, 52]
TURNS = st.lists(
    st.tuples(st.sampled_from(STRANGERS), st.sampled_from("efg"), st.sampled_from("SM")), min_size=3, max_size=10
)


@pytest.mark.parametrize("match", ["exact", "learned", "event"])
@given(bots(), TURNS)
def test_strangers_hear_nothing_of_anybody_else(match, bot, turns):
    """Neither of those who were recorded nor of those who talk at the same time."""
    events, visits = bot
    replay = Replayer(Index.build(enumerate(recorded(events, visits), 1), match=match))
    users = {user for user, _, _ in visits} | set(STRANGERS)
    asked_by_strangers(replay, events, turns, users, served)


@pytest.mark.parametrize("match", ["exact", "learned", "event"])
@given(bots(), TURNS)
def test_what_is_only_echoed_is_never_anothers(match, bot, turns):
    """With any match."""
    visits, events = bot[1], dict.fromkeys(bot[0], ("echo", True))
    replay = Replayer(Index.build(enumerate(recorded(events, visits), 1), match=match))
    asked_by_strangers(replay, events, turns, {user for user, _, _ in visits} | set(STRANGERS), served)


# -- many at once, over HTTP ----------------------------------------------------------------------------------------

EVENTS = {"e": ("text", False), "f": ("accumulated", True), "g": ("visits", False)}
ORDERS = ["efg", "gfe", "ggf", "feg"]
VISITS = [
    (user, event, "SM"[user % 2]) for user in range(16) for _ in range(1 + user % 3) for event in ORDERS[user % 4]
]
CROWD = range(60, 68)
ROUNDS = 3


class Line:
    """A user's own connection to the server, and all that they heard there."""

    def __init__(self, url, user):
        self.url, self.user, self.heard = urlsplit(url), user, []

    def talk(self):
        """The same screens as everybody else, at the same time."""
        talk, connection = Talk(EVENTS), HTTPConnection(self.url.hostname, self.url.port, timeout=30)
        with closing(connection):
            for _ in range(ROUNDS):
                for event in "efg":
                    held = talk.asked(self.user, event, "S")
                    connection.request("POST", "/", json.dumps(held), {"Content-Type": "application/json"})
                    response = connection.getresponse()
                    body = Body.of(response.read())
                    talk.merged(self.user, body.variables())
                    self.heard.append((response.headers["Aimyproxy-Answer"], dict(held), body.value))


@pytest.fixture
def crowd(tmp_path):
    """What each user of a crowd was told by one mock server."""
    with closing(Recording.create(tmp_path / "shop", "https://hook.example.com")) as recording:
        for one in recorded(EVENTS, VISITS):
            recording.append(one)
    with aimyproxy.replay("shop", recordings=tmp_path) as mock:
        lines = [Line(mock.url, user) for user in CROWD]
        with ThreadPoolExecutor(len(lines)) as pool:
            list(pool.map(Line.talk, lines))
    return lines


def test_conversations_at_the_same_time_never_mix(crowd):
    """Each is what it would be alone: its own names, its own cart, its own count."""
    users = {user for user, _, _ in VISITS} | set(CROWD)
    for line in crowd:
        memory = {}
        for source, held, answer in line.heard:
            shape, echoing = EVENTS[held["action"]]
            assert source.startswith("learned;")
            assert answer == webhook(shape, echoing, held, memory).body.value
            assert not {secret for secret in others(line.user, users) if secret in "\n".join(words(answer))}


def test_conversations_in_turns_never_mix():
    """As above, request by request: all orders are one."""
    replay = Replayer(Index.build(enumerate(recorded(EVENTS, VISITS), 1), match="learned"))
    talk, memories = Talk(EVENTS), {user: {} for user in CROWD}
    for turn in range(ROUNDS * 3):
        for user in CROWD if turn % 2 else reversed(CROWD):
            held = talk.asked(user, "efg"[(turn + user) % 3], "M")
            answer = Body.of(served(replay, held).body)
            assert answer == webhook(*EVENTS[held["action"]], held, memories[user]).body
            talk.merged(user, answer.variables())


# -- what the webhook remembers or knows ----------------------------------------------------------------------------

SHORT = st.one_of(
    st.text("абвгдеёжийклмнопрстуфхцчшщэюя", min_size=1, max_size=5),
    st.integers(0, 99_999),
    st.decimals(0, 9_999, places=1).map(float),
)
FORMS = {
    "as it is": lambda value: {"said": value},
    "in a text": lambda value: {"text": f"Вы выбрали: {value}. Всё верно?"},
    "inside": lambda value: {"order": {"lines": [value, {"of": value}]}},
    "a text alone": lambda value: value if isinstance(value, str) else {"said": str(value)},
}


def own_words(answer):
    """What an answer says, word by word: a short value is found by chance inside of others."""
    return {word.strip(".:?") for line in spoken(answer).split("\n") for word in [line, *line.split()]}


@pytest.mark.parametrize("form", FORMS)
@given(said=st.lists(SHORT, min_size=2, max_size=14), match=st.sampled_from(["learned", "event"]))
@example(said=["аа", 10, 10.0], match="learned")
def test_what_a_webhook_remembers_is_no_strangers(form, said, match):
    """However short: it was said on one screen and is answered on another, whose request doesn't hold it."""
    pairs = []
    for user, value in enumerate(said):
        pairs.append(({**frame(user, "tell"), "said": value}, {"ok": True}))
        pairs.append((frame(user, "ask"), FORMS[form](value)))
    talks = (exchange(request(asked), Response(200, (), Body("json", answer))) for asked, answer in pairs)
    replay = Replayer(Index.build(enumerate(talks, 1), match=match))
    answer = served(replay, frame(50, "ask"))
    # What all of them said is nobody's own.
    if answer is not None and len(set(said)) > 1:
        assert not {str(value).casefold() for value in said} & {word.casefold() for word in own_words(answer)}


@pytest.mark.parametrize("known", ["Тариф Северный", "карта-Яхонт", "ЯРОСЛАВ", {"a": ["Тариф Северный"]}])
def test_what_a_webhook_knows_of_one_user_is_no_strangers(known):
    """Nobody said it, and nothing in the requests explains who gets what."""
    others = ["Тариф Южный", "карта-Берилл", "МАРИНА", {"a": ["Лазурит"]}, "Опал", "Топаз", "Агат"]
    talks = [
        exchange(request(frame(user, "login")), Response(200, (), Body("json", {"plan": value, "ok": True})))
        for user, value in enumerate([known, *others])
    ]
    answer = served(Replayer(Index.build(enumerate(talks, 1), match="learned")), frame(50, "login"))
    assert answer.source.step == "guess"
    assert json.loads(answer.body) == {"ok": True}


def test_a_webhooks_own_numbers_are_served_as_recorded():
    """They tell of nobody: an answer without its text would be worse than one with another order's number."""
    talks = [
        exchange(
            request(frame(user, "order")),
            Response(
                200, (), Body("json", {"text": f"Заказ {user * 7919 % 10**6:06d} принят в {10 + user}:{30 + user}"})
            ),
        )
        for user in (7, 3, 12, 5, 1, 14, 9)
    ]
    answer = served(Replayer(Index.build(enumerate(talks, 1), match="learned")), frame(50, "order"))
    assert json.loads(answer.body)["text"].startswith("Заказ ")
