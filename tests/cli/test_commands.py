"""list, show, edit, mock, check and rm, as a user calls them."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys

import pytest

from aimyproxy import cli
from aimyproxy.cli import list_command
from aimyproxy.store.recording import Recording
from tests import builders


def test_an_empty_folder_says_what_to_do(aimyproxy):
    """A new user isn't left with nothing."""
    status, out, err = aimyproxy("list")
    assert (status, out) == (0, "")
    assert "There are no recordings" in err
    assert "aimyproxy demo" in err


def test_list_shows_each_recording(aimyproxy, shop, root):
    """Name, numbers, span of time, size and events, aligned."""
    Recording.create(root / "empty", None)
    (root / "not-a-recording").mkdir()
    status, out, _ = aimyproxy("list")
    headings, empty, line = out.splitlines()
    assert status == 0
    assert headings.split() == [
        "NAME",
        "EXCHANGES",
        "FAILED",
        "MOCKS",
        "CONVERSATIONS",
        "FIRST",
        "LAST",
        "SIZE",
        "EVENTS",
    ]
    assert empty.split() == ["empty", "0", "0", "0", "0", "-", "-", str(size(root / "empty")), "B"]
    assert line.split()[:5] == ["shop", "4", "1", "0", "2"]
    assert "2026-11-22 10:15:30  2026-11-23 11:00:00" in line
    assert line.endswith("start 2, choose 1, (none) 1")


def size(folder):
    return sum(file.stat().st_size for file in folder.iterdir())


def test_list_names_a_broken_recording_and_shows_the_others(aimyproxy, shop, root):
    """One broken file doesn't hide the rest."""
    Recording.create(root / "zoo", None)
    shop.path.write_text("oops")
    status, out, err = aimyproxy("list")
    assert status == 2
    assert "zoo" in out
    assert f"shop: {shop.path}:1:1: not valid JSON" in err


def test_show_lists_the_exchanges(aimyproxy, shop):
    """One line each, to standard output; the count is no data."""
    status, out, err = aimyproxy("show", "shop")
    lines = out.splitlines()
    assert status == 0
    assert lines[0].split() == ["ID", "TIME", "CHANNEL", "USER", "EVENT", "WAITED", "EFFECT"]
    assert "1  2026-11-22 10:15:30  telegram    telegram-40112-pizza-635678…"[:30] in lines[1]
    assert lines[1].endswith("start                 200       42 ms  +greeting")
    assert lines[2].endswith("~order.total")
    assert lines[4].endswith("timeout: no answer")
    assert "GET /health" in lines[4]
    assert err == "4 exchanges.\n"


@pytest.mark.parametrize(
    ("filters", "shown"),
    [
        (["--event", "start"], [1, 3]),
        (["--event", "nothing"], []),
        (["--user", "635678009"], [1, 2]),
        (["--channel", "vk"], [3]),
        (["--failed"], [3, 4]),
        (["--since", "2026-11-22T10:16+00:00"], [2, 3, 4]),
        (["--since", "2026-11-23T10:30:00+00:00", "--failed"], [4]),
        (["--since", "1s"], []),
        (["--since", "520w"], [1, 2, 3, 4]),
    ],
)
def test_filters_choose_exchanges(aimyproxy, shop, filters, shown):
    """All filters together have to hold."""
    _, out, _ = aimyproxy("show", "shop", "--json", *filters)
    assert [json.loads(line)["id"] for line in out.splitlines()] == shown
    _, out, err = aimyproxy("show", "shop", *filters)
    assert [int(line.split()[0]) for line in out.splitlines()[1:]] == shown
    assert err == ("4 exchanges.\n" if len(shown) == 4 else f"4 exchanges, {len(shown)} shown.\n")


def test_show_one_exchange(aimyproxy, shop):
    """Request, response and effect, readable; a user's control characters stay harmless."""
    _, out, _ = aimyproxy("show", "shop", 2)
    assert "POST /  at 2026-11-22 10:16:00.000000" in out
    assert '  "queryText": "Хочу пиццу 🍕",' in out
    assert "200  after 42.0 ms (41.2 ms of them the webhook's)" in out
    assert '~ order: {"total":1} → {"total":2}' in out
    _, out, _ = aimyproxy("show", "shop", 1)
    assert '+ greeting: "Привет"' in out
    _, out, _ = aimyproxy("show", "shop", 3)
    assert "<h1>Oops\\u001b[2J</h1>" in out
    assert "The response is no JSON object." in out
    _, out, _ = aimyproxy("show", "shop", 4)
    assert "Failure: timeout\nno answer" in out
    assert "(no body)" in out


def test_show_one_exchange_as_json(aimyproxy, shop):
    """The stored form, with its id."""
    _, out, _ = aimyproxy("show", "shop", 2, "--json")
    shown = json.loads(out)
    assert shown["id"] == 2
    assert shown["response"]["json"] == {"order": {"total": 2}}


def test_json_is_highlighted_on_a_terminal(aimyproxy, shop, monkeypatch):
    """And only there."""
    from aimyproxy.cli.show_command import _highlighted

    assert _highlighted('{"a": 1}') == '{"a": 1}'
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[" in _highlighted('{"a": 1}')


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["show", "nope"], "There is no recording nope"),
        (["show", "../shop"], "can't be a recording's name"),
        (["show", "shop", "99"], "Recording shop has no exchange 99. `show shop` lists them."),
        (["show", "shop", "--since", "yesterday"], "'yesterday' is no moment"),
        (["show", "shop", "--since", "99999999999d"], "'99999999999d' is no moment"),
        (["rm", "nope"], "There is no recording nope"),
        (["mock", "shop", "start", "--answer", "{}", "--text", ""], "Give --answer or --text, not both"),
        (["mock", "shop", "start", "--answer", "{}", "--when", "x"], "--when 'x' has to be PATH=VALUE"),
        (["mock", "shop", "start", "--answer", "{}", "--when", "$.a[=1"], "$.a["),
        (["nonsense"], "No such command 'nonsense'"),
        (["record", "x", "--target", "http://x/", "--max-body", "nan"], "nan is no number that can be used here"),
        (["record", "x", "--target", "http://x/", "--hold", "inf"], "inf is no number that can be used here"),
        (["diff", "shop", "--target", "http://x/", "--timeout", "nan"], "nan is no number that can be used here"),
    ],
)
def test_wrong_usage_is_explained(aimyproxy, shop, arguments, message):
    """Status 2, one message, on standard error."""
    status, out, err = aimyproxy(*arguments)
    assert (status, out) == (2, "")
    assert message in err


def test_an_edit_becomes_a_mock(aimyproxy, shop, editor):
    """The recording stays as it was; a second edit goes on from the first."""
    before = shop.path.read_bytes()
    editor("Привет", "Здравствуй")
    status, _, err = aimyproxy("edit", "shop", 1)
    assert status == 0
    assert "replay gives this answer in the place of exchange 1" in err
    editor("Здравствуй", "Добрый день")
    assert aimyproxy("edit", "shop", 1)[0] == 0
    ((identity, mock),) = shop.mocks.read()
    assert (identity, mock["event"], mock["from_exchange"]) == (1, "start", 1)
    assert mock["answer"]["greeting"] == "Добрый день"
    assert shop.path.read_bytes() == before
    assert not list(shop.folder.glob("draft-*"))


def test_an_edit_that_changes_nothing_leaves_nothing(aimyproxy, shop, editor):
    """No mock, no draft."""
    editor("nothing", "such")
    assert "Nothing was changed." in aimyproxy("edit", "shop", 1)[2]
    assert [file.name for file in shop.folder.iterdir()] == ["exchanges.json"]


def test_a_text_is_edited_as_text(aimyproxy, shop, editor):
    """And a failure gets the answer that should have come."""
    editor("Oops", "Sorry")
    assert aimyproxy("edit", "shop", 3)[0] == 0
    editor("{}", '{"status": "ok"}')
    assert aimyproxy("edit", "shop", 4)[0] == 0
    first, second = (mock for _, mock in shop.mocks.read())
    assert first == {"event": "start", "text": "<h1>Sorry\x1b[2J</h1>", "from_exchange": 3}
    assert second == {"event": None, "answer": {"status": "ok"}, "from_exchange": 4}


def test_what_was_typed_is_kept_when_it_is_no_json(aimyproxy, shop, editor):
    """The error names the place; the next edit goes on with the draft."""
    editor('"Привет"', "oops")
    status, _, err = aimyproxy("edit", "shop", 1)
    assert status == 2
    assert "draft-1.json:17:15: not valid JSON" in err
    assert "`aimyproxy edit shop 1` goes on with it" in err
    assert shop.mocks.read() == []
    editor("oops", '"Ура"')
    assert aimyproxy("edit", "shop", 1)[0] == 0
    assert shop.mocks.read()[0][1]["answer"]["greeting"] == "Ура"


def test_an_editor_that_cannot_run_is_explained(aimyproxy, shop, monkeypatch):
    """Status 2 and nothing lost."""
    monkeypatch.setenv("VISUAL", 'vim "')
    assert "open quotation mark" in aimyproxy("edit", "shop", 1)[2]
    monkeypatch.setenv("VISUAL", "/nonexistent/editor")
    status, _, err = aimyproxy("edit", "shop", 1)
    assert status == 2
    assert "editor" in err


def test_a_mock_is_written(aimyproxy, shop):
    """With its conditions typed: a number is a number, what is no JSON is a string."""
    status, _, err = aimyproxy(
        *("mock", "shop", "start", "--answer", '{"name": "John"}', "--status", 201, "--delay", 50),
        *("--when", "channelType=telegram", "--when", "$.order.items[0].qty=2", "--note", "try"),
    )
    assert status == 0
    assert "Mock 1 for 'start' saved in" in err
    assert shop.mocks.read() == [
        (
            1,
            {
                "event": "start",
                "when": {"$.channelType": "telegram", "$.order.items[0].qty": 2},
                "status": 201,
                "delay_ms": 50.0,
                "note": "try",
                "answer": {"name": "John"},
            },
        )
    ]
    assert aimyproxy("mock", "shop", "start", "--text", "Привет")[0] == 0
    assert shop.mocks.read()[1] == (2, {"event": "start", "text": "Привет"})
    assert "\n  " in shop.mocks.path.read_text()


def test_a_mock_makes_a_recording_where_there_is_none(aimyproxy, root):
    """One can begin with mocks alone."""
    status, _, err = aimyproxy("mock", "new", "start", "--answer", "{}")
    assert status == 0
    assert "New recording new in" in err
    assert len(Recording(root / "new")) == 0


def test_an_answer_that_is_no_json_is_shown_with_its_place(aimyproxy, shop):
    """Nothing is saved."""
    status, _, err = aimyproxy("mock", "shop", "start", "--answer", '{"a": oops}')
    assert status == 2
    assert err.splitlines()[1:] == ['  {"a": oops}', "        ^ Nothing was saved."]
    assert not shop.mocks.path.exists()


def test_an_answer_can_be_typed_in_an_editor(aimyproxy, shop, editor):
    """What is no JSON stays in a draft."""
    editor("{", '{"a": oops')
    status, _, err = aimyproxy("mock", "shop", "any thing")
    assert status == 2
    assert "draft-mock-any_thing.json:1:7" in err
    editor("oops", "1")
    assert aimyproxy("mock", "shop", "any thing")[0] == 0
    assert shop.mocks.read()[0][1] == {"event": "any thing", "answer": {"a": 1}}


def test_check_finds_nothing_wrong_with_a_good_recording(aimyproxy, shop):
    """Status 0."""
    status, out, err = aimyproxy("check")
    assert (status, out) == (0, "")
    assert err == "shop: fine, 4 exchanges and 0 mocks.\n"


def test_check_names_everything_that_is_wrong(aimyproxy, shop):
    """Not only the first thing; status 1."""
    text = shop.path.read_text()
    text = text.replace('"at":"2026-11-22T10:15:30.123456Z"', '"at":5', 1)
    text = text.replace('"event":"choose"', '"event":"chose"').replace("2026-11-23T10:00:00.000000Z", "noon")
    text = text.replace('"failure":{"kind":"timeout","message":"no answer"},', "")
    shop.path.write_text(text)
    shop.mocks.add({"event": "start", "anwser": {}})
    shop.mocks.add({"event": "start", "answer": {}, "from_exchange": 99})
    (shop.folder / "exchanges.json.torn-1").touch()
    status, out, _ = aimyproxy("check", "shop")
    assert status == 1
    problems = out.splitlines()
    assert "exchange 1: at has to be a time, not 5" in problems[0]
    assert "exchange 2: its event and conversation are not those of its request" in problems[1]
    assert "exchange 3: at is no time: 'noon'" in problems[2]
    assert "exchange 4: it has neither a response nor a failure" in problems[3]
    assert "mock 1: 'anwser' is no member of a mock" in problems[4]
    assert "mock 2: from_exchange is 99, and there is no such exchange" in problems[5]
    assert "torn-1" in problems[6]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda text: text[:-4] + ',\n"5": {"at', "ends in an unfinished line of 9 bytes"),
        (lambda text: text.replace('"event"', "event", 1), "not valid JSON"),
        (lambda text: text.replace('"format":1', '"format":2'), "has format 2, and this aimyproxy reads up to 1"),
        (lambda text: text.replace('"format":1', '"format":"1"'), '"format" has to be a number'),
    ],
)
def test_check_reads_the_file_itself(aimyproxy, shop, change, problem):
    """Torn, broken and newer files are told apart."""
    shop.path.write_text(change(shop.path.read_text()))
    status, out, _ = aimyproxy("check", "shop")
    assert status == 1
    assert problem in out


def test_a_newer_format_is_refused_politely(aimyproxy, shop):
    """By every command that would read it, with what to do; nothing is changed."""
    shop.path.write_text(shop.path.read_text().replace('"format":1', '"format":2'))
    before = shop.path.read_bytes()
    for command in (["show", "shop"], ["show", "shop", "1"], ["list"]):
        status, _, err = aimyproxy(*command)
        assert status == 2
        assert "a later version wrote it. Upgrade aimyproxy" in err
    assert shop.path.read_bytes() == before


def test_broken_mocks_are_reported_with_their_place(aimyproxy, shop):
    """As broken exchanges are."""
    shop.mocks.path.write_text('{"mocks": {\n  oops}}')
    status, out, _ = aimyproxy("check")
    assert status == 1
    assert "mocks.json:2:3: not valid JSON" in out


def test_rm_asks(aimyproxy, shop, monkeypatch):
    """And does nothing unless told."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("n\n"))
    status, _, err = aimyproxy("rm", "shop")
    assert status == 0
    assert "with 4 exchanges and 0 mocks?" in err
    assert shop.path.exists()
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    assert aimyproxy("rm", "shop")[0] == 130
    assert shop.path.exists()
    assert aimyproxy("rm", "shop", "--yes")[0] == 0
    assert not shop.folder.exists()


def test_a_broken_recording_can_be_removed(aimyproxy, shop):
    """That may be why it is."""
    shop.path.write_text("oops")
    assert "contents that can't be read" in aimyproxy("rm", "shop", "--yes")[2]
    assert not shop.folder.exists()


def test_help_names_the_commands_in_the_order_of_use(aimyproxy):
    """Each with a sentence."""
    status, out, _ = aimyproxy("--help")
    assert status == 0
    commands = [line.split()[0] for line in out.partition("Commands:")[2].splitlines() if line]
    assert commands == [
        "demo",
        "record",
        "replay",
        "diff",
        "list",
        "show",
        "edit",
        "mock",
        "explain",
        "check",
        "redact",
        "rm",
    ]


def test_an_interrupt_is_no_crash(aimyproxy, shop, monkeypatch):
    """Status 130."""

    def interrupt(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(list_command, "_row", interrupt)
    assert aimyproxy("list")[0] == 130


@pytest.fixture
def menu(root):
    """A recording in which a price follows from the pizza, a greeting from the name."""
    recording = Recording.create(root / "menu", None)
    for number in range(12):
        pizza, price = (("Маргарита", 490), ("Пепперони", 590), ("Сырная", 650))[number % 3]
        asked = builders.request(name=f"Имя{number}", pizza=pizza, userId=f"u{number}", size=("S", "L")[number % 2])
        answered = builders.response({"price": price, "text": f"Привет, Имя{number}!", "code": f"{number * 7919:x}zz"})
        recording.append(builders.exchange(asked, answered))
    recording.close()
    return recording


LEFT_OUT = "left out for new users, since it may be somebody's own"


def test_explain_tells_what_was_learned(aimyproxy, menu):
    """In words, with the evidence."""
    status, out, _ = aimyproxy("explain", "menu")
    assert status == 0
    assert out.splitlines() == [
        "start: 12 exchanges",
        '  text = "Привет, {name}!" (12 of 12 follow from the others)',
        "  price depends on pizza (12 of 12 follow from the others)",
        "      always 490",
        "      always 590",
        "      always 650",
        f"  code differs without a reason (noise): {LEFT_OUT} (12 values seen)",
    ]


def test_hints_are_kept_with_the_recording(aimyproxy, menu):
    """What is forbidden does not decide; forgetting brings it back."""
    status, out, _ = aimyproxy("explain", "menu", "start", "--forbid", "pizza", "--pin", "size")
    assert status == 0
    assert "depends on pizza" not in out
    assert menu.hints.read() == {"start": {"pin": ["$.size"], "forbid": ["$.pizza"]}}
    assert "depends on size" in aimyproxy("explain", "menu", "start")[1]
    assert "depends on pizza" in aimyproxy("explain", "menu", "start", "--pin", "pizza", "--forbid", "size")[1]
    assert menu.hints.read() == {"start": {"pin": ["$.pizza"], "forbid": ["$.size"]}}
    assert "depends on pizza" in aimyproxy("explain", "menu", "start", "--forget")[1]
    assert menu.hints.read() == {}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing"], "Nothing is recorded of the event 'nothing' in menu, and no mock answers it (there: start)"),
        (["start", "--pin", "$[*"], "is no JSONPath"),
        (["start", "--pin", "$[*]"], "has to lead to one variable"),
        (["--pin", "size"], "need the EVENT"),
        (["start", "--pin", "size", "--forbid", "size"], "$.size is pinned and forbidden: leave out one of them"),
    ],
)
def test_explain_refuses_what_makes_no_sense(aimyproxy, menu, arguments, message):
    """And keeps no such hint."""
    status, _, err = aimyproxy("explain", "menu", *arguments)
    assert status == 2
    assert message in err
    assert not menu.hints.path.exists()


@pytest.mark.parametrize(
    "hints", ['{"start": {"pin": "x"}}', '{"start": {"pun": []}}', '{"start": {"pin": ["x"]}}', "[]"]
)
def test_broken_hints_are_named(aimyproxy, menu, hints):
    """By file."""
    menu.hints.path.write_text(hints)
    status, _, err = aimyproxy("explain", "menu")
    assert status == 2
    assert str(menu.hints.path) in err


def test_a_reader_that_has_read_enough_is_no_trouble(shop):
    """`show shop | true` ends with 0, and says nothing."""
    command = [sys.executable, "-m", "aimyproxy", "show", "shop", "--recordings", str(shop.folder.parent)]
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, check=False)
    os.close(write)
    assert (done.returncode, b"Traceback" in done.stderr) == (0, False)


@pytest.mark.parametrize("name", cli._COMMANDS)
def test_every_option_has_the_environment_variable_that_the_readme_promises(name):
    """AIMYPROXY_, the command, the option."""
    for option in cli.cli.get_command(None, name).params:
        spelled = option.opts[-1]
        if spelled.startswith("--") and spelled != "--recordings":
            promised = f"AIMYPROXY_{name}_{spelled[2:]}".upper().replace("-", "_")
            assert (option.envvar or f"AIMYPROXY_{name}_{option.name}".upper()) == promised


def test_a_containers_version_is_no_option(aimyproxy, shop, monkeypatch):
    """AIMYPROXY_VERSION is what images are tagged with."""
    monkeypatch.setenv("AIMYPROXY_VERSION", "1.2")
    assert aimyproxy("check", "shop")[0] == 0


def test_nothing_typed_is_nothing_saved(aimyproxy, shop, root, editor):
    """Neither a mock nor a recording."""
    editor("nothing", "such")
    for name in ("shop", "other"):
        status, _, err = aimyproxy("mock", name, "start")
        assert status == 0
        assert "Nothing was typed, and nothing saved." in err
    assert shop.mocks.read() == []
    assert not (root / "other").exists()


def test_numbers_of_any_size_stay_what_they_are(aimyproxy, shop):
    """What a person types is not rounded; what is nested without end is refused."""
    assert aimyproxy("mock", "shop", "start", "--answer", '{"id": 123456789012345678901234567890}')[0] == 0
    assert shop.mocks.read()[0][1]["answer"] == {"id": 123456789012345678901234567890}
    status, _, err = aimyproxy("mock", "shop", "start", "--answer", "[" * 1000 + "]" * 1000)
    assert status == 2
    assert "nested too deep" in err


def test_a_comma_too_many_is_named(aimyproxy, shop):
    """It is what deleting the last line by hand leaves; the next record repairs it."""
    lines = shop.path.read_text().splitlines(keepends=True)
    shop.path.write_text("".join(lines[:-2] + lines[-1:]))
    status, out, _ = aimyproxy("check", "shop")
    assert status == 1
    assert "does not end as JSON has to; the next `record` repairs that" in out


def test_a_password_is_not_repeated(aimyproxy):
    """Not even where the URL is wrong."""
    status, _, err = aimyproxy("record", "shop", "--target", "ftp://user:s3cret@host/")
    assert status == 2
    assert "s3cret" not in err
