"""`aimyproxy record --shadow`: what a candidate would have answered to live traffic."""

from __future__ import annotations

import json
import signal
import threading
import urllib.request

import pytest

from aimyproxy.cli.record_screen import Behind, Screen
from aimyproxy.diff import shadow
from aimyproxy.diff.shadow import Shadow
from aimyproxy.exchange import Body
from aimyproxy.keeping.keeper import Keeper
from aimyproxy.store.recording import Recording
from aimyproxy.target import Target
from tests import builders
from tests.processes import Upstream, aimyproxy, answer, eventually, free_port, listening_port, run


@pytest.fixture
def root(tmp_path, monkeypatch):
    """The folder of recordings that the commands use."""
    monkeypatch.setenv("AIMYPROXY_RECORDINGS", str(tmp_path))
    return tmp_path


def hook(greeting, gate=None):
    """A webhook that greets by name; with a gate, as soon as that is open."""

    def behave(connection, request):
        asked = Body.of(request.partition(b"\r\n\r\n")[2]).variables()
        if gate:
            gate.wait(30)
        connection.sendall(answer(json.dumps({"greeting": f"{greeting}, {asked['name']}!"}).encode()))
        return True

    return Upstream(behave)


def ask(port, user, event="start"):
    """What the bot gets."""
    asked = {"action": event, "userId": user, "channelId": "c", "channelType": "vk", "name": f"Имя {user}"}
    sent = urllib.request.Request(f"http://127.0.0.1:{port}/", json.dumps(asked).encode(), method="POST")
    with urllib.request.urlopen(sent, timeout=30) as response:
        return json.load(response)["greeting"]


def test_a_shadow_answers_the_same_requests(root):
    """The bot gets the webhook's answers; what the candidate says is a recording that a diff compares."""
    with hook("Hi") as live, hook("Hello") as candidate:
        command = ("record", "shop", "--target", live.url, "--shadow", candidate.url, "--listen", 0)
        with aimyproxy(*command) as process:
            port = listening_port(process)
            assert [ask(port, f"u{n % 3}") for n in range(6)] == [f"Hi, Имя u{n % 3}!" for n in range(6)]
            assert process.stop() == 0
        assert len(candidate.requests) == 6
        assert all(b"\r\nAimyproxy-Replay: 1\r\n" in request for request in candidate.requests)
        assert not any(b"Aimyproxy-Replay" in request for request in live.requests)
    assert "The shadow answered 6 requests. Compare: aimyproxy diff shop shop@shadow" in process.stderr
    made = sorted(exchange.made_from for _, exchange in Recording(root / "shop@shadow"))
    assert made == [("shop", n) for n in range(1, 7)]
    found = run("diff", "shop", "shop@shadow")
    assert found.process.returncode == 1
    assert found.stdout[0] == "6 of 6 answers differ, in 1 of 1 event."


def test_a_shadow_that_hangs_delays_nobody(root):
    """All of the bot's requests are answered while the candidate answers none."""
    gate = threading.Event()
    with hook("Hi") as live, hook("Hello", gate) as candidate:
        command = ("record", "shop", "--target", live.url, "--shadow", candidate.url, "--listen", 0)
        with aimyproxy(*command) as process:
            port = listening_port(process)
            assert all(ask(port, f"u{n}").startswith("Hi") for n in range(30))
            assert len(Recording(root / "shop@shadow")) == 0
            gate.set()
            assert process.stop() == 0
    assert "The shadow answered 30 requests." in "\n".join(process.stderr)


def test_further_signals_end_the_waiting_for_copies_and_cut_nothing_off(root):
    """However many come and whenever: what was recorded is told, and the status is 0."""
    gate = threading.Event()
    with hook("Hi") as live, hook("Hello", gate) as candidate:
        command = ("record", "shop", "--target", live.url, "--shadow", candidate.url, "--listen", 0)
        with aimyproxy(*command) as process:
            ask(listening_port(process), "u1")
            eventually(lambda: candidate.requests, "a copy that waits for its answer")

            def ended():
                process.process.send_signal(signal.SIGTERM)
                return process.process.poll() is not None

            eventually(ended, "the end", seconds=15)
            assert process.finished() == 0
        gate.set()
    assert "The shadow answered 0 requests; 1 request dropped" in process.stderr[-2]
    assert process.stderr[-1].startswith("Recorded 1 exchange ")


def test_a_dead_shadow_is_told_once(root):
    """Nothing else happens: the recording is whole, the status 0, and no empty recording is left."""
    with hook("Hi") as live:
        dead = f"http://127.0.0.1:{free_port()}/"
        with aimyproxy("record", "shop", "--target", live.url, "--shadow", dead, "--listen", 0) as process:
            port = listening_port(process)
            assert [ask(port, "u1") for _ in range(3)] == ["Hi, Имя u1!"] * 3
            assert process.stop() == 0
    told = f"The shadow {dead} can't be reached: Connection refused."
    assert [line for line in process.stderr if line == told] == [told]
    assert "The shadow answered 0 requests; 3 requests did not get through." in process.stderr
    assert len(Recording(root / "shop")) == 3
    assert not (root / "shop@shadow").exists()


def keeping(recording):
    return Keeper(recording, Behind(Screen(recording, slow=1))).keep


def test_what_has_no_room_is_dropped_and_counted(root, monkeypatch):
    """Pairs are found all the same: each answer says which request it belongs to."""
    monkeypatch.setattr(shadow, "_MOST", 2)
    gate, troubles = threading.Event(), []
    live = Recording.create(root / "shop", None)
    for number in range(1, 7):
        asked = builders.request(userId="u1", name=f"N{number}")
        live.append(builders.exchange(asked, builders.response({"greeting": f"Hi, N{number}!"})))
    exchanges = dict(live)
    live.close()
    kept = Recording.create(root / "shop@shadow", None)
    with hook("Hi", gate) as candidate:
        copies = Shadow(Target.parse(candidate.url), keeping(kept), "shop", troubles.append)
        with copies.running():
            for number in (1, 2, 3, 4):
                copies.put(number, exchanges[number])
            gate.set()
            eventually(lambda: copies.sent == 2, "two answers")
            copies.put(6, exchanges[6])
    kept.close()
    assert (copies.sent, copies.dropped, copies.unsent, troubles) == (3, 2, 0, [])
    found = run("diff", "shop", "shop@shadow")
    assert found.stdout[0] == "No differences: 3 answers compared. 3 exchanges without a partner."


def test_a_shadow_that_never_answers_is_given_up(root):
    """What it was asked is dropped; the end comes all the same."""
    gate = threading.Event()
    kept = Recording.create(root / "kept", None)
    with hook("Hi", gate) as candidate:
        copies = Shadow(Target.parse(candidate.url), keeping(kept), "shop", print, timeout=0.2)
        with copies.running():
            for number in range(1, 41):
                copies.put(number, builders.exchange(builders.request(userId="u1", name="N")))
        gate.set()
    failures = [exchange.failure.kind for _, exchange in kept]
    kept.close()
    assert set(failures) == {"timeout"}
    assert copies.sent == len(failures) > 0
    assert copies.dropped == 40 - copies.sent > 0
