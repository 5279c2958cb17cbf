"""What each channel's own request looks like."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aimyproxy import aimylogic
from aimyproxy.demo.channels import CHANNELS, Message

MESSAGE = Message("79991234567", "Иван", "Пицца для Иван", count=3, moment=1_719_830_400)


def raw(channel: str, message: Message = MESSAGE) -> dict[str, object]:
    native = "47C7" if channel == "yandex" else message.native
    return CHANNELS[channel].raw_request(replace(message, native=native))


@pytest.mark.parametrize("channel", CHANNELS)
def test_only_what_is_volatile_moves(channel: str) -> None:
    """The same words said later differ in ids and dates alone, and in these they do differ."""
    later = replace(MESSAGE, count=4, moment=MESSAGE.moment + 9)
    assert raw(channel) != raw(channel, later)
    stable = [
        aimylogic.without_volatile({"channelType": channel, "rawRequest": raw(channel, message)})
        for message in (MESSAGE, later)
    ]
    assert stable[0] == stable[1]


@pytest.mark.parametrize("channel", CHANNELS)
def test_the_same_in_every_run(channel: str) -> None:
    """A channel's request follows from the message alone."""
    assert raw(channel) == raw(channel)


def test_telegram_buttons_are_callback_queries() -> None:
    """A pressed button comes as a `callback_query` with its data, a typed text as a `message`."""
    typed, pressed = raw("telegram"), raw("telegram", replace(MESSAGE, button=True))
    assert typed["message"]["text"] == MESSAGE.text
    assert pressed["callback_query"]["data"] == MESSAGE.text
    assert "message" not in pressed


def test_alice_finds_the_name() -> None:
    """An entity marks the user's name where it is said; a session's first message is new."""
    first = raw("yandex", replace(MESSAGE, count=0))
    assert first["request"]["nlu"]["entities"][0]["tokens"] == {"start": 2, "end": 3}
    assert first["session"]["new"] is True
    assert raw("yandex")["session"]["new"] is False
    assert raw("yandex", replace(MESSAGE, text="Пока"))["request"]["nlu"]["entities"] == []


def test_the_caller_stands_in_paths_too() -> None:
    """A phone's number is also part of the path of its sound."""
    assert f"/{MESSAGE.native}/" in raw("resterisk")["data"]["resourcePath"]
