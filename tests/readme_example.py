import json
from urllib.request import Request, urlopen


def choose(webhook, **variables):  # stands for the code under test: it calls the webhook as a bot does
    asked = {"action": "choose", "userId": "u3", "channelType": "telegram", "name": "Анна", **variables}
    with urlopen(Request(webhook, json.dumps(asked).encode())) as answer:
        return json.load(answer)


def test_the_total_is_the_recorded_one(aimyproxy_replay):
    webhook = aimyproxy_replay("pizza")
    assert choose(webhook.url, pizza="Пепперони", qty=2)["total"] == 1180
    [asked] = webhook.requests(event="choose")
    assert asked.variables["qty"] == 2
    assert webhook.misses() == []


def test_a_pizza_that_is_sold_out(aimyproxy_replay):
    webhook = aimyproxy_replay("pizza")
    webhook.add("choose", {"text": "Маргарита закончилась."}, when={"$.pizza": "Маргарита"})
    assert choose(webhook.url, pizza="Маргарита", qty=1)["text"] == "Маргарита закончилась."
    assert choose(webhook.url, pizza="Пепперони", qty=1)["total"] == 590
