"""A real browser without a window, driven by the Chrome DevTools Protocol."""

from __future__ import annotations

import asyncio
import base64
import os
import shutil
import tempfile
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from tests.processes import eventually

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
"""The browser's program, None where this machine has none."""


class Tab:
    """One page."""

    def __init__(self, socket):
        self._socket = socket
        self._number = 0

    async def call(self, method, **parameters):
        """Call a method of the protocol and wait for its result."""
        self._number += 1
        await self._socket.send_json({"id": self._number, "method": method, "params": parameters})
        async for message in self._socket:
            answer = message.json()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]
        raise AssertionError("the browser has gone")

    async def js(self, expression):
        """The value of an expression in the page."""
        answer = await self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    async def open(self, file):
        """Load a file from the disk, with no network at all."""
        await self.call("Network.enable")
        await self.call(
            "Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=0, uploadThroughput=0
        )
        await self.call("Page.navigate", url=Path(file).as_uri())
        while not await self.js(f"document.readyState == 'complete' && location.href == {Path(file).as_uri()!r}"):
            await asyncio.sleep(0.02)

    async def colours(self, scheme):
        """Let the page be read in the `light` or in the `dark`."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        await self.call("Emulation.setEmulatedMedia", features=features)

    async def screenshot(self, file):
        """Take a picture of the window."""
        taken = await self.call("Page.captureScreenshot", format="png")
        Path(file).write_bytes(base64.b64decode(taken["data"]))


@asynccontextmanager
async def tab():
    """A tab of a browser of its own, gone with its processes afterwards."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        flags = ["--headless=new", "--remote-debugging-port=0", f"--user-data-dir={profile}", "--no-first-run"]
        flags += ["--disable-gpu", "--disable-dev-shm-usage", "--window-size=1200,900"]
        flags += ["--no-sandbox"] if os.geteuid() == 0 else []
        process = await asyncio.create_subprocess_exec(
            CHROMIUM, *flags, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
        )
        try:
            port_file = Path(profile) / "DevToolsActivePort"
            await asyncio.to_thread(eventually, lambda: port_file.exists() and port_file.read_text(), "the browser")
            port = port_file.read_text().split()[0]
            async with aiohttp.ClientSession() as session:
                async with session.get(f"http://127.0.0.1:{port}/json/list") as answer:
                    page = next(one for one in await answer.json() if one["type"] == "page")
                async with session.ws_connect(page["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                    yield Tab(socket)
        finally:
            process.terminate()
            await process.wait()
