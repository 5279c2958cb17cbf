"""Every kind of webhook that the fidelity benchmark knows: recorded by one process, replayed by another."""

from __future__ import annotations

import random

import pytest

from tests.bench.fidelity.kinds import KINDS
from tests.bench.fidelity.talking import Line, Webhook, conversation, outcomes, talk
from tests.processes import aimyproxy, listening_port

RECORDED = 30
ASKED = 6


def recorded(folder, webhook, kind, path, chance, count):
    """What was asked while a process recorded so many conversations."""
    with aimyproxy("record", "shop", "--target", webhook.url, "--listen", 0, "--recordings", folder) as process:
        with Line(f"http://127.0.0.1:{listening_port(process)}", path) as line:
            seen = [asked for index in range(count) for asked in talk(line, conversation(kind, index, chance))]
        assert process.stop() == 0
    webhook.memory.clear()
    return seen


def replayed(folder, webhook, kind, path, chance, count, seen, *arguments):
    """What came of so many other conversations."""
    with aimyproxy("replay", "shop", "--listen", 0, "--recordings", folder, *arguments) as process:
        talks = [conversation(kind, 1000 + index, chance) for index in range(count)]
        with Line(webhook.url, path) as real, Line(f"http://127.0.0.1:{listening_port(process)}", path) as ours:
            found = list(outcomes(kind, talks, seen, real, ours))
        assert process.stop() == 0
    return found


@pytest.mark.parametrize("number", range(len(KINDS)), ids=[kind.name for kind in KINDS])
def test_new_conversations_are_answered_as_the_webhook_would(tmp_path, number):
    """All that can be known from the recording is right, nothing else is passed off as known."""
    kind, chance, path = KINDS[number], random.Random(f"1 {KINDS[number].name}"), f"/{number}"
    with Webhook() as webhook:
        seen = recorded(tmp_path, webhook, kind, path, chance, RECORDED)
        found = replayed(tmp_path, webhook, kind, path, chance, ASKED, seen)
    assert [outcome for outcome in found if outcome.knowable and not outcome.right] == []
    assert [outcome for outcome in found if outcome.claimed_wrongly] == []
    assert found


def test_nothing_of_this_is_known_without_learning(tmp_path):
    """Recorded requests never come again: exact matches alone answer nothing."""
    kind, chance = KINDS[0], random.Random(1)
    with Webhook() as webhook:
        seen = recorded(tmp_path, webhook, kind, "/0", chance, 3)
        found = replayed(tmp_path, webhook, kind, "/0", chance, 1, seen, "--match", "exact")
    assert {outcome.source for outcome in found} == {"miss"}
