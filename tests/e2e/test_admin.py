"""The admin surface of a running replay, asked as a test suite would."""

from __future__ import annotations

import signal

import pytest

from tests.e2e.replays import ask, replaying
from tests.e2e.surface import TOKEN, Surface
from tests.processes import Upstream, answer, answering, free_port, run


@pytest.fixture
def surface(shop):
    """The process, the bot's port and the surface."""
    with replaying(shop, "--admin", "127.0.0.1:0", "--admin-token", TOKEN) as (process, port):
        url = process.wait_for(r"Admin surface on (http://127\.0\.0\.1:\d+)")[1]
        yield process, port, Surface(url)
        assert process.stop(signal.SIGTERM) == 0
    assert TOKEN not in "\n".join(process.stderr)


def test_the_bot_called_order_once_with_these_variables(surface):
    """What a test suite wants to know."""
    _, port, admin = surface
    for event in ("start", "order", "start"):
        ask(port, action=event, pizza="Маргарита")
    status, found = admin("/requests?event=order")
    assert (status, found["total"], len(found["requests"])) == (200, 3, 1)
    [order] = found["requests"]
    assert order["request"]["json"]["pizza"] == "Маргарита"
    assert (order["number"], order["event"], order["response"]["status"]) == (2, "order", 201)
    assert order["response"]["json"]["total"] == 1180.5
    assert admin("/requests/2") == (200, order)


def test_requests_are_filtered(surface):
    """By user, by misses, from a number on, the latest so many."""
    _, port, admin = surface
    ask(port, action="strat", userId="u1")
    ask(port, userId="u2")
    ask(port, userId="u1")

    def numbers(query):
        return [entry["number"] for entry in admin(f"/requests?{query}")[1]["requests"]]

    assert numbers("user=u1") == [1, 3]
    assert numbers("missed=true") == [1]
    assert numbers("missed=false&after=2") == [3]
    assert numbers("limit=1") == [3]
    assert numbers("after=0&limit=2") == [1, 2]
    assert numbers("limit=0") == []
    assert admin("/requests/1")[1]["miss"]["suggestion"].startswith("To answer it: aimyproxy mock shop")


def test_misses_are_grouped_and_forgotten_with_the_journal(surface):
    """What stayed unanswered, and how often."""
    _, port, admin = surface
    for _ in range(2):
        ask(port, action="strat")
    [missed] = admin("/misses")[1]["misses"]
    assert (missed["event"], missed["count"]) == ("strat", 2)
    assert missed["latest"]["nearest"]
    assert admin("/requests", "DELETE") == (200, {})
    assert admin("/misses")[1] == {"misses": [], "others": 0}
    assert admin("/requests")[1] == {"total": 2, "requests": []}


def test_conversations_begin_anew(surface):
    """All of them, or those of one user."""
    _, port, admin = surface

    def visits(user):
        return ask(port, userId=user, channelId="c", queryText="hi")[1]["aimyproxy-answer"]

    first = visits("a")
    assert visits("b") == first
    assert admin("/health")[1]["conversations"] == 2
    assert admin("/conversations?user=a", "DELETE") == (200, {"forgotten": 1})
    assert admin("/health")[1]["conversations"] == 1
    assert admin("/conversations", "DELETE") == (200, {"forgotten": 1})


def test_the_recordings_files_are_loaded_at_once(surface, shop):
    """Or named where they are broken; what was good before answers on."""
    _, port, admin = surface
    shop.mocks.add({"event": "order", "answer": {"mocked": True}})
    status, loaded = admin("/reload", "POST")
    assert (status, loaded["loaded"]) == (200, "3 exchanges, 1 mock, 2 events")
    assert ask(port, action="order")[2]["mocked"] is True
    shop.mocks.path.write_text('{"mocks": {"1": {"event": 1}}}')
    status, refused = admin("/reload", "POST")
    assert status == 422
    assert "mocks.json" in refused["error"]
    assert "What was good before stays in use." in refused["error"]
    assert ask(port, action="order")[2]["mocked"] is True


def test_health_says_what_there_is(surface):
    """Counts, and for how long."""
    _, port, admin = surface
    ask(port, action="strat")
    status, health = admin("/health")
    assert status == 200
    assert health.pop("uptime_s") >= 0
    assert health == {
        "status": "ok",
        "recording": "shop",
        "exchanges": 3,
        "mocks": 0,
        "events": 2,
        "requests": 1,
        "misses": 1,
        "refused": 0,
        "conversations": 1,
    }


@pytest.mark.parametrize(
    ("path", "method", "status", "problem"),
    [
        ("/", "GET", 404, "There is no / here; there are /health, /metrics, /requests"),
        ("/requests/99", "GET", 404, "There is no request 99"),
        ("/requests/1", "DELETE", 405, "DELETE is not possible here"),
        ("/reload", "GET", 405, "GET is not possible here"),
        ("/conversations", "GET", 405, "GET is not possible here"),
        ("/health?x=1", "GET", 400, "'x' is no parameter here; there are: none"),
        ("/requests/1?x=1", "GET", 400, "'x' is no parameter here; there are: none"),
        ("/requests?event=a&event=b", "GET", 400, "A parameter is given twice"),
        ("/requests?evnt=a", "GET", 400, "'evnt' is no parameter here; there are: event, user"),
        ("/requests?missed=yes", "GET", 400, "missed has to be true or false, not 'yes'"),
        ("/requests?after=-1", "GET", 400, "after has to be a number, not '-1'"),
    ],
)
def test_what_cannot_be_done_is_explained(surface, path, method, status, problem):
    """In one sentence."""
    _, _, admin = surface
    got, body = admin(path, method)
    assert got == status
    assert problem in body["error"]


def test_metrics_count_answers_and_misses(surface):
    """By event and status, and how long they took; no journal that is forgotten changes that."""
    _, port, admin = surface
    for event in ("start", "start", "strat"):
        ask(port, action=event)
    admin("/requests", "DELETE")
    found = admin.metrics()
    assert found[("aimyproxy_exchanges_total", "start", "200")] == 2
    assert found[("aimyproxy_exchanges_total", "strat", "404")] == 1
    assert found[("aimyproxy_misses_total",)] == 1
    assert found[("aimyproxy_total_seconds_count",)] == 3
    assert found[("aimyproxy_total_seconds_sum",)] < 3


def test_nobody_else_gets_in(surface):
    """No token, a wrong one, or a page that a browser was lured to under another name."""
    _, _, admin = surface
    for token in ("", "s3cre", "s3cret2"):
        status, body = Surface(admin.url, token)("/requests")
        assert status == 401
        assert "Authorization: Bearer" in body["error"]
    assert Surface(admin.url, "")("/health") == (200, {"ready": True})
    assert admin("/health", host="evil.example.com")[0] == 421
    assert admin("/health", host="127.0.0.1")[0] == 421
    assert admin("/health", host=admin.url.removeprefix("http://").replace("127.0.0.1", "LOCALHOST"))[0] == 200


def test_a_token_is_made_up_and_told(shop):
    """Where the user gave none; the surface is on loopback only."""
    with replaying(shop, "--admin", "0") as (process, _):
        found = process.wait_for(r"Admin surface on (http://127\.0\.0\.1:\d+), token (\S+)$")
        assert len(found[2]) >= 32
        assert Surface(found[1], found[2])("/health")[0] == 200


def test_wrong_use_is_one_sentence(shop):
    """A port in use."""
    with replaying(shop) as (_, port):
        address = ("--admin", f"127.0.0.1:{port}", "--listen", free_port())
        process = run("replay", "shop", "--recordings", shop.folder.parent, *address)
    assert process.process.returncode == 2
    assert process.stderr == [
        f"Error: 127.0.0.1:{port} is in use; stop the other program or choose another address with --admin."
    ]


def test_misses_are_told_at_the_end_though_a_suite_forgot_them(shop):
    """Each event once, with the command that would help, quiet or not."""
    with replaying(shop, "--admin", "0", "--admin-token", TOKEN, "--quiet") as (process, port):
        admin = Surface(process.wait_for(r"Admin surface on (http://127\.0\.0\.1:\d+)")[1])
        for event in ("strat", "pay", "pay"):
            ask(port, action=event)
        assert admin("/requests", "DELETE") == (200, {})
        health = admin("/health")[1]
        assert (health["requests"], health["misses"]) == (3, 3)
        assert process.stop(signal.SIGTERM) == 0
    told = process.stderr[process.stderr.index("Unanswered:") + 1 :]
    command = f"To answer it: aimyproxy mock shop --recordings {shop.folder.parent}"
    assert [line.partition(" --answer")[0] for line in told] == [
        f"  pay, 2 times. {command} pay",
        f"  strat, once. {command} strat",
    ]


def test_a_replay_that_records_tells_how_that_goes(shop):
    """As a record does."""
    options = ("--on-miss", "forward", "--record", "--admin", "0", "--admin-token", TOKEN)
    with Upstream(answering(answer(b"{}"))) as upstream:
        with replaying(shop, *options, "--target", upstream.url) as (process, port):
            ask(port, action="unknown")
            admin = Surface.of(process)
            status, health = admin("/health")
            assert (status, health["status"], health["reason"]) == (200, "recording", "")
            assert (health["recorded"], health["waiting"], health["lost"]) == (1, 0, 0)
            found = admin.metrics()
            assert (found[("aimyproxy_recorded_total",)], found[("aimyproxy_healthy",)]) == (1, 1)
            assert process.stop(signal.SIGTERM) == 0
