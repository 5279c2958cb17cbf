"""Redaction of a recording that grows, while others change its rules or remove its key."""

from __future__ import annotations

import shutil
import stat

import pytest

from aimyproxy.errors import BrokenFile
from aimyproxy.redaction.redactor import Redactor
from aimyproxy.redaction.rules import SECRETS, Rules
from aimyproxy.store.afterwards import redact, unredacted
from aimyproxy.store.appendable import Outdated
from aimyproxy.store.recording import Recording, stored
from aimyproxy.store.redacted import begin, key_of, standing_of
from aimyproxy.store.redacting import Redacting
from tests.redaction.planting import exchange_of

TOKEN = "GNVXJdeo:0123456789abcdef"
CARD = "4000123412341234"
PAID = exchange_of({"token": TOKEN, "order": {"card": CARD}, "note": f"card {CARD}"}, {})
MORE = Rules.parse(["$.order.card"])


@pytest.fixture
def recording(tmp_path):
    recording = Recording.create(tmp_path / "shop", None)
    yield recording
    recording.close()


@pytest.fixture
def told():
    return []


@pytest.fixture
def redacting(recording, told):
    """Redacts secrets, and has an exchange recorded."""
    key = key_of(recording).made()
    begin(recording, SECRETS, key)
    redacting = Redacting(recording, Redactor(key, SECRETS), [], told.append)
    recording.append(redacting.redacted(PAID)[0])
    return redacting


def by_others(recording, rules):
    other = Recording(recording.folder)
    redact(other, rules)
    other.close()


def test_rules_of_others_are_taken_up(recording, redacting, told):
    """What was redacted by the old ones is not appended; it can be renewed, and is as the new ones make it."""
    stale, stale_stored, version = redacting.redacted(PAID)
    by_others(recording, MORE)
    with pytest.raises(Outdated):
        recording.append(stale)
    redacting.take_up()
    assert told == ["shop is redacted by other rules from now on: secrets, $.order.card."]
    fresh, fresh_stored, newer = redacting.redacted(PAID)
    assert newer != version
    assert redacting.renewed(stale_stored, version) == fresh_stored == stored(fresh)
    assert recording.append(fresh) == 2
    assert recording.get(1) == recording.get(2) == fresh
    assert CARD not in recording.path.read_text()
    assert unredacted(recording).exchanges == ()


def test_where_nothing_was_redacted_it_is_from_then_on(recording, told):
    """With what was given as a secret."""
    redacting = Redacting(recording, None, ["known-from-the-start"], told.append)
    plain, plain_stored, version = redacting.redacted(PAID)
    assert plain is PAID
    recording.append(PAID)
    by_others(recording, SECRETS)
    with pytest.raises(Outdated):
        recording.append(PAID)
    redacting.take_up()
    fresh, fresh_stored, _ = redacting.redacted(PAID)
    assert redacting.renewed(plain_stored, version) == fresh_stored == stored(fresh)
    recording.append(fresh)
    assert TOKEN not in recording.path.read_text()
    assert redacting.text("known-from-the-start") != "known-from-the-start"


@pytest.mark.parametrize("removed", ["all", "key", ".gitignore"])
def test_the_key_comes_back(recording, redacting, removed):
    """The same one, its owner's only, and no part of a repository."""
    file = key_of(recording)
    key = file.read()
    if removed == "all":
        shutil.rmtree(recording.folder)
    else:
        (recording.folder / {"key": "redaction.key"}.get(removed, removed)).unlink()
        recording.sync()
    recording.append(redacting.redacted(PAID)[0])
    assert file.read() == key
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert (recording.folder / ".gitignore").read_text() == "redaction.key\n"
    assert standing_of(recording).marked(1, key)


@pytest.mark.usefixtures("redacting")
def test_a_folder_that_is_gone_stays_so_while_nothing_comes(recording):
    """Nothing is made that nobody needs."""
    shutil.rmtree(recording.folder)
    recording.sync()
    assert not recording.folder.exists()


def test_a_file_that_is_another_one_is_redacted_as_before(recording, redacting):
    """By its own key, and by the rules of both."""
    redacting.redactor.take_up(redacting.redactor.key, MORE)
    other = Recording.create(recording.folder.with_name("other"), None)
    key = key_of(other).made()
    begin(other, Rules.parse(["personal"]), key)
    other.append(Redactor(key, Rules.parse(["personal"])).exchange(exchange_of({"name": "Иван"}, {})))
    for name in ("exchanges.json", "redaction.key"):
        (other.folder / name).replace(recording.folder / name)
    with pytest.raises(Outdated):
        recording.append(redacting.redacted(PAID)[0])
    redacting.take_up()
    recording.append(redacting.redacted(PAID)[0])
    assert CARD not in recording.path.read_text()
    assert redacting.redactor.key == key
    assert recording.get(2).request.body.value["token"] == Redactor(key).exchange(PAID).request.body.value["token"]


def test_a_file_without_rules_is_given_them(recording, redacting):
    """What was wanted holds on."""
    with recording.transaction() as snapshot:
        recording.rewrite((), {"format": 1, "created": snapshot.about["created"], "target": None})
    with pytest.raises(Outdated):
        recording.append(redacting.redacted(PAID)[0])
    redacting.take_up()
    assert recording.append(redacting.redacted(PAID)[0]) == 1
    assert standing_of(recording).rules == SECRETS


def test_rules_that_nobody_understands(recording, redacting):
    """Nothing is recorded by guess."""
    text = recording.path.read_text()
    recording.path.write_text(text.replace('["secrets"]', '"all"'))
    with pytest.raises(BrokenFile, match="redacted"):
        recording.append(redacting.redacted(PAID)[0])
    recording.path.write_text(text)
    assert recording.append(redacting.redacted(PAID)[0]) == 2
