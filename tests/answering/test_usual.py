"""The usual answer of an event, and whom it tells of."""

from __future__ import annotations

import json

import pytest

from aimyproxy.answering.answers import Answer
from aimyproxy.answering.index import Index
from aimyproxy.answering.mocks import Mock
from aimyproxy.answering.replayer import Replayer
from aimyproxy.exchange import Body, Response
from tests.builders import exchange, request, response


def asked(user, **variables):
    return request({"action": "e", "userId": user, **variables})


def answered(pairs, mocks=()):
    """What a stranger gets, or why nothing."""
    recorded = enumerate((exchange(one, other) for one, other in pairs), 1)
    mocks = [Mock.parse(number, mock) for number, mock in enumerate(mocks, 1)]
    return Replayer(Index.build(recorded, mocks, "event")).answer(asked("stranger", name="Зина"))[1]


def test_an_answer_with_somebodys_values_is_not_usual():
    """However often it came; the next one is, that tells of nobody."""
    masha = {"name": "Мария Ивановна", "phone": "+79161234567"}
    told = (asked("u1", **masha), response({"text": "Мария Ивановна, перезвоним: +79161234567"}))
    found = answered([told, told, (asked("u2", name="Олег"), response({"text": "Перезвоним"}))])
    assert (found.source.header, json.loads(found.body)) == ("usual; exchange=3", {"text": "Перезвоним"})


def test_where_all_may_tell_of_somebody_there_is_a_miss():
    """It says so, and what else there is."""
    miss = answered([(asked("u1", name="Мария"), response({"text": "Привет, Мария"}))])
    assert not isinstance(miss, Answer)
    assert "may hold what is somebody's own" in miss.reason
    assert "--match learned" in miss.reason


def test_what_several_got_who_said_the_same_is_nobodys():
    """Both chose that pizza."""
    pairs = [(asked(user, pizza="Маргарита"), response({"text": "Маргарита, 590 ₽"})) for user in ("u1", "u2")]
    assert json.loads(answered(pairs).body) == {"text": "Маргарита, 590 ₽"}


@pytest.mark.parametrize("encoding", ["utf-8", "cp1251"])
def test_texts_in_bytes_are_read(encoding):
    """A body that is no JSON may name somebody, too."""
    body = Body("base64", "Мария Ивановна".encode(encoding) + b"\xff\xfe\x00")
    miss = answered([(asked("u1", name="Мария Ивановна"), Response(200, (), body))])
    assert not isinstance(miss, Answer)


def test_headers_of_one_user_are_not_served():
    """A session's cookie, what only some had, what says a name; the content type always."""
    common = (("content-type", "text/html"), ("x-shop", "pizza"))
    first = Response(200, (*common, ("set-cookie", "s=1"), ("x-user", "u-secret-1")), Body("json", {"a": 1}))
    second = Response(200, (*common, ("set-cookie", "s=1"), ("x-request", "77")), Body("json", {"a": 1}))
    found = answered([(asked("u-secret-1"), first), (asked("u2"), second)])
    assert found.headers == common


def test_what_a_person_wrote_is_served():
    """An edited exchange is meant to be."""
    pairs = [(asked("u1", name="Мария"), response({"text": "Привет, Мария"}))]
    mock = {"event": "e", "from_exchange": 1, "answer": {"text": "Привет!"}}
    assert json.loads(answered(pairs, [mock]).body) == {"text": "Привет!"}
