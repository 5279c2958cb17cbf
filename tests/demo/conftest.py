"""The sample webhook in this process, and what the simulated bot hears from it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from aimyproxy.demo import bot
from aimyproxy.demo.webhook import Webhook

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aimyproxy.exchange import Exchange


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    with Webhook(seed=7) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def exchanges(webhook: Webhook) -> list[Exchange]:
    """Everything that the bot's usual conversations exchange with version 1."""
    return bot.run(webhook.url, bot.conversations())
