"""What replay serves after the last recorded answer, and in the place of recorded noise: real processes."""

from __future__ import annotations

import os
import re
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from aimyproxy.store.recording import Recording
from tests.builders import exchange, request, response
from tests.e2e.replays import ask, replaying
from tests.processes import run


@pytest.fixture
def orders(tmp_path):
    """Twelve users who pay once; each gets an order's id, a moment and a code that the webhook made up."""
    recording = Recording.create(tmp_path / "shop", "https://hook.example.com/bot")
    for number in range(12):
        moment = datetime(2026, 1, 1, 10, tzinfo=UTC) + timedelta(minutes=17 * number)
        asked = request({"action": "pay", "userId": f"u{number}", "queryText": "pay", "sum": number})
        code = str(uuid.uuid4())
        made = {"code": code, "at": moment.strftime("%Y-%m-%dT%H:%M:%SZ"), "text": f"Ваш код: {code}"}
        at = moment.strftime("%Y-%m-%dT%H:%M:%S.000000Z")
        recording.append(exchange(asked, response({**asked.body.variables(), **made}), at=at))
    yield recording
    recording.close()


def visits(port, times):
    return [ask(port, queryText="?") for _ in range(times)]


def test_the_last_answer_comes_again_unless_told_otherwise(shop):
    """As ever."""
    with replaying(shop) as (_, port):
        assert [headers["aimyproxy-answer"] for _, headers, _ in visits(port, 4)] == [
            "conversation; exchange=1",
            *["conversation; exchange=2"] * 3,
        ]


def test_the_sequence_may_begin_anew(shop):
    """Also by the environment."""
    with replaying(shop, env={**os.environ, "AIMYPROXY_REPLAY_AFTER_LAST": "cycle"}) as (_, port):
        found = [headers["aimyproxy-answer"] for _, headers, _ in visits(port, 5)]
        assert found == [f"conversation; exchange={number}" for number in (1, 2, 1, 2, 1)]


def test_it_may_end_in_a_miss_that_says_why(shop):
    """To the bot and on the terminal; a mock answers all the same, and another user begins at the first."""
    shop.mocks.add({"event": "start", "when": {"$.queryText": "mock"}, "answer": {"hi": 1}})
    with replaying(shop, "--after-last", "miss") as (process, port):
        found = visits(port, 3)
        assert [status for status, _, _ in found] == [200, 200, 404]
        reason = 'No recorded conversation asked for "start" more than 2 times, and this is time 3 (--after-last miss).'
        assert found[2][2]["error"] == reason
        assert found[2][2]["suggestion"].startswith("--after-last last or cycle would go on answering.")
        process.wait_for(re.escape(reason))
        assert ask(port, queryText="mock")[2] == {"hi": 1}
        assert ask(port, userId="other")[0] == 200
        assert process.stop() == 0


def test_noise_is_served_as_recorded(orders):
    """As long as nobody asks for more."""
    with replaying(orders) as (_, port):
        asked = {"action": "pay", "userId": "u3", "queryText": "pay", "sum": 3}
        assert ask(port, asked)[2] == orders.get(4).response.body.variables()


@pytest.mark.parametrize("number", [3, 500])
def test_noise_may_be_made_anew(orders, number):
    """For those who were recorded and for others: a new UUID, in the text too, and the present time."""
    with replaying(orders, "--fresh") as (process, port):
        asked = {"action": "pay", "userId": f"u{number}", "queryText": "pay", "sum": number}
        answers = [ask(port, asked)[2] for _ in range(3)]
        assert process.stop() == 0
    assert len({answer["code"] for answer in answers}) == 3
    recorded = {one.response.body.variables()["code"] for _, one in orders}
    for answer in answers:
        assert uuid.UUID(answer["code"]).version == 4
        assert answer["code"] not in recorded
        assert answer["text"] == f"Ваш код: {answer['code']}"
        assert abs(datetime.now(UTC) - datetime.fromisoformat(answer["at"])) < timedelta(minutes=5)


def test_fresh_noise_has_to_be_learned(shop):
    """Other matches learn nothing."""
    process = run("replay", "shop", "--recordings", shop.folder.parent, "--fresh", "--match", "exact")
    assert process.process.returncode == 2
    assert "--fresh needs --match learned: what is noise is learned from the recording." in process.stderr[-1]
