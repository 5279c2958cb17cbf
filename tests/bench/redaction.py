"""What redaction costs an exchange, by channel: `uv run python -m tests.bench.redaction [--count 2000]`.

CPU time in µs: of a recorded exchange (request and echoing response), and of a request that replay looks up, with
secrets only and with personal values, while 1,000 values of other exchanges are known.
"""

from __future__ import annotations

import argparse
import json
import secrets
import time
from functools import partial

from aimyproxy import aimylogic, jsonvalue
from aimyproxy.documents import to_document
from aimyproxy.exchange import Body, Exchange, Request, Response, Timing
from aimyproxy.redaction.redactor import Redactor
from aimyproxy.redaction.rules import Rules
from tests.redaction.test_members import SHAPES

_HEADERS = (
    ("Host", "hook.example.com"),
    ("Content-Type", "application/json"),
    ("Accept", "*/*"),
    ("User-Agent", "okhttp/3.12"),
    ("Authorization", "Bearer abcdefghijkl12345"),
    ("X-Forwarded-For", "10.0.0.1"),
)


def exchange(shape):
    order = [{"title": f"Пицца {number}", "price": 500 + number, "sku": f"P-{number}"} for number in range(6)]
    asked = {**shape, "order": order}
    request = Request("POST", "/", _HEADERS, Body.of(json.dumps(asked).encode()))
    answered = {**asked, "greeting": "Привет!", "total": 1180.5}
    response = Response(200, _HEADERS[:4], Body.of(json.dumps(answered).encode()))
    event, conversation = aimylogic.identify(asked)
    return Exchange("2026-11-22T10:15:30.123456Z", event, conversation, request, response, None, Timing(1.0, 2.0))


def cost(function, count):
    begun = time.process_time()
    for _ in range(count):
        function()
    return (time.process_time() - begun) / count * 1e6


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=2000)
    count = parser.parse_args().count
    print(f"{'channel':<12}{'bytes':>7}{'exchange':>10}{'request':>10}{'personal':>10}{'request':>10}")
    for shape in SHAPES:
        one = exchange(shape)
        figures = []
        for wanted in ((), ("personal",)):
            redactor = Redactor(secrets.token_bytes(32), Rules.parse(wanted))
            redactor.learn(secrets.token_urlsafe(18) for _ in range(1000))
            redactor.exchange(one)
            figures.append(cost(partial(redactor.exchange, one), count))
            figures.append(cost(partial(redactor.request, one.request), count))
        size = len(jsonvalue.dumps(to_document(one)))
        print(f"{shape['channelType']:<12}{size:>7}" + "".join(f"{figure:>10.1f}" for figure in figures))


if __name__ == "__main__":
    main()
