from __future__ import annotations

import pytest

from aimyproxy.store.recording import Recording
from tests.builders import START, exchange, request, response


@pytest.fixture
def shop(tmp_path):
    """A recording: two visits of one user, who is greeted at the first, and an order."""
    recording = Recording.create(tmp_path / "shop", "https://hook.example.com/bot")
    recording.append(exchange())
    recording.append(exchange(request(queryText="Ещё раз"), response({**START, "visits": 2})))
    recording.append(exchange(request(action="order"), response({"total": 1180.5}, status=201)))
    yield recording
    recording.close()
