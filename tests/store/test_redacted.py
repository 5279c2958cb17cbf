"""How a recording is redacted."""

import json
from urllib.parse import quote

import pytest

from aimyproxy.errors import BrokenFile
from aimyproxy.exchange import Failure
from aimyproxy.redaction.redactor import Redactor
from aimyproxy.redaction.rules import SECRETS, Rules
from aimyproxy.store.afterwards import Unredacted, redact, unredacted
from aimyproxy.store.recording import Recording
from aimyproxy.store.redacted import begin, key_of, redactor_of, standing_of
from tests import builders
from tests.redaction.planting import exchange_of, leaked

SECRET = "GNVXJdeo:0123456789abcdef"
KEY = b"k" * 32
PERSONAL = Rules.parse(["personal"])


@pytest.fixture
def shop(tmp_path):
    """A recording that holds a secret before anybody knows it for one."""
    recording = Recording.create(tmp_path / "shop", "https://bot.example.com/?token=tok-12345-abcdef")
    recording.append(exchange_of({"note": f"see {SECRET}"}, {}))
    recording.append(exchange_of({"token": SECRET, "name": "Иван"}, {"text": "Привет, Иван"}))
    recording.append(exchange_of({}, {}, failure=Failure("protocol", "GET /?token=tok-12345-abcdef")))
    yield recording
    recording.close()


def every_byte(recording):
    return b"\n".join(path.read_bytes() for path in sorted(recording.folder.iterdir()))


def test_a_recording_is_not_redacted_unless_somebody_began(shop):
    """Nothing redacts then."""
    assert standing_of(shop).rules is None
    assert redactor_of(shop) is None
    assert not standing_of(shop).covers(1)


def test_redaction_begins_with_the_next_exchange(shop):
    """What is there stays, and the header says from where on it holds."""
    before = dict(shop.documents())
    assert begin(shop, PERSONAL, KEY).since == 4
    assert dict(shop.documents()) == before
    standing = standing_of(shop)
    assert (standing.rules, standing.covers(3), standing.covers(4)) == (PERSONAL, False, True)
    assert begin(shop, SECRETS, KEY) == standing
    assert shop.append(builders.exchange()) == 4


def test_in_an_empty_recording_other_rules_take_their_place(tmp_path):
    """Nothing is redacted by the old ones yet."""
    recording = Recording.create(tmp_path / "new", None)
    begin(recording, PERSONAL, KEY)
    assert begin(recording, SECRETS, KEY).rules == SECRETS == standing_of(recording).rules


def test_everything_is_redacted_afterwards(shop):
    """Values too that are met before the place that tells that they are secret, and those of the target."""
    assert unredacted(shop).exchanges == (1, 2, 3)
    outcome = redact(shop, SECRETS)
    assert (outcome.changed, outcome.exchanges, outcome.files) == (3, 3, ())
    assert not leaked(SECRET, every_byte(shop))
    assert b"tok-12345" not in every_byte(shop)
    assert shop.about()["target"] == "https://bot.example.com/?token=***"
    assert standing_of(shop).covers(1)
    assert unredacted(shop).exchanges == ()
    assert shop.get(2).request.body.value["name"] == "Иван"


def test_a_second_time_changes_nothing(shop):
    """What stands for a value is not replaced again, also where more is asked for."""
    redact(shop, SECRETS)
    once = shop.get(2).request.body.value["token"]
    before = shop.path.read_bytes()
    assert redact(shop, SECRETS).changed == 0
    assert shop.path.read_bytes() == before
    assert redact(shop, PERSONAL).changed == 3
    assert redact(shop, PERSONAL).changed == 0
    again = shop.get(2)
    assert again.request.body.value["token"] == once
    assert again.response.body.value["text"] == f"Привет, {again.request.body.value['name']}" != "Привет, Иван"
    assert shop.get(1).request.body.value["note"] == f"see {once}"
    assert standing_of(shop).rules == PERSONAL


def test_what_was_redacted_while_recorded_stays(shop):
    """Only what is from before is replaced, by the same key."""
    begin(shop, SECRETS, KEY)
    key_of(shop).made(KEY)
    kept = redactor_of(shop).exchange(exchange_of({"token": SECRET}, {}))
    shop.append(kept)
    assert redact(shop, SECRETS).changed == 3
    assert shop.get(4) == kept
    assert shop.get(2).request.body.value["token"] == kept.request.body.value["token"]


def test_what_lies_beside_the_exchanges(shop):
    """Mocks, hints, rules of diff and what a crash left are searched for what is known."""
    shop.mocks.add({"event": "start", "when": {"$.note": f"see {SECRET}"}, "answer": {"password": "hunter2-hunter2"}})
    shop.hints.write({"start": {"pin": [f"$['{SECRET}']"]}})
    shop.rules.path.write_text(json.dumps({"$.total": {"tolerance": "0.01"}}))
    torn = shop.path.with_name("exchanges.json.torn-20260101T000000")
    torn.write_bytes(b'"4": {"json": {"token": "other-' + SECRET.encode() + b'", "x": "\xff')
    outcome = redact(shop, SECRETS)
    assert outcome.files == ("mocks.json", "hints.json", torn.name)
    assert not leaked(SECRET, every_byte(shop))
    assert b"hunter2" not in every_byte(shop)
    note = shop.get(1).request.body.value["note"]
    assert shop.mocks.read()[0][1]["when"] == {"$.note": note}


def test_a_broken_file_stops_it_before_anything_is_changed(shop):
    """The file is named."""
    shop.mocks.path.write_text("{")
    before = shop.path.read_bytes()
    with pytest.raises(BrokenFile, match=r"mocks\.json"):
        redact(shop, SECRETS)
    assert shop.path.read_bytes() == before


@pytest.mark.parametrize(
    "described", [{"redacted": "secrets"}, {"redacted": ["x"]}, {"redacted": ["secrets"], "redacted_from": "1"}]
)
def test_headers_that_say_what_can_not_be(shop, described):
    """They are broken, and named."""
    with shop.transaction() as snapshot:
        shop.rewrite(snapshot, {**snapshot.about, **described})
    with pytest.raises(BrokenFile, match=r"exchanges\.json"):
        standing_of(shop)


def test_without_the_key_replacements_are_others(shop):
    """Nobody can make the old ones then."""
    redact(shop, SECRETS)
    kept = shop.get(2).request.body.value["token"]
    key_of(shop).path.unlink()
    assert redactor_of(shop).request(exchange_of({"token": SECRET}, {}).request).replaced[SECRET] != kept


MOCKS = [
    {"event": "start", "when": {"$.token": "pin-12", "$.name": "Иван"}, "answer": {"password": "hunter2", "qty": 2}},
    {"event": "pay", "when": {"$.token": {"matches": "^pin-"}}, "answer": {"token": "{{ request.token }}"}},
    {"event": "a", "text": "?token=abc123&x=1", "headers": [["Set-Cookie", "sid=shrt-1; Path=/"]], "note": "pin-12"},
    {"event": "b", "answer": {"phone": "79991234567", "order": {"card": "4000123412341234"}, "name": "Пётр"}},
    {"event": "c", "answer": {"token": SECRET}, "enabled": False},
    {
        "event": "d",
        "when": {"$.logins[0].password": {"one_of": ["pwd-91", "{{ x }}"]}, "no path": 1},
        "headers": "none",
    },
]
TORN = (
    b'"5": {"at": "x", "request": {"json": {"token": "pin-12", "password": "qwe-77", "access_token": "'
    + SECRET.encode()
)


@pytest.mark.parametrize("more", [[], ["personal"], ["personal", "$..card"], ["$.order.card", "$.name"]])
def test_a_second_time_changes_no_byte_of_any_file(shop, more):
    """Short values too, of which nothing tells that they are replacements; what was added in between is redacted."""
    for mock in MOCKS:
        shop.mocks.add(mock)
    torn = shop.path.with_name("exchanges.json.torn-20260101T000000")
    torn.write_bytes(TORN)
    redact(shop, Rules.parse(more))
    once = every_byte(shop)
    for value in ("pin-12", "hunter2", "abc123", "shrt-1", "qwe-77", "pwd-91", SECRET):
        assert not leaked(value, once), value
    assert redact(shop, Rules.parse(more)).files == ()
    assert every_byte(shop) == once
    assert unredacted(shop) == Unredacted((), ())
    shop.mocks.add({"event": "new", "answer": {"password": "pass-8"}})
    assert unredacted(shop).files == ("mocks.json",)
    before = shop.mocks.read()[:-1]
    assert redact(shop, SECRETS).files == ("mocks.json",)
    assert shop.mocks.read()[:-1] == before
    assert b"pass-8" not in every_byte(shop)


def test_mocks_are_redacted_as_the_exchanges_that_they_stand_for(shop):
    """Rules hold at the same places; what a template or a pattern says stays what it is."""
    for mock in MOCKS:
        shop.mocks.add(mock)
    redact(shop, Rules.parse(["personal", "$.order.card"]))
    first, second, third, fourth, _, last = (mock for _, mock in shop.mocks.read())
    assert first["when"]["$.name"] == shop.get(2).request.body.value["name"]
    assert first["answer"]["qty"] == 2
    assert second == MOCKS[1]
    assert third["note"] == first["when"]["$.token"]
    assert fourth["answer"]["name"] != "Пётр"
    assert fourth["answer"]["order"]["card"] != "4000123412341234"
    assert fourth["answer"]["phone"].startswith("79")
    assert last["when"]["$.logins[0].password"]["one_of"][1] == "{{ x }}"


def test_a_mock_made_of_an_exchange_keeps_its_replacements(shop):
    """Though they are short."""
    shop.append(exchange_of({"password": "short-1"}, {}))
    redact(shop, SECRETS)
    kept = shop.get(4).request.body.value["password"]
    shop.mocks.add({"event": "start", "answer": {"password": kept}})
    assert redact(shop, SECRETS).files == ()
    assert shop.mocks.read()[0][1]["answer"]["password"] == kept


def test_torn_bytes_of_a_redacted_recording_are_redacted_already(shop):
    """Of short values nothing else would tell."""
    redact(shop, SECRETS)
    shop.path.with_name("exchanges.json.torn-20260101T000000").write_bytes(
        b'"5": {"json": {"token": "abc123", "password": "x'
    )
    assert redact(shop, SECRETS).files == ()


def test_what_was_put_in_by_hand_is_found_and_redacted(shop):
    """A long value without the key's mark is none that the key made."""
    redact(shop, SECRETS)
    text, kept = shop.path.read_text(encoding="utf-8"), shop.get(2).request.body.value["token"]
    assert text.count(kept) == 2
    shop.path.write_text(text.replace(f'"token":"{kept}"', f'"token":"{SECRET}"'), encoding="utf-8")
    assert unredacted(shop).exchanges == (2,)
    assert redact(shop, SECRETS).changed == 1
    assert shop.path.read_text(encoding="utf-8") == text


def test_values_that_came_before_anybody_knew_are_found_afterwards(tmp_path):
    """By what stands for them where they were known, in another run too; in URLs, names, numbers and escapes."""
    recording = Recording.create(tmp_path / "shop", None)
    begin(recording, PERSONAL, KEY)
    key_of(recording).made(KEY)
    early = [
        exchange_of({"note": f"see {SECRET}!", SECRET: 1, "call": 79991234567}, {"text": "Привет, Мария"}),
        exchange_of(
            {"url": f"https://h/?x={quote(SECRET, safe='')}"}, b'["\\\\u041c\\\\u0430\\\\u0440\\\\u0438\\\\u044f"'
        ),
    ]
    for exchange in early:
        recording.append(Redactor(KEY, PERSONAL).exchange(exchange))
    assert leaked(SECRET, every_byte(recording))
    recording.append(
        Redactor(KEY, PERSONAL).exchange(exchange_of({"token": SECRET, "name": "Мария", "phone": "79991234567"}, {}))
    )
    assert unredacted(recording).exchanges == (1, 2)
    known = recording.get(3)
    assert redact(recording, SECRETS).changed == 2
    for value in (SECRET, "79991234567", "Мария"):
        assert not leaked(value, every_byte(recording)), value
    assert recording.get(3) == known
    assert recording.get(1).request.body.value["note"] == f"see {known.request.body.value['token']}!"
    assert recording.get(1).response.body.value["text"] == f"Привет, {known.request.body.value['name']}"
    assert unredacted(recording) == Unredacted((), ())


def test_another_key_is_told_from_the_one_before(shop):
    """From where on it holds; replacements by the old one stay."""
    redact(shop, SECRETS)
    kept = shop.get(2)
    key_of(shop).path.write_text("ab" * 32)
    assert standing_of(shop).other_key(key_of(shop).read())
    assert begin(shop, SECRETS, key_of(shop).read()).key_since == 4
    assert unredacted(shop) == Unredacted((), ())
    redact(shop, SECRETS)
    assert shop.get(2) == kept
    assert standing_of(shop).key_since == 4
