"""What a bot would have asked, had it been answered by the candidate from the beginning."""

from __future__ import annotations

import json
import re

from hypothesis import given
from hypothesis import strategies as st

from aimyproxy.diff.chain import Drift
from aimyproxy.exchange import Body, Failure
from tests import builders
from tests.processes import Upstream, answer

NAMES = st.sampled_from(["a", "b", "c", "d"])
SCRIPTS = st.lists(st.tuples(st.sampled_from(["start", "menu"]), st.dictionaries(NAMES, st.integers(0, 3))), max_size=6)


def version(table):
    """A webhook that copies, sets and counts: what it does with each variable is in the table, by event."""

    def answered(asked):
        made = {}
        for name, (how, value) in table.get(asked["action"], {}).items():
            if how == "set":
                made[name] = f"by webhook {value}"
            elif how == "copy" and value in asked:
                made[name] = asked[value]
            elif how == "text":
                made[name] = f"{asked.get(value)}!"
        return made

    return answered


HOWS = st.one_of(st.tuples(st.just("set"), st.integers(0, 2)), st.tuples(st.sampled_from(["copy", "text"]), NAMES))
VERSIONS = st.dictionaries(st.sampled_from(["start", "menu"]), st.dictionaries(NAMES, HOWS)).map(version)


def talk(script, webhook):
    """What a bot asks that merges what it is answered, and sets variables of its own, to values that are only its."""
    held = {}
    for number, (event, own) in enumerate(script):
        held |= {name: f"by bot {number}.{value}" for name, value in own.items()}
        asked = {**held, "action": event, "userId": "u1"}
        made = webhook(asked)
        yield builders.exchange(builders.Request("POST", "/", (), Body("json", asked)), builders.response(made))
        held |= made


@given(SCRIPTS, VERSIONS, VERSIONS)
def test_the_requests_are_those_of_a_bot_with_the_other_webhook(script, old, new):
    """Whatever both versions do."""
    drift, sent = Drift(), []
    for exchange in talk(script, old):
        asked, altered = drift.followed(exchange)
        variables = asked.request.body.variables()
        sent.append(variables)
        assert bool(altered) == (variables != exchange.request.body.variables())
        drift.add(exchange, builders.exchange(asked.request, builders.response(new(variables))))
    assert sent == [exchange.request.body.variables() for exchange in talk(script, new)]


def test_what_is_no_object_and_no_answer_changes_nothing():
    """The request stays the very same."""
    page = builders.exchange(builders.Request("POST", "/", (), Body("text", "hi")), builders.response({"a": 1}))
    drift = Drift()
    drift.add(
        builders.exchange(answered=builders.response({"a": 1})), builders.exchange(failure=Failure("timeout", ""))
    )
    assert drift.followed(page) == (page, frozenset())
    asked = builders.exchange(builders.request(a=1))
    assert drift.followed(asked)[1] == {"a"}
    assert "a" not in drift.followed(asked)[0].request.body.variables()


def shop(greeting, *, step=0, more=None):
    """A live webhook of two screens, whose second one repeats what the first one said, with a number if it has a step.

    Asked again, the number is another one by that step.
    """

    def behave(connection, request):
        asked = Body.of(request.partition(b"\r\n\r\n")[2]).variables()
        made = {"text": f"{asked.get('greeting')} Что дальше?", **(more or {})}
        if asked["action"] == "start":
            made = {"greeting": greeting}
        if step:
            made["n"] = 5000 + step * len(upstream.requests)
        connection.sendall(answer(json.dumps(made).encode(), b"X-Version: " + greeting[-1:].encode()))
        return True

    upstream = Upstream(behave)
    return upstream


def recorded(aimyproxy, root, webhook):
    """Ten conversations of both screens with this webhook."""
    from aimyproxy.store.recording import Recording

    asked = Recording.create(root / "asked", None)
    for user in range(10):
        for event in ("start", "menu"):
            held = {"greeting": "Hi 1"} if event == "menu" else {}
            asked.append(builders.exchange(builders.request(userId=f"u{user}", action=event, **held)))
    asked.close()
    aimyproxy("diff", "asked", "--target", webhook.url, "--save", "old")


def test_a_chain_shows_consequences(aimyproxy, root):
    """Without it, the second screen is asked what was recorded; with it, the change comes through, and is named so."""
    with shop("Hi 1") as old, shop("Hi 2") as new:
        recorded(aimyproxy, root, old)
        status, out, _ = aimyproxy("diff", "old", "--target", new.url)
        assert (status, out.splitlines()[0]) == (1, "10 of 20 answers differ, in 1 of 2 events.")
        status, out, _ = aimyproxy("diff", "old", "--target", new.url, "--chain")
    assert out.splitlines()[0] == "20 of 20 answers differ, in 2 of 2 events."
    lines = [re.sub(r"exchanges [\d, …]*", "exchanges", line) for line in out.splitlines()]
    consequence = 'menu: $.text "Hi 1 Что дальше?" → "Hi 2 Что дальше?" (10 of 10)  exchanges'
    assert f"{consequence}a consequence of earlier changes" in lines
    assert 'start: $.greeting "Hi 1" → "Hi 2" (10 of 10)  exchanges' in lines


def test_a_change_of_its_own_is_no_consequence(aimyproxy, root):
    """Though an earlier one had changed the request: the candidate is asked what was recorded, too."""
    with shop("Hi 1") as old, shop("Hi 2", more={"hint": "!"}) as new:
        recorded(aimyproxy, root, old)
        out = aimyproxy("diff", "old", "--target", new.url, "--chain")[1]
        assert len(new.requests) == 30
    hint, text = (next(line for line in out.splitlines() if line.startswith(f"menu: $.{name}")) for name in ("h", "t"))
    assert "consequence" not in hint
    assert text.endswith("a consequence of earlier changes")


def test_noise_has_no_consequences(aimyproxy, root):
    """A number that is another one each time goes into the next request, as a bot would send it: that is no change."""
    # One goes up and the other down: whatever the order of the requests, they have nothing to do with each other.
    with shop("Hi 1", step=-7) as old, shop("Hi 1", step=13) as new:
        recorded(aimyproxy, root, old)
        status, out, _ = aimyproxy("diff", "old", "--target", new.url, "--chain")
        assert (status, out.splitlines()[0]) == (0, "No differences, noise aside: 20 answers compared.")
        assert "consequence" not in out


def test_two_live_versions(aimyproxy, root):
    """Both are asked now; what was recorded counts for nothing."""
    with shop("Hi 1") as old, shop("Hi 2") as new, shop("Hi 3") as newest:
        recorded(aimyproxy, root, old)
        live = ("--target", newest.url, "--baseline", new.url)
        status, out, _ = aimyproxy("diff", "old", *live)
        assert status == 1
        assert 'start: $.greeting "Hi 2" → "Hi 3" (10 of 10)' in out
        assert len(new.requests) == len(newest.requests) == 20
        assert aimyproxy("diff", "old", "--target", newest.url, "--baseline", newest.url)[0] == 0
        assert json.loads(aimyproxy("diff", "old", *live, "--format", "json")[1])["baseline"] == new.url


def test_a_baseline_that_is_dead_is_trouble(aimyproxy, root):
    """One sentence."""
    with shop("Hi 1") as old:
        recorded(aimyproxy, root, old)
        status, out, err = aimyproxy("diff", "old", "--target", old.url, "--baseline", "http://127.0.0.1:9/")
    assert (status, out) == (2, "")
    assert "can't be reached: Connection refused." in err


def test_headers_and_whole_bodies_are_compared_if_wanted(aimyproxy, root):
    """By name, in any case; an echo counts as part of a body."""
    with shop("Hi 1") as old, shop("Hi 2") as new:
        recorded(aimyproxy, root, old)
        aimyproxy("diff", "asked", "--target", new.url, "--save", "new")
    out = aimyproxy("diff", "old", "new", "--header", "x-VERSION", "--header", "X-Other", "--event", "menu")[1]
    assert 'menu: header x-version "1" → "2" (10 of 10)' in out
    assert aimyproxy("diff", "old", "new", "--event", "menu")[0] == 0
    found = json.loads(aimyproxy("diff", "old", "new", "--header", "x-version", "--format", "json")[1])["changes"]
    assert ["header", "x-version"] in [[change["aspect"], change["path"]] for change in found]


def test_an_echo_is_part_of_a_whole_body(aimyproxy, root):
    """For the bot it changes nothing; for who wants to know, it does."""
    from aimyproxy.store.recording import Recording

    for name, made in (("old", {"city": "Тверь"}), ("new", {})):
        recording = Recording.create(root / name, None)
        recording.append(builders.exchange(builders.request(city="Тверь"), builders.response(made)))
        recording.close()
    assert aimyproxy("diff", "old", "new")[0] == 0
    status, out, _ = aimyproxy("diff", "old", "new", "--full")
    assert (status, 'start: $.city removed "Тверь" (1 of 1)' in out) == (1, True)


def test_each_pair_with_what_was_asked(aimyproxy, root):
    """As text, behind the summary."""
    with shop("Hi 1") as old, shop("Hi 2") as new:
        recorded(aimyproxy, root, old)
        out = aimyproxy("diff", "old", "--target", new.url, "--verbose", "--user", "u3", "--chain")[1]
    start = r'exchange \d+: start\n  asked: {.*}\n  \$\.greeting "Hi 1" → "Hi 2"'
    assert re.search(rf"\n\n{start}\n\nexchange \d+: menu\n", out)
    assert '"userId": "u3"' in out
    assert "rawRequest" not in out
