"""Options that do nothing without another one, or contradict one: refused in a sentence, before anything is begun."""

from __future__ import annotations

import json

import pytest

from aimyproxy import sockets
from aimyproxy.errors import ListenError

RECORD = ("record", "new", "--target", "http://127.0.0.1:1", "--listen", "0")
REPLAY = ("replay", "shop", "--listen", "0")
FORWARD = ("--on-miss", "forward", "--target", "https://127.0.0.1:1")


@pytest.fixture(autouse=True)
def deaf(monkeypatch):
    """Nothing listens: what is not refused would go on until a signal."""

    def refuse(*_):
        raise ListenError("nothing refused it")

    monkeypatch.setattr(sockets, "listening_socket", refuse)
    monkeypatch.setattr("aimyproxy.mockserver.server.listening_socket", refuse)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ((*RECORD, "--shadow-header", "X-Copy"), "--shadow-header marks the copies of --shadow"),
        ((*RECORD, "--shadow-header", ""), "--shadow-header marks the copies of --shadow"),
        ((*RECORD, "--strict", "--hold", "1"), "--hold lets exchanges wait, and with --strict none may"),
        ((*RECORD, "--admin-token", "x"), "--admin-token is for --admin: give that, too"),
        ((*RECORD, "--key", __file__), "--key needs --cert"),
        ((*RECORD, "--ca", __file__, "--insecure"), "--insecure verifies nothing"),
        ((*RECORD, "--redact", "personal", "--no-redact"), "--redact and --no-redact contradict each other"),
        ((*REPLAY, "--admin-token", "x"), "--admin-token is for --admin: give that, too"),
        ((*REPLAY, "--key", __file__), "--key needs --cert"),
        ((*REPLAY, "--target", "http://x/"), "--target is for --on-miss forward"),
        ((*REPLAY, "--insecure"), "--insecure is for --on-miss forward"),
        ((*REPLAY, "--ca", __file__), "--ca"),
        ((*REPLAY, "--record"), "--record is for --on-miss forward"),
        ((*REPLAY, "--on-miss", "forward"), "--on-miss forward needs --target"),
        ((*REPLAY, *FORWARD, "--hold", "1"), "--hold is for what --record adds to the recording"),
        ((*REPLAY, *FORWARD, "--strict"), "--strict is for what --record adds to the recording"),
        ((*REPLAY, *FORWARD, "--redact", "personal"), "--redact is for what --record adds to the recording"),
        ((*REPLAY, *FORWARD, "--no-redact"), "--no-redact is for what --record adds to the recording"),
        ((*REPLAY, *FORWARD, "--record", "--strict", "--hold", "1"), "--hold lets exchanges wait"),
        (
            (*RECORD[:3], "http://localhost:8080/x", "--listen", "8080"),
            "--target http://localhost:8080/x is where aimyproxy itself listens",
        ),
        ((*RECORD[:4], "--listen", ":99", "--shadow", "http://127.0.0.1:99"), "--shadow http://127.0.0.1:99 is where"),
        ((*REPLAY[:2], "--listen", "1", "--on-miss", "forward", "--target", "http://127.0.0.1:1"), "--target http://1"),
        ((*REPLAY, "--fresh", "--match", "exact"), "--fresh needs --match learned"),
        ((*REPLAY, "--workers", "2", *FORWARD, "--record"), "--record needs a single worker, since one process"),
        ((*REPLAY, "--workers", "2", "--admin", "0"), "--admin needs a single worker, since it would know"),
        ((*REPLAY, "--workers", "2", "--seed", "1"), "--seed needs a single worker, since each process throws"),
        (
            ("diff", "shop", "shop", "--timeout", "5"),
            "--timeout is about how a webhook is asked: it needs --target URL",
        ),
        (("diff", "shop", "shop", "--concurrency", "8"), "--concurrency is about how a webhook is asked"),
        (("diff", "shop", "shop", "--rate", "8"), "--rate is about how a webhook is asked"),
        (("diff", "shop", "shop", "--replay-header", "X"), "--replay-header is about how a webhook is asked"),
        (("diff", "shop", "shop", "--baseline", "http://x/"), "--baseline is about how a webhook is asked"),
        (("diff", "shop", "shop", "--insecure"), "--insecure is about how a webhook is asked"),
        (("diff", "shop", "--target", "http://x/", "--redact", "personal"), "--redact is about what is saved"),
        (("diff", "shop", "shop", "--ignore", "$.a", "--only", "$.a"), "$.a: ignore and only contradict each other"),
        (("show", "shop", "1", "--event", "start"), "--event chooses among all exchanges: leave it out, or the ID."),
        (("show", "shop", "1", "--failed"), "--failed chooses among all exchanges: leave it out, or the ID."),
    ],
)
def test_an_option_that_would_do_nothing_is_refused(aimyproxy, shop, root, arguments, problem):
    """As the only thing that is said, without a warning before."""
    status, out, err = aimyproxy(*arguments)
    assert (status, out) == (2, "")
    usage, said = err[: err.index("Error: ")], err[err.index("Error: ") :]
    assert said.startswith(f"Error: {problem}")
    assert said.count("\n") == 1
    assert all(line.startswith(("Usage: ", "Try ", "  ")) or not line for line in usage.splitlines())
    assert not (root / "new").exists()


def test_a_variable_counts_as_the_option_does(aimyproxy, shop, monkeypatch):
    """And an empty one as none."""
    monkeypatch.setenv("AIMYPROXY_REPLAY_ADMIN_TOKEN", "x")
    assert "--admin-token is for --admin" in aimyproxy(*REPLAY)[2]
    monkeypatch.setenv("AIMYPROXY_REPLAY_ADMIN_TOKEN", "")
    assert "nothing refused it" in aimyproxy(*REPLAY)[2]


@pytest.mark.parametrize("token", ["ключ", "", " ", "two words", "x" * 1001, "new\nline", "\x7f", "\x85"])
@pytest.mark.parametrize("command", [RECORD, REPLAY])
def test_a_token_that_nobody_could_send_is_refused(aimyproxy, shop, command, token):
    """In a sentence that does not repeat it."""
    status, _, err = aimyproxy(*command, "--admin", "0", "--admin-token", token)
    assert status == 2
    assert "Error: Invalid value for '--admin-token': a token is 1 to 1,000 letters" in err
    assert len(token) < 2 or token not in err


@pytest.mark.parametrize(
    "value", ["X-Key: ключ", "X-Key:", "X-Key", "X-Key: a\tb", "Ключ: x", f"X-Key: {'x' * 1001}", ""]
)
def test_a_header_that_nobody_could_send_is_refused(aimyproxy, shop, value):
    """In a sentence that does not repeat it."""
    status, _, err = aimyproxy(*REPLAY, "--require-header", value)
    assert status == 2
    assert err.startswith("Error: --require-header: write a header's name, a colon and a value in ASCII")


@pytest.mark.parametrize("path", ["/ключ", "", "/", "/a b", "/a%20b", "/a/../b", "/a//b", f"/{'x' * 1000}"])
def test_a_path_that_would_be_spelled_in_several_ways_is_refused(aimyproxy, shop, path):
    """In a sentence that does not repeat it."""
    status, _, err = aimyproxy(*REPLAY, "--secret-path", path)
    assert status == 2
    assert err.startswith("Error: --secret-path: write a path of letters, digits")


@pytest.mark.parametrize(
    ("arguments", "variable"),
    [
        (("record", "new", "--bogus", "--log-format", "json"), None),
        (("record", "new", "--log-format=json", "--bogus"), None),
        (("record", "--log-format", "text", "--log-format", "json"), None),
        (("replay", "shop", "--bogus"), "AIMYPROXY_REPLAY_LOG_FORMAT"),
        (("nonsense", "--log-format", "json"), None),
        (("diff", "--log-format", "json"), None),
    ],
)
def test_what_is_wrong_with_a_command_line_is_json_where_logs_are(aimyproxy, shop, monkeypatch, arguments, variable):
    """Even what the parser stumbles upon: whoever collects the log reads that, too."""
    if variable:
        monkeypatch.setenv(variable, "json")
    status, out, err = aimyproxy(*arguments)
    assert (status, out) == (2, "")
    said = json.loads(err)
    assert (said["level"], said["kind"], said["status"]) == ("error", "error", 2)
    assert said["message"].startswith("Error: ")


def test_a_mistake_of_ours_is_one_line_of_json_too(aimyproxy, shop, monkeypatch):
    """With where it was made; people get the traceback."""

    def mistaken(*_):
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(sockets, "leads_to", mistaken)
    status, out, err = aimyproxy(*REPLAY, *FORWARD, "--log-format", "json")
    said = json.loads(err)
    assert (status, out, said["level"], said["status"]) == (2, "", "error", 2)
    assert said["message"].startswith("Error: ZeroDivisionError: a bug (test_option_pairs.py:")
    assert any("mistaken" in line for line in said["details"])
    with pytest.raises(ZeroDivisionError):
        aimyproxy(*REPLAY, *FORWARD)


@pytest.mark.parametrize(
    "arguments",
    [
        ("record", "--log-format", "json", "--log-format", "text"),
        ("record", "--log-format", "yaml"),
        ("record", "json"),
    ],
)
def test_else_it_is_text(aimyproxy, arguments):
    """As people read it."""
    assert "Error: " in aimyproxy(*arguments)[2].splitlines()[-1]
