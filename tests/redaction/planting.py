"""Conversations with secrets planted in them, and a search for them that knows nothing of how they are redacted."""

from __future__ import annotations

import base64
import html
import json
import re
from dataclasses import dataclass
from urllib.parse import quote, unquote, unquote_plus

from hypothesis import strategies as st

from aimyproxy import aimylogic
from aimyproxy.exchange import Body, Exchange, Failure, Request, Response, Timing
from aimyproxy.redaction.known import searched

_HEX = re.compile(r"[0-9A-Fa-f]{12,}")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{8,}={0,2}")

token = st.one_of(
    st.from_regex(r"[A-Za-z0-9_-]{10,40}", fullmatch=True),
    st.from_regex(r"[A-Za-z0-9]{4,9}:[a-f0-9]{8,32}", fullmatch=True),
    st.from_regex(r"[a-z]{2,5}[@!/ +&<\"'%\\][A-Za-z0-9]{3,9}[=.;?#][a-z]{2,6}", fullmatch=True),
    st.from_regex(r"[0-9]{8,19}", fullmatch=True),
    st.text("абвгдежзиклмнопрстАБВГД0123456789", min_size=8, max_size=20),
    st.uuids().map(str),
)
# What stays as it is, or could be a word of its surroundings, would be found everywhere.
secrets = token.filter(lambda text: searched(text, "secret") and len(set(text)) > 6)


@dataclass
class Planted:
    """Exchanges in their order, and the secrets in them."""

    secrets: list[str]
    exchanges: list[Exchange]


def exchange_of(variables, answer, path="/", headers=(), answered=(), failure=None, channel="telegram"):
    """An exchange of these; `answer` is variables, a text or bytes."""
    body = {"action": "start", "userId": f"{channel}-1-2", "channelId": "1", "channelType": channel, **variables}
    event, conversation = aimylogic.identify(body)
    raw = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    response = None if failure else Response(200, tuple(answered), Body.of(raw))
    request = Request("POST", path, tuple(headers), Body.of(json.dumps(body).encode()))
    moment = "2026-11-22T10:15:30.123456Z"
    return Exchange(moment, event, conversation, request, response, failure, Timing(1.0, 2.0))


def one_line(secret):
    """The secret as a header can carry it."""
    return secret if secret.isascii() and not re.search(r"[;\s\"\\]", secret) else quote(secret, safe="")


PLACES = {
    "bearer": lambda s: exchange_of({}, {}, headers=[("Authorization", f"Bearer {one_line(s)}")]),
    "bare": lambda s: exchange_of({}, {}, headers=[("authorization", one_line(s))]),
    "basic": lambda s: exchange_of(
        {}, {}, headers=[("Authorization", "Basic " + base64.b64encode(f"bot:{s}".encode()).decode())]
    ),
    "cookie": lambda s: exchange_of({}, {}, headers=[("Cookie", f"lang=ru; sid={one_line(s)}")]),
    "set-cookie": lambda s: exchange_of({}, {}, answered=[("Set-Cookie", f"sid={one_line(s)}; Path=/; HttpOnly")]),
    "api key": lambda s: exchange_of({}, {}, headers=[("X-Api-Key", one_line(s))]),
    "its header": lambda s: exchange_of({}, {}, answered=[("X-Auth-Token", one_line(s))]),
    "query": lambda s: exchange_of({}, {}, path=f"/a?x=1&access_token={quote(s, safe='')}"),
    "chatwidget": lambda s: exchange_of({"rawRequest": {"token": s}}, {}, channel="chatwidget"),
    "vk": lambda s: exchange_of({"rawRequest": {"secret": s}}, {}, channel="vk"),
    "yandex": lambda s: exchange_of({"rawRequest": {"session": {"user": {"access_token": s}}}}, {}, channel="yandex"),
    "answer": lambda s: exchange_of({}, {"login": [{"password": s}]}),
    "json in a string": lambda s: exchange_of({"payload": json.dumps({"api_key": s})}, {}),
    "form": lambda s: exchange_of({}, f"a=1&password={quote(s, safe='')}".encode()),
    "broken json": lambda s: exchange_of({}, json.dumps({"a": 1, "token": s}).encode()[:-1]),
    "json of large numbers": lambda s: exchange_of({}, json.dumps({"a": 2**70, "token": s}).encode()),
    "bytes": lambda s: exchange_of({}, b"\xff" + json.dumps({"token": s}).encode()),
}
"""Where a secret is known for one."""

ECHOES = {
    "variable": lambda s: exchange_of({"a": s}, {"b": {"c": [s]}}),
    "capital and small letters": lambda s: exchange_of({"a": s.upper(), s.lower(): 1}, f"<p>{s.upper()}".encode()),
    "inside a text": lambda s: exchange_of({"a": f"<{s}>"}, {"b": f"ваш код: {s}!"}),
    "name": lambda s: exchange_of({}, {s: 1, "x": {s: 2}}),
    "number": lambda s: exchange_of({"n": int(s)} if s.isascii() and s.isdecimal() and int(s) < 2**63 else {}, {}),
    "event and user": lambda s: exchange_of({"action": f"go {s}", "userId": s, "channelId": s}, {}),
    "path": lambda s: exchange_of({}, {}, path=f"/x/{quote(s)}/y?z={quote(s, safe='')}"),
    "url in a text": lambda s: exchange_of({"url": f"see https://h/?q={quote(s, safe='')}&z=1"}, {}),
    "header": lambda s: exchange_of({}, {}, headers=[("Referer", f"https://h/{quote(s, safe='')}")]),
    "its header": lambda s: exchange_of({}, {}, answered=[("X-Echo", one_line(s))]),
    "message": lambda s: exchange_of({}, {}, failure=Failure("protocol", f"The webhook said {s}.")),
    "page": lambda s: exchange_of({}, f"<h1>No {html.escape(s)}</h1>".encode()),
    "escaped text": lambda s: exchange_of({}, b"[" + json.dumps({"q": s}).encode()),
    "twice escaped": lambda s: exchange_of({"q": json.dumps({"q": s})}, json.dumps({"q": s}).encode() + b"]"),
    "base64": lambda s: exchange_of({"q": base64.b64encode(f"x{s}yz".encode()).decode()}, {}),
    "urlsafe base64": lambda s: exchange_of({"q": base64.urlsafe_b64encode(f"xy{s}z".encode()).decode()}, {}),
    "hexadecimal": lambda s: exchange_of({"q": s.encode().hex(), "Q": s.encode().hex().upper()}, {}),
    "bytes": lambda s: exchange_of({}, b"\xff\xfe" + s.encode() + b"\x00"),
}
"""Where it comes again."""


@st.composite
def planted(draw):
    """Some secrets, each at a place and then anywhere."""
    chosen = draw(st.lists(secrets, min_size=1, max_size=3, unique=True))
    exchanges = []
    for secret in chosen:
        exchanges.append(PLACES[draw(st.sampled_from(sorted(PLACES)))](secret))
        echoes = draw(st.lists(st.sampled_from(sorted(ECHOES)), max_size=5))
        exchanges += [ECHOES[echo](secret) for echo in echoes]
    return Planted(chosen, exchanges)


def readings(text: str):
    """All that a reader may see in a text."""
    yield text
    yield unquote(text)
    yield unquote_plus(unquote(text))
    yield html.unescape(text)
    undone = text
    for _ in range(3):
        undone = re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), undone)
        undone = re.sub(r"\\(.)", lambda found: {"n": "\n", "t": "\t"}.get(found[1], found[1]), undone)
        yield undone
    for found in _HEX.findall(text):
        yield bytes.fromhex(found[: len(found) // 2 * 2]).decode("utf-8", "replace")
    for found in _BASE64.findall(text):
        for start in range(4):
            encoded = found.rstrip("=").replace("-", "+").replace("_", "/")[start:]
            encoded += "A" * (-len(encoded) % 4)
            yield base64.b64decode(encoded).decode("utf-8", "ignore")
            yield base64.b64decode(encoded).decode("utf-8", "replace")


def leaked(secret: str, raw: bytes) -> bool:
    """Whether somebody who reads these bytes finds the secret, in capital letters or small ones."""
    text = raw.decode("utf-8", "replace")
    return any(secret.lower() in reading.lower() for reading in readings(text))
