"""The HTML report in a real browser, from the disk and without a network."""

from __future__ import annotations

import asyncio
import random

import pytest

from aimyproxy.store.recording import Recording
from tests import builders
from tests.browser import CHROMIUM, tab
from tests.processes import run

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="this machine has no Chromium")


@pytest.fixture
def page(tmp_path, monkeypatch):
    """The report on two versions: a greeting, a price, a vanished hint, and a dice that is noise."""
    monkeypatch.setenv("AIMYPROXY_RECORDINGS", str(tmp_path))
    dice = random.Random(5)
    for version in (1, 2):
        recording = Recording.create(tmp_path / f"shop-v{version}", None)
        for user in range(8):
            hello = "Добрый день" if version == 1 else "Добрый вечер"
            greeting = f"{hello}, <b>Анна</b>! Чем могу помочь?"
            start = {"greeting": greeting, "dice": dice.randrange(10**6)}
            menu = {"menu": [{"sku": "a", "price": 500 + 50 * version}, {"sku": "b", "price": 700}]}
            menu |= {"hint": "Назовите пиццу"} if version == 1 else {}
            for event, made in (("start", start), ("menu", menu)):
                asked = builders.request(userId=f"u{user}", action=event)
                recording.append(builders.exchange(asked, builders.response(made)))
        recording.close()
    file = tmp_path / "report.html"
    assert run("diff", "shop-v1", "shop-v2", "--output", file).process.returncode == 1
    return file


VISIBLE = """[...document.querySelectorAll("article")].filter(one => one.offsetHeight > 0)
             .map(one => one.querySelector("strong").innerText + " " + one.querySelector("code").innerText)"""
MARKED = """[...document.querySelectorAll("article .sides")].slice(0, 1)
            .flatMap(one => [...one.querySelectorAll("mark")].map(mark => mark.innerText))"""
CHOOSE = """(name, value) => { const field = document.querySelector(name);
            field.type == "checkbox" ? field.checked = value : field.value = value;
            field.dispatchEvent(new Event("change", {bubbles: true})); }"""
CONTRAST = """[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]
              .map(colour => colour.match(/[0-9]+/g).map(Number).reduce((sum, one) => sum + one))"""


def test_the_report_can_be_read_and_filtered(page, tmp_path):
    """Noise is there when it is wanted; what changed is marked; in the light and in the dark."""

    async def look():
        async with tab() as one:
            await one.open(page)
            assert await one.js("document.querySelector('h1').innerText") == (
                "16 of 16 answers differ, in 2 of 2 events."
            )
            assert await one.js(VISIBLE) == ["menu $.hint", "menu $.menu[*].price", "start $.greeting"]
            assert await one.js("document.querySelector('output').value") == "3 of 4 shown"
            assert await one.js("document.querySelectorAll('b').length") == 0
            await one.js(f"({CHOOSE})('[name=noise]', true)")
            assert (await one.js(VISIBLE))[-1] == "start $.dice"
            await one.js(f"({CHOOSE})('[name=event]', 'start')")
            assert await one.js(VISIBLE) == ["start $.greeting", "start $.dice"]
            await one.js(f"({CHOOSE})('[name=kind][value=changed]', false)")
            assert await one.js(VISIBLE) == []
            await one.js(f"({CHOOSE})('[name=kind][value=changed]', true)")
            await one.js(f"({CHOOSE})('[name=event]', '')")
            marked = await one.js(MARKED.replace("article", "article:nth-of-type(3)"))
            assert marked == ["день", "вечер"]
            brightness = []
            for scheme in ("light", "dark"):
                await one.colours(scheme)
                await one.screenshot(tmp_path / f"{scheme}.png")
                brightness.append(await one.js(CONTRAST))
            (light_ground, light_text), (dark_ground, dark_text) = brightness
            assert light_ground - light_text > 500
            assert dark_text - dark_ground > 500
            assert await one.js("document.documentElement.scrollWidth <= window.innerWidth")

    asyncio.run(asyncio.wait_for(look(), 60))
    pictures = [(tmp_path / f"{scheme}.png").read_bytes() for scheme in ("light", "dark")]
    assert all(picture.startswith(b"\x89PNG") for picture in pictures)
    assert pictures[0] != pictures[1]
