"""Exchanges, requests and texts with what is secret or personal replaced."""

import json
import re

import pytest
from hypothesis import given, settings

from aimyproxy import aimylogic, jsonvalue
from aimyproxy.documents import to_document
from aimyproxy.exchange import Body, Failure, Request
from aimyproxy.redaction.redactor import Redactor, restoring
from aimyproxy.redaction.rules import Rules
from tests import builders
from tests.redaction.planting import ECHOES, PLACES, exchange_of, leaked, planted

KEY = b"k" * 32
SECRET = "GNVXJdeo:0123456789abcdef"


def redactor(*wanted):
    return Redactor(KEY, Rules.parse(wanted))


def stored(exchange):
    return jsonvalue.dumps(to_document(exchange))


@settings(max_examples=150, deadline=None)
@given(planted())
def test_no_planted_secret_is_in_what_is_stored(conversation):
    """Wherever it stood, wherever it came again, however it was spelled."""
    one = redactor()
    for exchange in conversation.exchanges:
        kept = stored(one.exchange(exchange))
        for secret in conversation.secrets:
            assert not leaked(secret, kept), kept.decode()


@pytest.mark.parametrize("place", sorted(PLACES))
@pytest.mark.parametrize("echo", sorted(ECHOES))
def test_every_place_and_every_echo(place, echo):
    """A secret of each place is found in each echo; the search of this test does find what isn't redacted."""
    one, exchanges = redactor(), (PLACES[place](SECRET), ECHOES[echo](SECRET))
    assert [leaked(SECRET, stored(exchange)) for exchange in exchanges] == [True, echo != "number"]
    assert [leaked(SECRET, stored(one.exchange(exchange))) for exchange in exchanges] == [False, False]


def test_what_holds_no_secret_is_the_very_same():
    """Most exchanges cost no copy."""
    exchange = builders.exchange()
    assert redactor().exchange(exchange) is exchange


def test_the_original_is_untouched():
    """The traffic goes on as it came."""
    for make in (*PLACES.values(), *ECHOES.values()):
        exchange = make(SECRET)
        before = stored(exchange)
        redactor("personal", "$.a").exchange(exchange)
        assert stored(exchange) == before


def test_a_secret_of_one_character_is_replaced_where_it_stands_and_nowhere_else():
    """Every other 1 is a 1."""
    kept = redactor().exchange(exchange_of({"token": "1", "qty": 1, "text": "1 x 1"}, {"token": 1, "total": 1}))
    assert kept.request.body.value["token"] != "1"
    assert kept.response.body.value["token"] != 1
    assert isinstance(kept.response.body.value["token"], int)
    assert (kept.request.body.value["qty"], kept.request.body.value["text"]) == (1, "1 x 1")
    assert kept.response.body.value["total"] == 1


def test_headers_keep_what_is_no_secret():
    """The scheme, the cookies' names, and a set cookie's attributes."""
    kept = redactor().exchange(
        exchange_of(
            {},
            {},
            headers=[("Authorization", "Bearer abcdefgh12345"), ("Cookie", "lang=ru; sid=abcdefgh12345")],
            answered=[("Set-Cookie", "sid=abcdefgh12345; Path=/; HttpOnly"), ("Content-Type", "text/html")],
        )
    )
    bearer, cookies = (value for _, value in kept.request.headers)
    set_cookie, content_type = (value for _, value in kept.response.headers)
    token = bearer.removeprefix("Bearer ")
    assert token != "abcdefgh12345"
    assert set_cookie == f"sid={token}; Path=/; HttpOnly"
    assert cookies.endswith(f"; sid={token}")
    assert content_type == "text/html"


def test_a_token_is_the_same_one_behind_its_scheme_wherever_that_stands():
    """In the header, in a member that repeats the header whole, and in texts; what is no scheme is no exception."""
    bearer = "Bearer abcdefgh12345"
    kept = redactor().exchange(
        exchange_of(
            {},
            {"headers": {"Authorization": bearer}, "text": f"({bearer})"},
            headers=[("Authorization", bearer), ("X-Password", "correcthorse battery")],
        )
    )
    (_, same), (_, password) = kept.request.headers
    assert same.startswith("Bearer ")
    assert same != bearer
    assert kept.response.body.value["headers"]["Authorization"] == same
    assert kept.response.body.value["text"] == f"({same})"
    assert "correcthorse" not in password


def test_one_value_has_one_replacement_throughout():
    """In every exchange, of whatever type."""
    one = redactor("personal")
    first = one.exchange(builders.exchange(builders.request(rawRequest={"message": {"from": {"id": 635678009}}})))
    variables = first.request.body.value
    identity = variables["rawRequest"]["message"]["from"]["id"]
    assert identity != 635678009
    assert variables["userId"] == f"telegram-40112-pizza-{identity}"
    assert first.conversation == ("telegram", "40112-pizza-tg1", variables["userId"])
    assert first.response.body.value["userId"] == variables["userId"]
    later = redactor("personal").exchange(builders.exchange())
    assert later.conversation == first.conversation
    assert later.request.body.value["name"] == variables["name"] != "Иван"


RESTERISK = {
    "userId": "resterisk-40112-pizza-79991234567",
    "channelId": "40112-pizza-tel1",
    "rawRequest": {
        "caller": "79991234567",
        "data": {"text": "да", "resourcePath": "40112/2021-02-16/11636330465/79991234567/10-24"},
    },
}


def test_personal_values_are_found_inside_paths():
    """A phone number in the caller, the user's id and a path is one number."""
    kept = redactor("personal").exchange(exchange_of(RESTERISK, {"greeting": "+79991234567"}, channel="resterisk"))
    raw = kept.request.body.value["rawRequest"]
    assert raw["caller"].startswith("79")
    assert raw["caller"] != "79991234567"
    assert raw["data"]["resourcePath"] == f"40112/2021-02-16/11636330465/{raw['caller']}/10-24"
    assert kept.conversation[2] == f"resterisk-40112-pizza-{raw['caller']}"
    assert kept.response.body.value["greeting"] == f"+{raw['caller']}"
    assert raw["data"]["text"] != "да"


def test_a_phone_number_is_one_number_however_it_is_written():
    """Whatever form it was met in."""
    written = ("79991234567", "+7 (999) 123-45-67", "8-999-123-45-67")
    for phone in written:
        kept = redactor("personal").exchange(exchange_of({"phone": phone}, {"text": ", ".join(written)}))
        numbers = [re.sub(r"\D", "", number)[1:] for number in kept.response.body.value["text"].split(", ")]
        assert numbers == [re.sub(r"\D", "", kept.request.body.value["phone"])[1:]] * 3
        assert numbers[0] != "9991234567"


def test_without_personal_they_stay():
    """Secrets alone are redacted unless told otherwise."""
    exchange = exchange_of(RESTERISK, {}, channel="resterisk")
    assert redactor().exchange(exchange) is exchange


def test_paths_of_ones_own():
    """In requests and responses; all that is below; and the values elsewhere."""
    exchange = exchange_of({"order": {"card": "4000123412341234", "cvc": 123}}, {"text": "Карта 4000123412341234"})
    kept = redactor("$.order").exchange(exchange)
    order = kept.request.body.value["order"]
    assert order["card"] != "4000123412341234"
    assert order["cvc"] != 123
    assert kept.response.body.value == {"text": f"Карта {order['card']}"}


def test_a_path_that_others_cover_is_replaced_once():
    """The same value has the same replacement, by whatever rule."""
    exchange = exchange_of({"token": SECRET, "deep": {"token": SECRET}}, {})
    expected = redactor().exchange(exchange).request.body.value
    for wanted in (["$.token"], ["$.deep", "$..token"], ["personal", "$"]):
        kept = redactor(*wanted).exchange(exchange).request.body.value
        assert (kept["token"], kept["deep"]) == (expected["token"], expected["deep"])


def test_texts_that_are_json_after_all():
    """An object with a 70-bit integer is stored as text, and its places are places."""
    exchange = exchange_of({}, json.dumps({"big": 2**70, "phone": "79991234567", "pin": 7}).encode())
    kept = redactor("personal", "$.pin").exchange(exchange).response.body
    assert kept.kind == "text"
    value = json.loads(kept.value)
    assert value["big"] == 2**70
    assert value["phone"] != "79991234567"
    assert value["pin"] != 7


def test_what_was_learned_is_known_from_the_beginning():
    """The credentials of a target, say, in a message."""
    one = redactor()
    one.learn(["tok-12345-abcdef"])
    message = "GET /?k=tok-12345-abcdef failed"
    kept = one.exchange(exchange_of({}, {}, failure=Failure("protocol", message)))
    assert kept.failure.message == one.text(message) != message
    assert one.text("nothing secret") == "nothing secret"


def test_names_that_become_one_stay_two():
    """No member gets lost."""
    one = redactor()
    replaced = one.exchange(exchange_of({"token": SECRET}, {})).request.body.value["token"]
    kept = one.exchange(exchange_of({}, {SECRET: 1, replaced: 2}))
    assert sorted(kept.response.body.value.values()) == [1, 2]


def test_a_request_is_redacted_as_the_recording_was():
    """So that it is found there; what was replaced is told."""
    exchange = exchange_of({"token": SECRET, "other": f"see {SECRET}"}, {})
    kept = redactor().exchange(exchange)
    asked = redactor().request(exchange.request)
    assert asked.request == kept.request
    assert asked.replaced == {SECRET: kept.request.body.value["token"]}
    [back] = restoring(asked.replaced)
    assert back.substituted(asked.request.body.raw.decode()) == exchange.request.body.raw.decode()


def test_a_request_without_secrets_is_the_very_same():
    """Nothing was replaced then."""
    request = builders.request()
    assert redactor().request(request) == (request, {})
    assert redactor().request(request).request is request


def test_what_was_sent_from_a_redacted_recording_is_not_redacted_twice():
    """Its replacements stay, also where the answer repeats them; what is new in the answer is replaced."""
    sent = redactor("personal").exchange(exchange_of({"token": SECRET, "name": "Анна"}, {}))
    name = sent.request.body.value["name"]
    answered = exchange_of({}, {**sent.request.body.value, "text": f"Привет, {name}", "password": "hunter2-hunter2"})
    kept = redactor("personal").answer(builders.exchange(sent.request, answered.response))
    assert kept.request == sent.request
    body = kept.response.body.value
    assert {**body, "password": None} == {**answered.response.body.value, "password": None}
    assert body["password"] != "hunter2-hunter2"


def test_a_conversation_as_the_recording_names_it():
    """For the lines of a screen."""
    conversation = ("telegram", "40112-pizza-tg1", "telegram-40112-pizza-635678009")
    assert redactor().conversation(conversation) == conversation
    named = redactor("personal").conversation(conversation)
    assert named == redactor("personal").exchange(builders.exchange()).conversation != conversation
    assert redactor("personal").conversation(None) is None


def test_bodies_that_are_no_objects():
    """Arrays have places, too; an absent body has none."""
    request = Request("POST", "/", (), Body.of(json.dumps([{"token": SECRET}]).encode()))
    one = redactor("personal", "$[0].x")
    assert one.exchange(builders.exchange(request)).request.body.value != [{"token": SECRET}]
    absent = builders.exchange(Request("GET", "/", (), Body()))
    assert one.exchange(absent).request.body == Body()


def test_what_bots_send_that_is_no_unicode():
    """Half an emoji in a body is as good as any letter."""
    raw = json.dumps({"action": "start", "token": SECRET, "text": f"\ud83c {SECRET}"}).encode()
    request = Request("POST", "/\udcff", (("X", "\udce9"),), Body.of(raw))
    event, conversation = aimylogic.identify(request.body.variables())
    kept = redactor("personal").exchange(builders.exchange(request))
    assert (kept.event, kept.conversation) == (event, conversation)
    assert not leaked(SECRET, jsonvalue.dumps(to_document(kept)))


@pytest.mark.parametrize("wrap", [lambda value: [value], lambda value: {"a": value}])
@pytest.mark.parametrize("name", ["token", "rawRequest", "order"])
def test_as_deep_as_bodies_get(wrap, name):
    """Nothing is lost because it is nested."""
    value = {"phone": "79991234567", "token": SECRET, "from": "Иван"}
    for _ in range(240):
        value = wrap(value)
    exchange = exchange_of({name: value}, {"deep": value})
    assert exchange.response.body.kind == "json"
    kept = stored(redactor("personal", "$.deep").exchange(exchange))
    assert not leaked(SECRET, kept)
    assert b"79991234567" not in kept


def test_secrets_of_headers_can_be_heeded_without_them():
    """Where nothing but the rest of a request is redacted."""
    one = redactor()
    one.heed((("authorization", "Bearer brr-8Fj2kLq0ZxW1"), ("accept", "text/html-4fq9")))
    assert "8Fj2kLq0ZxW1" not in one.text("go brr-8Fj2kLq0ZxW1")
    assert one.text("text/html-4fq9") == "text/html-4fq9"


def test_a_cookie_header_of_blanks_is_looked_through_once():
    """From each blank anew, it would take days."""
    headers = (("Cookie", "a;" + " " * 1_000_000 + "b"),)
    request = Request("POST", "/", headers, Body())
    assert redactor().request(request)[0].headers == headers
