"""How a recording is redacted."""

import json

import pytest

from aimyproxy.errors import BrokenFile
from aimyproxy.exchange import Failure
from aimyproxy.redaction.rules import SECRETS, Rules
from aimyproxy.store.recording import Recording
from aimyproxy.store.redacted import begin, key_of, redact, redactor_of, secrets_in, standing_of
from tests import builders
from tests.redaction.planting import exchange_of, leaked

SECRET = "GNVXJdeo:0123456789abcdef"
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
    assert begin(shop, PERSONAL).since == 4
    assert dict(shop.documents()) == before
    standing = standing_of(shop)
    assert (standing.rules, standing.covers(3), standing.covers(4)) == (PERSONAL, False, True)
    assert begin(shop, SECRETS) == standing
    assert shop.append(builders.exchange()) == 4


def test_in_an_empty_recording_other_rules_take_their_place(tmp_path):
    """Nothing is redacted by the old ones yet."""
    recording = Recording.create(tmp_path / "new", None)
    begin(recording, PERSONAL)
    assert begin(recording, SECRETS).rules == SECRETS == standing_of(recording).rules


def test_everything_is_redacted_afterwards(shop):
    """Values too that are met before the place that tells that they are secret, and those of the target."""
    assert secrets_in(shop) == [2, 3]
    outcome = redact(shop, SECRETS)
    assert (outcome.changed, outcome.exchanges, outcome.files) == (3, 3, ())
    assert not leaked(SECRET, every_byte(shop))
    assert b"tok-12345" not in every_byte(shop)
    assert shop.about()["target"] == "https://bot.example.com/?token=***"
    assert standing_of(shop).covers(1)
    assert secrets_in(shop) == []
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
    begin(shop, SECRETS)
    key_of(shop).made()
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
