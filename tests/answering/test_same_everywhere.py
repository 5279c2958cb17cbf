"""The same recording teaches the same in every process, whatever the seed of its hashes."""

from __future__ import annotations

import hashlib
import json
import os
import random
import subprocess
import sys

from aimyproxy.answering.index import Index
from aimyproxy.answering.replayer import Replayer
from aimyproxy.answering.serving import MATCHES
from aimyproxy.exchange import Body, Response
from tests.bench.fidelity.kinds import KINDS
from tests.bench.fidelity.talking import chance_of, conversations
from tests.builders import exchange, request

NOISY = "noise beside stable fields"


def answer_of(kind, variables, memory):
    made = kind.webhook(variables, memory)
    status, body = made if isinstance(made, tuple) else (200, made)
    return Response(status, (("b", "2"), ("a", "1")), Body.of(body.encode() if isinstance(body, str) else dumped(body)))


def dumped(value):
    return json.dumps(value, ensure_ascii=False).encode()


def spoken(kind, chance, numbers):
    """The exchanges of some conversations."""
    for talk in conversations(kind, chance, numbers):
        held, memory = {}, {}
        for asked in talk:
            held |= asked
            answer = answer_of(kind, dict(held), memory)
            yield request(held), answer
            held |= (answer.body.variables() or {}) if answer.status < 400 else {}


def digest():
    """A digest of all that a recording of all kinds teaches, of its answers to new users, and of its explanations."""
    random.seed(1)
    kinds = [kind for kind in KINDS if kind.name != NOISY]
    pairs = [pair for kind in kinds for pair in spoken(kind, chance_of(kind, 1), range(12))]
    news = [asked for kind in kinds for asked, _ in spoken(kind, chance_of(kind, 2), range(100, 103))]
    said = []
    for match in MATCHES:
        index = Index.build(enumerate((exchange(asked, answer) for asked, answer in pairs), 1), match=match)
        if match == "learned":
            said += [repr(list(model.decisions())) for _, model in sorted(index.models().items())]
        replay = Replayer(index)
        for asked in news:
            _, answer = replay.answer(asked)
            said.append(repr((answer.status, answer.headers, answer.body, answer.source)) if found(answer) else "miss")
    return hashlib.sha256("\n".join(said).encode()).hexdigest()


def found(answer):
    return hasattr(answer, "source")


def test_hash_seeds_change_nothing():
    """Neither what is learned nor what is answered, in which words and from which exchange."""
    code = "from tests.answering.test_same_everywhere import digest; print(digest())"
    said = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
        ).stdout
        for seed in ("0", "1", "4242")
    }
    assert said == {digest() + "\n"}
