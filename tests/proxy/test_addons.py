"""What the addons do between mitmproxy's events."""

from __future__ import annotations

import asyncio

import pytest
from mitmproxy.connection import Client, Server
from mitmproxy.http import HTTPFlow

from aimyproxy.guard import OPEN_PROXY
from aimyproxy.proxy.addons import Recorder
from aimyproxy.proxy.stream import REFUSAL


@pytest.mark.parametrize("ending", ["answered", "given up"])
def test_a_bots_upstream_is_kept_for_all_that_it_had_sent_ahead(ending):
    """Else a webhook would be blamed for a connection that we had closed."""
    client = Client(peername=("127.0.0.1", 1), sockname=("127.0.0.1", 2), timestamp_start=1)
    recorder = Recorder(None, lambda _: None, lambda _: True)

    def begun():
        flow = HTTPFlow(client, Server(address=("webhook", 81)))
        flow.metadata[REFUSAL] = OPEN_PROXY
        recorder.requestheaders(flow)
        return flow

    async def waits(task):
        done, _ = await asyncio.wait([task], timeout=0)
        return not done

    async def hung_up():
        first = begun()
        leaving = asyncio.create_task(recorder.client_disconnected(client))
        assert await waits(leaving)
        await recorder.response(first)
        second = begun()
        assert await waits(leaving)
        if ending == "answered":
            await recorder.response(second)
        else:
            recorder.give_up()
        await asyncio.wait_for(leaving, 10)

    asyncio.run(hung_up())
