"""The options that say what is redacted, `redact`, and what `check` says of secrets."""

import asyncio
import json
import os
import subprocess
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aimyproxy.cli import output, run
from aimyproxy.cli.record_screen import Screen
from aimyproxy.cli.redaction import Wanted
from aimyproxy.errors import InvalidOption
from aimyproxy.keeping.keeper import Keeper
from aimyproxy.store.recording import Recording
from aimyproxy.store.redacted import key_of, standing_of
from tests.redaction.planting import exchange_of, leaked, planted

SECRET = "GNVXJdeo:0123456789abcdef"


@pytest.fixture
def leaky(root):
    """A recording of three exchanges, of which two hold a secret."""
    recording = Recording.create(root / "leaky", None)
    recording.append(exchange_of({"token": SECRET, "name": "Иван"}, {}))
    recording.append(exchange_of({}, {}))
    recording.append(exchange_of({}, {}, headers=[("X-Api-Key", SECRET)]))
    recording.close()
    return recording


def test_check_names_secrets_and_redact_replaces_them(leaky, aimyproxy):
    """Where there are none left, all is fine."""
    status, out, _ = aimyproxy("check", "leaky")
    assert status == 1
    assert out == ("leaky: 2 exchanges hold secrets as they came (1, 3); `aimyproxy redact leaky` replaces them.\n")
    status, out, err = aimyproxy("redact", "leaky")
    assert (status, out) == (0, "")
    assert err.startswith("leaky: 2 exchanges of 3 changed; redacted are secrets.\n")
    assert "backups" in err
    assert SECRET.encode() not in leaky.path.read_bytes()
    assert aimyproxy("check", "leaky")[0] == 0


def test_check_names_rules_and_a_key_that_nobody_can_redact_by(leaky, aimyproxy):
    """Replay and record would refuse the recording for them."""
    assert aimyproxy("redact", "leaky")[0] == 0
    key = key_of(leaky).path
    key.write_text("junk")
    status, out, _ = aimyproxy("check", "leaky")
    assert (status, len(out.splitlines())) == (1, 1)
    assert f"{key}: has to be 64 hexadecimal digits" in out
    leaky.path.write_text(leaky.path.read_text().replace('["secrets"]', '"all"'))
    status, out, _ = aimyproxy("check", "leaky")
    assert (status, len(out.splitlines())) == (1, 1)
    assert 'the recording\'s "redacted" has to be a list' in out


def test_redact_takes_more_than_secrets(leaky, aimyproxy):
    """And keeps it for what is recorded later."""
    assert aimyproxy("redact", "leaky", "--redact", "personal", "--redact", "$.pin")[0] == 0
    assert standing_of(leaky).rules.document() == ["secrets", "personal", "$.pin"]
    assert "Иван" not in leaky.path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["redact"], "NAME"),
        (["redact", "leaky", "nix"], "There is no recording nix"),
        (["redact", "leaky", "--redact", "name"], "neither `personal` nor a JSONPath"),
        (["record", "leaky", "--target", "http://127.0.0.1:9", "--redact", "personal", "--no-redact"], "contradict"),
        (["replay", "leaky", "--redact", "personal"], "--record"),
        (["diff", "leaky", "--target", "http://127.0.0.1:9", "--no-redact"], "--save"),
    ],
)
def test_what_can_not_be_asked_for(leaky, aimyproxy, arguments, said):
    """It says what is wrong, and changes nothing."""
    before = leaky.path.read_bytes()
    status, _, err = aimyproxy(*arguments)
    assert status == 2
    assert said in err
    assert leaky.path.read_bytes() == before


def test_a_recording_goes_on_with_its_rules(leaky, capsys):
    """Fewer words mean the same; more, or none at all, are refused with what to do."""
    assert Wanted(("personal",), nothing=False).redactor(leaky).rules.personal
    assert "`aimyproxy redact leaky`" in capsys.readouterr().err
    leaky.append(exchange_of({}, {}))
    assert Wanted((), nothing=False).redactor(leaky).rules.personal
    with pytest.raises(InvalidOption, match="another name"):
        Wanted((), nothing=True).redactor(leaky)
    with pytest.raises(InvalidOption, match=r"aimyproxy redact leaky '--redact=\$\.pin'"):
        Wanted(("$.pin",), nothing=False).redactor(leaky)
    assert capsys.readouterr().err == ""


def test_an_empty_recording_keeps_its_word(root):
    """What says that it is redacted is so."""
    recording = Recording.create(root / "empty", None)
    Wanted((), nothing=False).redactor(recording)
    with pytest.raises(InvalidOption, match="another name"):
        Wanted((), nothing=True).redactor(recording)
    assert Wanted(("personal",), nothing=False).redactor(recording).rules.personal


def test_a_missing_key_is_told(leaky, capsys):
    """From here on, replacements are others."""
    Wanted((), nothing=False).redactor(leaky)
    key_of(leaky).path.unlink()
    capsys.readouterr()
    Wanted((), nothing=False).redactor(leaky)
    assert "makes other replacements than before" in capsys.readouterr().err
    assert key_of(leaky).read()


def test_what_is_made_from_a_recording_is_redacted_as_that(leaky, root, capsys):
    """By its rules and its key, though nothing is in it yet."""
    for original in (leaky, Recording.create(root / "empty", None)):
        Wanted(("personal",), nothing=False).redactor(original)
        made = Recording.create(root / f"{original.name}-2", None)
        assert Wanted((), nothing=False).redactor(made, like=original).rules.personal
        assert key_of(made).read() == key_of(original).read()
        with pytest.raises(InvalidOption, match="no --no-redact"):
            Wanted((), nothing=True).redactor(made, like=original)


def test_nothing_is_redacted_with_a_warning(leaky, capsys):
    """And nothing of the recording changes."""
    before = leaky.path.read_bytes()
    assert Wanted((), nothing=True).redactor(leaky) is None
    assert "Nothing is redacted" in capsys.readouterr().err
    assert leaky.path.read_bytes() == before
    assert json.loads(before)["recording"]["1"].get("redacted") is None


def test_check_tells_of_keys(leaky, aimyproxy):
    """A missing one is no fault: a clone has none. Another one is, as replacements are no longer the same."""
    assert aimyproxy("redact", "leaky")[0] == 0
    file = key_of(leaky).path
    key = file.read_text()
    file.unlink()
    status, _, err = aimyproxy("check", "leaky")
    assert status == 0
    assert f"leaky: {file} is missing" in err
    assert "leaky: fine" in err
    file.write_text("ab" * 32)
    status, out, _ = aimyproxy("check", "leaky")
    assert (status, out) == (
        1,
        f"leaky: {file} is not the key that the recording was redacted by; it makes other replacements.\n",
    )
    Wanted((), nothing=False).redactor(leaky)
    status, _, err = aimyproxy("check", "leaky")
    assert status == 0
    assert "exchanges before 4 were redacted by another key" in err
    file.write_text(key)
    assert aimyproxy("check", "leaky")[0] == 1


def test_what_a_killed_writer_left_is_named_and_goes(leaky, aimyproxy):
    """It holds what was not redacted yet; that of a process that lives stays."""
    with subprocess.Popen(["true"]) as gone:
        pass
    left = leaky.folder / f".exchanges.json.{gone.pid}-1.tmp"
    living = leaky.folder / f".exchanges.json.{os.getpid()}-1.tmp"
    for path in (left, living):
        path.write_text(SECRET)
    assert f"leaky: {left} is half of a file" in aimyproxy("check", "leaky")[1]
    assert aimyproxy("redact", "leaky")[0] == 0
    assert (left.exists(), living.exists()) == (False, True)
    assert aimyproxy("check", "leaky")[0] == 0


def test_redact_tells_of_a_missing_key(leaky, aimyproxy):
    """What it replaces from now on it replaces otherwise."""
    aimyproxy("redact", "leaky")
    key_of(leaky).path.unlink()
    assert "is missing: a new key makes other replacements" in aimyproxy("redact", "leaky")[2]


def test_check_names_files_and_rules(leaky, aimyproxy):
    """What was put in by hand, in mocks too."""
    assert aimyproxy("redact", "leaky", "--redact", "personal")[0] == 0
    leaky.mocks.add({"event": "start", "answer": {"token": SECRET}})
    leaky.append(exchange_of({"token": SECRET}, {}))
    status, out, _ = aimyproxy("check", "leaky")
    assert status == 1
    assert out.splitlines() == [
        (
            "leaky: 1 exchange holds values to be redacted (secrets, personal) as they came (4); "
            "`aimyproxy redact leaky` replaces them."
        ),
        (
            f"leaky: {leaky.mocks.path} holds values to be redacted (secrets, personal) as they came; "
            "`aimyproxy redact leaky` replaces them."
        ),
    ]
    assert aimyproxy("redact", "leaky")[2].startswith("leaky: 1 exchange of 4 changed, and mocks.json;")
    assert aimyproxy("check", "leaky")[0] == 0


@settings(max_examples=25, deadline=None)
@given(planted(), st.sampled_from(["text", "json"]))
def test_no_planted_secret_is_in_the_folder_or_on_the_terminal(conversation, form):
    """Of random conversations, with secrets in every place; nor do `show` and `check` show any."""
    said = StringIO()
    with TemporaryDirectory() as root, redirect_stderr(said), redirect_stdout(said):
        output.spell_lines(form)
        recording = Recording.create(Path(root) / "shop", None)
        screen = Screen(recording, slow=0)
        redacting = Wanted((), nothing=False).redacting(recording, [])
        screen.redacting.append(redacting)
        keeper = Keeper(recording, screen, redaction=redacting)
        for exchange in conversation.exchanges:
            asyncio.run(keeper.keep(exchange))
            screen.trouble(f"The webhook said {exchange.request.path} {exchange.failure}.")
        screen.summary(keeper.recorded)
        recording.close()
        output.spell_lines("text")
        for arguments in (["show", "shop"], ["show", "shop", "--json"], ["check", "shop"], ["list"]):
            assert run([*arguments, "--recordings", root]) == 0
        files = [path.read_bytes() for path in recording.folder.iterdir()]
    assert keeper.recorded == len(conversation.exchanges)
    assert "fine" in said.getvalue()
    for text in (*files, said.getvalue().encode()):
        for line in text.splitlines():
            for secret in conversation.secrets:
                assert not leaked(secret, line), (secret, line)
