"""The simulated bot does what the real one does."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from aimyproxy import aimylogic
from aimyproxy.demo import bot
from aimyproxy.demo.channels import CHANNELS
from aimyproxy.errors import TargetError
from tests import processes

if TYPE_CHECKING:
    from aimyproxy.demo.webhook import Webhook
    from aimyproxy.exchange import Exchange

RAW_MEMBERS = {
    "telegram": {"update_id"},
    "vk": {"group_id", "type", "event_id", "v", "secret", "object"},
    "chatwidget": {"token", "clientId", "questionId", "query", "timestamp", "userId"},
    "yandex": {"meta", "request", "session", "version"},
    "resterisk": {"event", "trunkId", "caller", "extension", "channel", "data", "utterances"},
}


def sent(exchange: Exchange) -> dict[str, Any]:
    variables = exchange.request.body.variables()
    assert variables is not None
    return variables


def own(variables: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in variables.items() if name not in aimylogic.SYSTEM_VARIABLES}


def by_conversation(exchanges: list[Exchange]) -> list[list[Exchange]]:
    found = defaultdict(list)
    for exchange in exchanges:
        found[exchange.conversation].append(exchange)
    return list(found.values())


def test_conversations_are_distinct() -> None:
    """Twenty users over five channels are twenty conversations, with several orders of screens."""
    talking = bot.conversations()
    identities = {aimylogic.identify(one.enter()) for one in talking}
    assert len({conversation for _, conversation in identities}) == 20
    assert {event for event, _ in identities} == {"start"}
    assert Counter(one.user.channel_type for one in talking) == dict.fromkeys(CHANNELS, 4)
    assert len({tuple(screen.event for screen in one.screens) for one in talking}) == len(bot.JOURNEYS)


def test_a_seed_decides_everything() -> None:
    """The same seed gives the same conversations, another one others."""
    assert bot.conversations(3) == bot.conversations(3)
    assert bot.conversations(3) != bot.conversations(4)
    assert bot.newcomers(3) == bot.newcomers(3)


def test_newcomers_are_new() -> None:
    """Neither ids nor names of newcomers are known, and they come over every channel."""
    known, new = bot.conversations(users=200), bot.newcomers()
    assert not {one.user.user_id for one in known} & {one.user.user_id for one in new}
    assert not {one.user.name for one in known} & {one.user.name for one in new}
    assert {one.user.channel_type for one in new} == set(CHANNELS)


def test_answers_become_variables() -> None:
    """What the webhook answered is sent at the next screen, and the system's variables are the system's."""
    conversation = bot.conversations()[0]
    first = conversation.enter()
    conversation.merge({**first, "visits": 1, "action": "hacked", "userId": "x", "rawRequest": {}, "queryText": ""})
    second = conversation.enter()
    assert (second["visits"], second["name"]) == (1, first["name"])
    assert (second["action"], second["queryText"]) == ("menu", "Что у вас есть?")
    assert second["userId"] == first["userId"]
    assert second["rawRequest"]["message"]["text"] == "Что у вас есть?"


def test_last_seen_is_absent_at_first_contact(exchanges: list[Exchange]) -> None:
    """`lastSeen` is missing in a conversation's first request, and the seconds that passed in all others."""
    for conversation in by_conversation(exchanges):
        first, *others = map(sent, conversation)
        assert "lastSeen" not in first
        assert all(2 <= variables["lastSeen"] <= 40 for variables in others)


def test_requests_look_like_their_channel(exchanges: list[Exchange]) -> None:
    """Each request has an event, a conversation, and a `rawRequest` in the shape of its channel."""
    for exchange in exchanges:
        variables = sent(exchange)
        event, conversation = aimylogic.identify(variables)
        assert event == variables["action"] == exchange.event
        assert conversation == (variables["channelType"], variables["channelId"], variables["userId"])
        assert set(variables["rawRequest"]) >= RAW_MEMBERS[variables["channelType"]]
        assert ("httpResponse" in variables) == (variables["channelType"] == "chatwidget")


def test_raw_requests_advance(exchanges: list[Exchange]) -> None:
    """No two requests have the same `rawRequest`."""
    spelled = {json.dumps(sent(exchange)["rawRequest"]) for exchange in exchanges}
    assert len(spelled) == len(exchanges)


def test_conversations_are_interleaved(exchanges: list[Exchange]) -> None:
    """Several users talk at the same time, each walking through their screens in order."""
    changes = sum(one.conversation != other.conversation for one, other in pairwise(exchanges))
    assert changes > len(exchanges) / 2
    assert len(exchanges) == sum(len(one.screens) for one in bot.conversations())
    talking = {one.user.user_id: [screen.event for screen in one.screens] for one in bot.conversations()}
    for conversation in by_conversation(exchanges):
        assert [exchange.event for exchange in conversation] == talking[sent(conversation[0])["userId"]]


def test_twins_show_what_is_random(exchanges: list[Exchange]) -> None:
    """In each channel two users ask exactly the same all the way, and get the same but for the order number."""
    twins = by_conversation([one for one in exchanges if sent(one)["userId"] in _twins()])
    assert len(twins) == 2 * len(CHANNELS)
    for channel in CHANNELS:
        one, other = [conversation for conversation in twins if sent(conversation[0])["channelType"] == channel]
        for mine, theirs in zip(one, other, strict=True):
            effects = [aimylogic.effect_of(each.request, each.response).value for each in (mine, theirs)]
            assert sent(mine)["queryText"] == sent(theirs)["queryText"]
            if mine.event == "pay":
                assert effects[0].pop("orderNumber") != effects[1].pop("orderNumber")
            if mine.event != "bye":
                assert own(sent(mine)) == own(sent(theirs))
            assert effects[0] == effects[1]


def _twins() -> set[str]:
    return {one.user.user_id for one in bot.conversations()[: bot.TWINS]}


@pytest.mark.parametrize("answer", [b"<h1>500</h1>", b"[1]", b'{"hacked": true}'])
def test_useless_answers_change_nothing(answer: bytes) -> None:
    """A bot whose webhook fails goes on with the variables it has."""
    status = b"200 OK" if answer == b"[1]" else b"500 Internal Server Error"
    with processes.Upstream(processes.answering(processes.answer(answer, status=status))) as upstream:
        exchanges = bot.run(f"{upstream.url}?key=1", bot.conversations(users=1))
    assert len(exchanges) == len(bot.JOURNEYS[0])
    assert own(sent(exchanges[1])) == {"name": sent(exchanges[0])["name"]}
    assert upstream.requests[0].startswith(b"POST /bot?key=1 HTTP/1.1\r\n")


def test_one_connection_serves_all(webhook: Webhook) -> None:
    """A finished conversation is left alone, and no conversation at all opens no connection."""
    talking = bot.conversations(users=2)
    assert bot.run(webhook.url, talking)
    assert bot.run(webhook.url, talking) == []
    assert bot.run("http://127.0.0.1:1", []) == []


def test_no_webhook_is_an_error() -> None:
    """Where nothing listens, the error names the URL."""
    url = f"http://127.0.0.1:{processes.free_port()}"
    with pytest.raises(TargetError, match=url):
        bot.run(url, bot.conversations())


def test_a_webhook_that_hangs_up_is_an_error() -> None:
    """An empty reply is no answer."""
    with (
        processes.Upstream(lambda *_: False) as upstream,
        pytest.raises(TargetError, match=r"can't reach"),
    ):
        bot.run(upstream.url, bot.conversations())
