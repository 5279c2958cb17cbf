"""No secret reaches a disk, a log or a screen, whatever commands are run."""

from __future__ import annotations

import base64
import json
import re

import pytest

from aimyproxy.store.recording import Recording
from tests.e2e.surface import TOKEN, Surface
from tests.processes import Upstream, aimyproxy, answer, eventually, free_port, listening_port, post, run
from tests.redaction.planting import leaked

CHANNELS = {
    "chatwidget": lambda secret: {"token": secret, "clientId": "9f2c"},
    "vk": lambda secret: {"secret": secret, "object": {"message": {"from_id": 612444319}}},
    "yandex": lambda secret: {"session": {"user": {"access_token": secret}}},
}
SECRETS = {
    "bearer": "brr-8Fj2kLq0ZxW1",
    "cookie": "ck1-Yt5Rr3Qq9PpA",
    "key": "key-M3nN4bB5vV6c",
    "query": "qry-A9sS8dD7fF6g",
    "set-cookie": "set-Z1xX2cC3vV4b",
    "user": "bot-user-name-17",
    "password": "pw0:K7jJ6hH5gG4f",
    "target": "tgt-P0oO9iI8uU7y",
    "shadow": "shd-L2kK3jJ4hH5g",
    "answer": "ans-Q1wW2eE3rR4t",
    "header": "hdr-W2eE3rR4tT5y",
    "path": "/pth-E3rR4tT5yY6u",
    "chatwidget": "GNVXJdeo:0123456789abcdef",
    "vk": "s3cr3t-of-vk-42",
    "yandex": "AgAAAAAB4vpb-fake",
}
PHONE = "79991234567"


def webhook():
    """A webhook that echoes all it gets, headers and the request line too, and hands out secrets of its own."""

    def behave(connection, request):
        head, _, body = request.partition(b"\r\n\r\n")
        if b"hang up" in body:
            return False
        if b"nonsense" in body:
            connection.sendall(b"HTTP/9 " + SECRETS["target"].encode() + b" is no status\r\n\r\n")
            return False
        if b"page" in body:
            connection.sendall(answer(b"<h1>" + head + b"</h1>\xff", status=b"500 Oops"))
            return True
        if not body.startswith(b"{"):
            connection.sendall(answer(body))
            return True
        made = {"password": SECRETS["answer"], "seen": head.decode("latin-1"), "again": base64.b64encode(head).decode()}
        echo = json.dumps({**json.loads(body), **made}).encode()
        cookie = f"Set-Cookie: sid={SECRETS['set-cookie']}; Path=/".encode()
        connection.sendall(answer(echo, cookie, b"X-Seen: " + head.splitlines()[0]))
        return True

    return Upstream(behave)


def headers(**more):
    given = {
        "Authorization": f"Bearer {SECRETS['bearer']}",
        "Cookie": f"a=1; sid={SECRETS['cookie']}",
        "X-Api-Key": SECRETS["key"],
        "X-Gate": SECRETS["header"],
        **more,
    }
    return "".join(f"{name}: {value}\r\n" for name, value in given.items()).encode()


def talk(port, name="Иван", heard=("set-cookie",)):
    """A bot that says everything, and repeats what it has heard of secrets."""
    for channel, raw in CHANNELS.items():
        for action in ("start", "page", "hang up", "nonsense"):
            variables = {
                "action": action,
                "userId": f"{channel}-40112-pizza-{PHONE}",
                "channelId": "40112-pizza-1",
                "channelType": channel,
                "name": name,
                "phone": PHONE,
                "rawRequest": raw(SECRETS[channel]),
                "log": " ".join(SECRETS[one] for one in (channel, "bearer", "target", "header", "path", *heard)),
            }
            path = f"{SECRETS['path']}/more?token={SECRETS['query']}&next={SECRETS['key']}"
            post(port, json.dumps(variables).encode(), path, headers())
    post(port, b"\xfftoken=" + SECRETS["query"].encode(), SECRETS["path"], headers())


def guarded():
    """Options that let in only who knows a header and a path."""
    return ["--require-header", f"X-Gate: {SECRETS['header']}", "--secret-path", SECRETS["path"]]


def url(upstream, secret):
    return f"http://{SECRETS['user']}:{SECRETS['password']}@127.0.0.1:{upstream.port}/bot?token={secret}&v=2"


@pytest.fixture
def root(tmp_path, monkeypatch):
    """The folder of recordings that the commands use."""
    monkeypatch.setenv("AIMYPROXY_RECORDINGS", str(tmp_path / "recordings"))
    return tmp_path / "recordings"


def assert_clean(root, *processes, personal=()):
    texts = {"screen": "\n".join(line for one in processes for line in (*one.stdout, *one.stderr)).encode()}
    texts |= {str(path): path.read_bytes() for path in root.rglob("*") if path.is_file()}
    for place, text in texts.items():
        for secret in (*SECRETS.values(), *personal):
            for line in text.splitlines():
                assert not leaked(secret, line), f"{secret} in {place}: {line.decode(errors='replace')}"


def record_all():
    """Record, with a shadow, and then without a webhook."""
    live = webhook()
    with webhook() as candidate:
        command = ["record", "shop", "--listen", 0, "--redact", "personal", "--timeout", 20, *guarded()]
        command += ["--target", url(live, SECRETS["target"]), "--shadow", url(candidate, SECRETS["shadow"])]
        with aimyproxy(*command) as recording:
            with live:
                talk(listening_port(recording))
            talk(listening_port(recording))
            assert recording.stop() == 0
    # What went over the wire is what it was.
    assert all(SECRETS["target"].encode() in request for request in live.requests)
    assert all(b"\r\nAuthorization: Bearer " + SECRETS["bearer"].encode() in request for request in live.requests)
    return recording


def replay_all():
    """Replay the same, and forward and record what isn't there."""
    with webhook() as live:
        command = [
            "replay",
            "shop",
            "--listen",
            0,
            "--on-miss",
            "forward",
            "--record",
            "--log-format",
            "json",
            *guarded(),
        ]
        with aimyproxy(*command, "--target", url(live, SECRETS["target"])) as replaying:
            port = listening_port(replaying)
            # What this process has never met at a secret's place, it can't know.
            talk(port, name="Мария", heard=())
            body = json.dumps({"action": "never", "token": SECRETS["query"], "name": "Иван"}).encode()
            assert SECRETS["query"].encode() in post(port, body, SECRETS["path"], headers())
            assert replaying.stop() == 0
    return replaying


@pytest.mark.slow
def test_no_secret_is_anywhere(root):
    """Recorded, shadowed, failed, replayed, forwarded, saved by a diff: in no byte of the folder or the terminals."""
    recording = record_all()
    assert len(Recording(root / "shop")) == 26
    replaying = replay_all()
    with webhook() as other:
        saving = run("diff", "shop", "--target", url(other, SECRETS["target"]), "--save", "later", "--verbose")
    comparing = run("diff", "shop", "shop@shadow", "--full", "--verbose")
    shown = run("show", "shop", "1")
    checked = run("check")
    assert checked.process.returncode == 0, checked.stdout
    assert {path.name for path in root.iterdir()} == {"shop", "shop@shadow", "later"}
    personal = (PHONE, "Мария", "Иван")
    assert_clean(root, recording, replaying, saving, comparing, shown, checked, personal=personal)
    keys = {(root / name / "redaction.key").read_text() for name in ("shop", "shop@shadow", "later")}
    assert len(keys) == 1


def test_replay_finds_what_was_redacted(root):
    """The same conversation, asked again, gets its answers from the recording, with its own values in them."""
    with webhook() as live:
        with aimyproxy("record", "shop", "--listen", 0, "--target", live.url, "--redact", "personal") as recording:
            variables = {
                "action": "start",
                "userId": f"vk-1-{PHONE}",
                "channelType": "vk",
                "name": "Иван",
                "token": "1",
            }
            said = post(listening_port(recording), json.dumps(variables).encode())
            assert recording.stop() == 0
    with aimyproxy("replay", "shop", "--listen", 0) as replaying:
        again = post(listening_port(replaying), json.dumps(variables).encode())
        assert replaying.stop() == 0
    assert b"aimyproxy-answer: exact; exchange=1" in again.lower()
    before, after = (json.loads(message.partition(b"\r\n\r\n")[2]) for message in (said, again))
    assert {name: after[name] for name in variables} == variables
    assert after.keys() == before.keys()
    [(_, kept)] = Recording(root / "shop")
    assert PHONE not in json.dumps(kept.request.body.value)


def test_nothing_is_redacted_where_nobody_wants_it(root):
    """A warning says so, and the header doesn't say otherwise."""
    with webhook() as live:
        with aimyproxy("record", "shop", "--listen", 0, "--target", live.url, "--no-redact") as recording:
            post(listening_port(recording), b'{"action": "start", "token": "tok-1234567890"}')
            assert recording.stop() == 0
    assert any("Nothing is redacted" in line for line in recording.stderr)
    [(_, kept)] = Recording(root / "shop")
    assert kept.request.body.value["token"] == "tok-1234567890"
    assert not (root / "shop" / "redaction.key").exists()
    assert "redacted" not in Recording(root / "shop").about()


def test_a_recording_from_before_is_redacted_from_here_on(root):
    """What is there stays until somebody redacts it."""
    with webhook() as live:
        for option in ("--no-redact", ""):
            command = ["record", "shop", "--listen", 0, "--target", live.url, *filter(None, [option])]
            with aimyproxy(*command) as recording:
                post(listening_port(recording), b'{"action": "start", "token": "tok-1234567890"}')
                assert recording.stop() == 0
    assert any("`aimyproxy redact shop`" in line for line in recording.stderr)
    first, second = (exchange.request.body.value["token"] for _, exchange in Recording(root / "shop"))
    assert (first, second) != ("tok-1234567890", "tok-1234567890")
    assert first == "tok-1234567890"
    assert run("redact", "shop").process.returncode == 0
    first, again = (exchange.request.body.value["token"] for _, exchange in Recording(root / "shop"))
    assert first == again == second
    refused = run("record", "shop", "--target", f"http://127.0.0.1:{free_port()}", "--no-redact", "--listen", 0)
    assert refused.process.returncode == 2
    assert re.search("Record under another name", refused.stderr[-1])


def test_a_recorder_takes_up_what_others_do(root):
    """Rules that are added while it records hold from the next exchange on; a key that is removed comes back."""
    card = "4000123412341234"
    paid = json.dumps({"action": "pay", "token": SECRETS["answer"], "order": {"card": card}}).encode()
    kept = root / "shop" / "redaction.key"
    with webhook() as live, aimyproxy("record", "shop", "--listen", 0, "--target", live.url) as recording:
        port = listening_port(recording)
        post(port, paid)
        assert run("redact", "shop", "--redact", "$.order.card").process.returncode == 0
        post(port, paid)
        exchanges = [exchange.request.body for _, exchange in Recording(root / "shop")]
        assert exchanges[0] == exchanges[1]
        assert run("check", "shop").process.returncode == 0
        key = kept.read_text()
        kept.unlink()
        eventually(kept.exists, "the key")
        (root / "shop").rename(root / "gone")
        post(port, paid)
        assert kept.read_text() == key
        assert [exchange.request.body for _, exchange in Recording(root / "shop")] == exchanges[:1]
        assert recording.stop() == 0
    assert card not in (root / "shop" / "exchanges.json").read_text()
    assert any("redacted by other rules from now on: secrets, $.order.card." in line for line in recording.stderr)


def test_a_replay_takes_up_what_others_do(root):
    """A recording that is redacted while it answers still answers the same requests, with their own values."""
    asked = {"action": "start", "userId": "vk-1-2", "channelType": "vk", "card": "4000123412341234"}
    with webhook() as live, aimyproxy("record", "shop", "--listen", 0, "--target", live.url) as recording:
        post(listening_port(recording), json.dumps(asked).encode())
        assert recording.stop() == 0
    with aimyproxy("replay", "shop", "--listen", 0, "--match", "exact") as replaying:
        port = listening_port(replaying)
        assert run("redact", "shop", "--redact", "$.card").process.returncode == 0
        replaying.wait_for("Picked up an edit")
        answered = post(port, json.dumps(asked).encode())
        assert b"aimyproxy-answer: exact; exchange=1" in answered.lower()
        assert json.loads(answered.partition(b"\r\n\r\n")[2])["card"] == asked["card"]
        assert replaying.stop() == 0
    assert asked["card"] not in (root / "shop" / "exchanges.json").read_text()


def test_metrics_and_the_terminal_of_replay_show_no_secret(root):
    """An event that repeats the token of the request's own header, say."""
    Recording.create(root / "shop", None).close()
    assert run("redact", "shop").process.returncode == 0
    asked = json.dumps({"action": f"go {SECRETS['bearer']}", "userId": SECRETS["key"]}).encode()
    admin = ["--admin", "127.0.0.1:0", "--admin-token", TOKEN]
    with aimyproxy("replay", "shop", "--listen", 0, *admin) as replaying:
        post(listening_port(replaying), asked, "/", headers())
        _, shown = Surface.of(replaying).raw("/metrics")
        assert replaying.stop() == 0
    assert b'aimyproxy_exchanges_total{event="go ' in shown
    for text in (shown, *map(str.encode, replaying.stderr)):
        assert not leaked(SECRETS["bearer"], text)
        assert not leaked(SECRETS["key"], text)
