"""Values at their places."""

import pytest

from aimyproxy.redaction.members import Members
from aimyproxy.redaction.rules import Rules

SHAPES = [
    {
        "action": "start",
        "queryText": "Хочу пиццу",
        "userId": "telegram-40112-pizza-635678009",
        "channelId": "40112-pizza-tg1",
        "channelType": "telegram",
        "name": "Иван",
        "lastSeen": 42,
        "rawRequest": {
            "update_id": 817263541,
            "message": {
                "message_id": 1187,
                "from": {"id": 635678009, "is_bot": False, "first_name": "Иван", "language_code": "ru"},
                "chat": {"id": 635678009, "type": "private"},
                "date": 1719830400,
                "text": "Хочу пиццу",
            },
        },
    },
    {
        "action": "price",
        "queryText": "Сколько?",
        "userId": "vk-40112-pizza-612444319",
        "channelId": "40112-pizza-vk1",
        "channelType": "vk",
        "price": 500,
        "rawRequest": {
            "group_id": 214167102,
            "secret": "s3cr3t",
            "object": {
                "message": {
                    "date": 1683278670,
                    "from_id": 612444319,
                    "id": 5120,
                    "peer_id": 612444319,
                    "text": "Сколько?",
                }
            },
        },
    },
    {
        "action": "start",
        "queryText": "/start",
        "userId": "chatwidget-40112-pizza-9f2c",
        "channelId": "40112-pizza-web1",
        "channelType": "chatwidget",
        "httpResponse": {"timestamp": 1583767519497},
        "rawRequest": {
            "token": "GNVXJdeo:01234567",
            "clientId": "9f2c",
            "questionId": "aaa99bea",
            "query": "/start",
            "userId": "9f2c",
        },
    },
    {
        "action": "order",
        "queryText": "улица толстого",
        "userId": "yandex-40112-pizza-47C73714",
        "channelId": "40112-pizza-ya1",
        "channelType": "yandex",
        "rawRequest": {
            "request": {
                "command": "улица толстого",
                "nlu": {
                    "tokens": ["улица"],
                    "entities": [
                        {"type": "YANDEX.FIO", "tokens": {"start": 4, "end": 6}, "value": {"first_name": "лев"}},
                        {"type": "YANDEX.NUMBER", "value": 16},
                    ],
                },
            },
            "session": {
                "session_id": "2eac",
                "user": {"user_id": "6C91DA51", "access_token": "AgAAAAAB4vpb"},
                "application": {"application_id": "47C73714"},
            },
        },
    },
    {
        "action": "asr",
        "queryText": "да",
        "userId": "resterisk-40112-pizza-79991234567",
        "channelId": "40112-pizza-tel1",
        "channelType": "resterisk",
        "rawRequest": {
            "caller": "79991234567",
            "extension": "140160",
            "payload": {"a": [1, None, True]},
            "data": {"cause": "OK", "text": "да"},
            "utterances": [{"requestId": "1ba6", "text": "да", "status": "Ok"}],
        },
    },
]
SECRETS = {"vk": ["s3cr3t"], "chatwidget": ["GNVXJdeo:01234567"], "yandex": ["AgAAAAAB4vpb"]}
PERSONAL = {
    "telegram": ["Хочу пиццу", "635678009", "Иван", 635678009, "Иван", 635678009, "Хочу пиццу"],
    "vk": ["Сколько?", "612444319", 612444319, 612444319, "Сколько?"],
    "chatwidget": ["/start", "9f2c", "9f2c", "/start", "9f2c"],
    "yandex": ["улица толстого", "47C73714", "улица толстого", "улица", "лев", "6C91DA51", "47C73714"],
    "resterisk": ["да", "79991234567", "79991234567", 1, None, True, "да", "да"],
}


def taken(root, *wanted, frame=None):
    """What is replaced in a value, and the value that comes out; X stands for everything."""
    values = []
    members = Members(Rules.parse(wanted), lambda value, _: values.append(value) or "X", lambda text: f"<{text}>")
    return values, members.redacted(root, root if frame is None else frame)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape["channelType"])
def test_secrets_of_each_channel(shape):
    """As its requests have them, and nothing else."""
    assert taken(shape)[0] == SECRETS.get(shape["channelType"], [])


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape["channelType"])
def test_what_is_personal_in_each_channel(shape):
    """And nothing else; where it is unknown, all of it, too."""
    channel = shape["channelType"]
    values = taken(shape, "personal")[0]
    assert sorted(map(repr, values)) == sorted(map(repr, [*SECRETS.get(channel, []), *PERSONAL[channel]]))
    unknown = taken({**shape, "channelType": "max"}, "personal")[0]
    assert {repr(value) for value in values} <= {repr(value) for value in unknown} | {
        "'635678009'",
        "'79991234567'",
    } | {repr(shape["userId"].rpartition("-")[2])}


def test_the_authors_variables():
    """By their names and by their looks."""
    variables = {
        "phone": 79991234567,
        "order": {"name": "Маргарита", "email": "a@b.ru", "notes": ["x@y.ru", "soon"]},
        "httpResponse": {"contact": "+7 999 123-45-67", "ok": True},
        "httpStatus": 200,
    }
    values, made = taken(variables, "personal")
    assert values == [79991234567, "a@b.ru", "x@y.ru", "+7 999 123-45-67"]
    assert made["order"] == {"name": "Маргарита", "email": "X", "notes": ["X", "soon"]}


def test_secrets_by_name_with_all_that_is_in_them():
    """Objects and arrays, too."""
    values, made = taken({"access_token": {"value": "a", "parts": ["b", 1]}, "list": [{"password": "c"}]})
    assert values == ["a", "b", 1, "c"]
    assert made == {"access_token": {"value": "X", "parts": ["X", "X"]}, "list": [{"password": "X"}]}


def test_texts_that_may_hold_secrets():
    """JSON and URLs inside strings are looked at."""
    searched = {"payload": '{"a": "b"}', "link": "see http://host/", "path": "/h?token=1"}
    others = {"text": "{}", "plain": "no secret at all", "question": "is that all?"}
    values, made = taken({**searched, **others})
    assert values == []
    assert made == {**{name: f"<{text}>" for name, text in searched.items()}, **others}


def test_what_is_not_concerned_is_shared():
    """The result holds the very objects of the value."""
    root = {"deep": {"token": "a", "other": [1]}, "rest": {"x": [2]}}
    made = taken(root)[1]
    assert made["rest"] is root["rest"]
    assert made["deep"]["other"] is root["deep"]["other"]
    assert root["deep"]["token"] == "a"
    assert taken(root["rest"])[1] is root["rest"]


def test_places_inside_places():
    """What two paths name is taken from what was there, not from what the first one put there."""
    values, made = taken({"a": {"b": "1"}, "token": "2"}, "$.a", "$..b", "$.token", "$.none")
    assert set(values) == {"1", "2"}
    assert made == {"a": {"b": "X"}, "token": "X"}


@pytest.mark.parametrize("root", ["text", 1, None, True])
def test_scalars_have_no_places(root):
    """A body that is one stays."""
    assert taken(root, "personal", "$", frame={})[1] == root
