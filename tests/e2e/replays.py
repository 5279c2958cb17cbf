"""A replay of the recording `shop` in a process of its own, and a bot that asks it."""

from __future__ import annotations

import json
from contextlib import contextmanager

from tests.builders import START
from tests.processes import aimyproxy, listening_port, post


@contextmanager
def replaying(shop, *arguments, **options):
    command = ["replay", "shop", "--listen", "127.0.0.1:0", "--recordings", shop.folder.parent, *arguments]
    with aimyproxy(*command, **options) as process:
        yield process, listening_port(process)
    assert "Traceback" not in "\n".join(process.stderr)
    assert process.stdout == []


def ask(port, variables=None, **changes):
    """Status, headers (names in lower case) and JSON body of the reply."""
    body = json.dumps({**(START if variables is None else variables), **changes}).encode()
    return parsed(post(port, body))


def parsed(message):
    head, _, body = message.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return int(first.split(" ")[1]), headers, json.loads(body)


def source(port, variables=None, **changes):
    return ask(port, variables, **changes)[1]["aimyproxy-answer"]
