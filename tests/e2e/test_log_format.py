"""What is said on standard error as JSON: every line, whatever happens."""

from __future__ import annotations

import json
import signal

import pytest

from tests.builders import START
from tests.e2e.replays import replaying
from tests.e2e.surface import Surface
from tests.e2e.test_record import BOT, ECHO, recorder
from tests.processes import Upstream, answer, answering, free_port, post, run

JSON = ("--log-format", "json")


def lines(process):
    """Every line, parsed; those of one kind."""
    parsed = [json.loads(line) for line in process.stderr]
    for one in parsed:
        assert list(one)[:4] == ["at", "level", "kind", "message"]
        assert one["level"] in ("info", "warning", "error")
        assert one["message"]
    return parsed


def of_kind(process, kind):
    return [one for one in lines(process) if one["kind"] == kind]


def test_record_says_all_in_json(tmp_path):
    """Where it listens, each exchange with its fields, refusals, trouble, and what it has added."""
    bot = json.dumps({**START, "action": "Заказ\n\x1b[2J"}).encode()
    options = (*JSON, "--slow", "0", "--rate-limit", "3/h", "--admin", "0", "--admin-token", "s3cret")
    with Upstream(answering(ECHO, answer(b"no", status=b"500 Oops"))) as upstream:
        with recorder(tmp_path, upstream.url, *options) as (process, port):
            post(port, bot)
            post(port, BOT)
            upstream._behave = lambda *_: None
            for _ in range(2):
                post(port, BOT)
            assert process.stop(signal.SIGTERM) == 0
    first, second, third = of_kind(process, "exchange")
    assert first.pop("total_ms") >= first.pop("upstream_ms") > 0
    assert first.pop("message").startswith("1 ")
    del first["at"]
    assert first == {
        "level": "warning",
        "kind": "exchange",
        "id": 1,
        "recorded": "recorded",
        "event": "Заказ\n\x1b[2J",
        "channel": "telegram",
        "user": "telegram-40112-pizza-635678009",
        "status": 200,
        "failure": None,
        "slow": True,
    }
    assert (second["status"], second["event"]) == (500, "start")
    assert (third["status"], third["failure"], third["level"]) == (None, "disconnect", "error")
    [started] = of_kind(process, "started")
    assert started["url"] == f"http://127.0.0.1:{port}"
    assert (started["target"], started["recording"]) == (upstream.url, "shop")
    assert [one["url"] for one in of_kind(process, "admin")]
    assert [(one["level"], one["count"]) for one in of_kind(process, "refused")] == [("warning", 1), ("info", 1)]
    [summary] = of_kind(process, "summary")
    assert (summary["recorded"], summary["failed"], summary["conversations"]) == (3, 1, 1)
    assert summary["events"] == {"Заказ\n\x1b[2J": 1, "start": 2}


def test_replay_says_all_in_json(shop):
    """Each answer with its fields; a miss with its explanation; what was asked in all."""
    with replaying(shop, *JSON, "--fault", "pay=500") as (process, port):
        for event in ("start", "unknown"):
            post(port, json.dumps({**START, "action": event}).encode())
        assert process.stop(signal.SIGTERM) == 0
    answered, missed = of_kind(process, "answer")
    assert (answered["number"], answered["event"], answered["status"], answered["source"]) == (
        1,
        "start",
        200,
        "exact #1",
    )
    assert (answered["missed"], answered["level"]) == (False, "info")
    assert (missed["missed"], missed["level"], missed["status"]) == (True, "warning", 404)
    assert any("aimyproxy mock" in line for line in missed["details"])
    [summary] = of_kind(process, "summary")
    assert (summary["requests"], summary["sources"]) == (2, {"exact": 1, "miss": 1})
    [faults] = of_kind(process, "warning")
    assert faults["details"] == ["The recording has no event 'pay'."]
    [unanswered] = [one for one in lines(process) if one["message"] == "Unanswered:"]
    assert unanswered["details"][0].startswith("unknown, once.")


def test_no_token_is_made_up_for_a_log(shop):
    """Collectors keep it, and many read it: without one that is given, there is health for probes."""
    with replaying(shop, *JSON, "--admin", "0") as (process, _):
        url = process.wait_for(r"Admin surface on (http://[\d.:]+), for GET /health alone")[1]
        assert Surface(url, "")("/health") == (200, {"ready": True})
        assert process.stop(signal.SIGTERM) == 0
    [admin] = of_kind(process, "admin")
    assert admin["message"].endswith("a log is no place for a token, give --admin-token.")


@pytest.mark.parametrize(
    ("options", "status", "problem"),
    [
        (("--log-format", "json", "--timeout", "soon"), 2, "'soon' is not a valid float"),
        (("--timeout", "soon", "--log-format", "json"), 2, "'soon' is not a valid float"),
        (("--log-format", "json", "--admin-token", "x"), 2, "--admin-token is for --admin"),
        (("--log-format", "json", "--listen", "192.0.2.1:0"), 2, "is no address of this machine"),
    ],
)
def test_why_a_command_can_not_begin_is_said_in_json_too(tmp_path, options, status, problem):
    """Wrong usage and trouble, in whatever order the options come."""
    where = ("--recordings", tmp_path, "--listen", free_port())
    process = run("record", "shop", "--target", "http://127.0.0.1:1", *where, *options)
    assert process.process.returncode == status
    *others, error = lines(process)
    assert all(one["kind"] == "warning" for one in others)
    assert (error["kind"], error["level"], error["status"]) == ("error", "error", status)
    assert problem in error["message"]
