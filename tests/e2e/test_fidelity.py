"""Every kind of webhook that the fidelity benchmark knows: recorded by one process, replayed by others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.bench.fidelity.kinds import KINDS
from tests.bench.fidelity.talking import (
    ASKED_FROM,
    Line,
    Webhook,
    chance_of,
    conversations,
    outcomes,
    path_of,
    talk_all,
)
from tests.processes import aimyproxy, listening_port

if TYPE_CHECKING:
    from pathlib import Path

RECORDED = 36
"""Of each kind; with fewer, one seed in ten leaves something that could be known unproven."""
ASKED = 8
SEED = 1

UNKNOWABLE = {"arithmetic, values never seen"}
"""Kinds of which no answer can be known."""
UNSURE = {"counter per user", "table, values never seen", "noise beside stable fields"}
"""Kinds of which an answer that is right may be called a guess: a random number could be computed from the request."""
USUAL = {
    *("echo with constants", "delta only", "echo that grows", "noise beside stable fields", "no object"),
    "arithmetic, values never seen",
}
"""Kinds of which the most frequent effect alone would do."""

by_name = pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])


@dataclass
class Shop:
    """One recording of one bot whose screens meet all kinds, and what was asked of each."""

    folder: Path
    webhook: Webhook
    seen: dict

    def replayed(self, match):
        """What came of other conversations, by kind, in a replay process of its own."""
        self.webhook.memory.clear()
        arguments = ("replay", "shop", "--listen", 0, "--recordings", self.folder, "--match", match, "--quiet")
        with aimyproxy(*arguments) as process:
            url = f"http://127.0.0.1:{listening_port(process)}"
            found = {kind.name: self.compared(kind, url) for kind in KINDS}
            assert process.stop() == 0
        return found

    def compared(self, kind, url):
        talks = conversations(kind, chance_of(kind, SEED + 1), range(ASKED_FROM, ASKED_FROM + ASKED))
        with Line(self.webhook.url, path_of(kind)) as real, Line(url, path_of(kind)) as ours:
            return list(outcomes(kind, talks, self.seen[kind.name], real, ours))


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """All kinds recorded by one process, user after user."""
    folder = tmp_path_factory.mktemp("recordings")
    with Webhook() as webhook:
        shop = Shop(folder, webhook, {})
        with aimyproxy("record", "shop", "--target", webhook.url, "--listen", 0, "--recordings", folder) as process:
            url = f"http://127.0.0.1:{listening_port(process)}"
            for kind in KINDS:
                talks = conversations(kind, chance_of(kind, SEED), range(RECORDED))
                with Line(url, path_of(kind)) as line:
                    shop.seen[kind.name] = talk_all(line, talks)
            assert process.stop() == 0
        yield shop


@pytest.fixture(scope="module")
def learned(shop):
    return shop.replayed("learned")


@pytest.fixture(scope="module")
def usual(shop):
    return shop.replayed("event")


@pytest.fixture(scope="module")
def exact(shop):
    return shop.replayed("exact")


@by_name
def test_new_conversations_are_answered_as_the_webhook_would(learned, kind):
    """All that can be known from the recording is right, nothing else is passed off as known."""
    found, unsure = learned[kind.name], kind.name in UNSURE
    known = [outcome for outcome in found if outcome.knowable]
    assert [outcome for outcome in known if not outcome.right] == []
    assert [outcome for outcome in found if outcome.claimed_wrongly] == []
    assert bool(known) == (kind.name not in UNKNOWABLE)
    assert {outcome.source.partition(";")[0] for outcome in known} <= ({"learned", "guess"} if unsure else {"learned"})


@by_name
def test_nothing_of_this_is_known_without_learning(exact, kind):
    """Recorded requests never come again: exact matches alone answer nothing."""
    assert {outcome.source for outcome in exact[kind.name]} == {"miss"}


@by_name
def test_what_is_usual_is_not_enough(usual, kind):
    """The most frequent effect alone is wrong in all kinds but the plainest."""
    wrong = [outcome for outcome in usual[kind.name] if outcome.knowable and not outcome.right]
    assert bool(wrong) == (kind.name not in USUAL)


def test_kinds_have_no_event_in_common():
    """One bot may meet them all, without one of them teaching anything about another."""
    events = [
        {request["action"] for talk in conversations(kind, chance_of(kind, SEED), range(9)) for request in talk}
        for kind in KINDS
    ]
    assert sum(map(len, events)) == len(set.union(*events))
