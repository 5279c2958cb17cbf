"""Three versions of a webhook that remembers its users, echoes and is noisy: the diff finds what changed, no more."""

from __future__ import annotations

import json
import random
import urllib.request
import uuid
from collections import Counter
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from aimyproxy.exchange import Body
from tests.processes import Upstream, aimyproxy, answer, listening_port, run

NAMES = ["Иван", "Анна", "Пётр", "Ольга", "Яна", "Олег"]
PRICES = {"S": 300, "M": 450, "L": 600}
SCREENS = ("start", "menu", "order", "start", "pay")

CHANGED = {
    1: set(),
    2: {
        ("start", "$.greeting", "changed"),
        ("menu", "$.menu[*]", "added"),
        ("order", "$.cart.price", "changed"),
        ("pay", "$.receipt", "removed"),
    },
    3: {
        ("start", "$.visits", "type"),
        ("order", "$.promo", "added"),
        ("pay", "$.id", "type"),
        ("pay", "status", "changed"),
        ("pay", "$.paid", "removed"),
        ("pay", "$.receipt", "removed"),
    },
}


def start(asked, visits, version):
    hello = "Здравствуйте" if version == 2 else ["Привет", "С возвращением"][visits > 1]
    greeting = f"{hello}, {asked['name']}!"
    return {**asked, "greeting": greeting, "visits": str(visits) if version == 3 else visits}


def menu(asked, _, version):
    items = [{"id": 1, "name": "Маргарита"}, {"id": 2, "name": "Пепперони"}]
    return {**asked, "menu": [{"id": 7, "name": "Новинка"}, *items] if version == 2 else items, "luck": random.random()}


def order(asked, _, version):
    price = PRICES[asked["size"]] + (50 if version == 2 else 0)
    made = {"cart": {"price": price, "token": uuid.uuid4().hex}, "at": datetime.now(UTC).isoformat()}
    return {**asked, **made, **({"promo": "−10%"} if version == 3 else {})}


def pay(_, __, version):
    made = {"id": random.randrange(10**9), "paid": True, "receipt": "https://pay.example.com/r"}
    if version == 3:
        return {"id": "none"}
    return made if version == 1 else {name: value for name, value in made.items() if name != "receipt"}


MAKERS = {"start": start, "menu": menu, "order": order, "pay": pay}


@contextmanager
def webhook(version):
    """A live webhook of this version, which has no user yet."""
    visits = Counter()

    def behave(connection, request):
        asked = Body.of(request.partition(b"\r\n\r\n")[2]).variables()
        event = asked["action"]
        visits[asked["userId"], event] += 1
        made = MAKERS[event](asked, visits[asked["userId"], event], version)
        status = b"402 Payment Required" if (version, event) == (3, "pay") else b"200 OK"
        connection.sendall(answer(json.dumps(made).encode()).replace(b"200 OK", status, 1))
        return True

    with Upstream(behave) as upstream:
        yield upstream.url


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """What a bot did with version 1, recorded live."""
    monkeypatch.setenv("AIMYPROXY_RECORDINGS", str(tmp_path))
    with webhook(1) as url, aimyproxy("record", "shop", "--target", url, "--listen", 0) as process:
        port = listening_port(process)
        for user in range(12):
            held = {"name": NAMES[user % len(NAMES)], "size": "SML"[user % 3]}
            for number, event in enumerate(SCREENS):
                frame = {"action": event, "userId": f"u{user}", "channelId": "c", "channelType": "vk"}
                frame["rawRequest"] = {"message": {"id": user * 100 + number, "text": event}}
                sent = urllib.request.Request(f"http://127.0.0.1:{port}/", json.dumps(held | frame).encode())
                with urllib.request.urlopen(sent, timeout=30) as response:
                    held |= json.load(response)
        assert process.stop() == 0


def found(*arguments):
    """The exit status, and the changes that a diff reports: event, path and kind."""
    ran = run("diff", "shop", *arguments, "--format", "json")
    report = json.loads("\n".join(ran.stdout))
    changes = {
        (change["event"], change["path"] if change["aspect"] == "effect" else change["aspect"], change["kind"])
        for change in report["changes"]
    }
    return ran.process.returncode, changes, {(noise["event"], noise["path"]) for noise in report["noise"]}


NOISE = {("menu", "$.luck"), ("order", "$.cart.token"), ("order", "$.at"), ("pay", "$.id")}


@pytest.mark.parametrize("version", [1, 2, 3])
def test_what_changed_is_found_and_nothing_else(shop, version):
    """Live, asked once and twice, and from a recording of what came back."""
    with webhook(version) as url:
        status, changes, noise = found("--target", url, "--save", "other")
    assert changes == CHANGED[version]
    assert status == bool(changes)
    assert noise == (NOISE - {("pay", "$.id")} if version == 3 else NOISE)
    assert found("other") == (status, changes, noise)
    with webhook(version) as url, webhook(1) as old:
        assert found("--target", url, "--baseline", old)[:2] == (status, changes)


def test_a_candidate_that_counts_what_it_is_asked_differs_from_itself(shop):
    """Asked twice in a row, each visit is two: that hides the count, and is said."""
    with webhook(1) as url:
        status, changes, noise = found("--target", url, "--repeat", "2")
    assert (status, changes) == (0, set())
    assert ("start", "$.visits") in noise
