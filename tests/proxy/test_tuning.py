from __future__ import annotations

import asyncio
import contextlib
import logging
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mitmproxy import http, version
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.master import Master
from mitmproxy.options import Options
from mitmproxy.proxy import commands, events
from mitmproxy.proxy.layers.http import HttpResponseHook

from aimyproxy.proxy import fits, server, tuning
from aimyproxy.proxy.addons import Recorder
from aimyproxy.proxy.limits import Limits
from aimyproxy.proxy.settings import Settings
from aimyproxy.target import Target


def test_the_installed_mitmproxy_is_tuned_and_unknown_ones_are_left_as_they_are():
    """Every version that this project installs was measured; a later one runs without the tuning."""
    assert fits()
    assert fits(version.VERSION)
    assert not fits("11.1.0")
    assert not fits("13.0.0")


@pytest.mark.parametrize("known", [True, False])
def test_only_a_known_mitmproxy_gets_the_addon(monkeypatch, known):
    """Elsewhere nothing of mitmproxy is touched."""
    monkeypatch.setattr(server, "fits", lambda: known)

    async def configured():
        master = Master(Options())
        settings = Settings(Target.parse("http://127.0.0.1:1"), ("127.0.0.1", 0))
        proxyserver = Proxyserver()
        limits = Limits(proxyserver, 1, 1, 1)
        server._configure(master, settings, proxyserver, limits, Recorder(print, print, print))
        await master.done()
        return master.addons.get("tuning") is not None

    assert asyncio.run(configured()) is known


NAMES = st.sampled_from(["Host", "host", "X-ä", "Content-Type"])


@given(st.lists(st.tuples(NAMES.map(str.encode), st.binary())), NAMES)
def test_headers_are_looked_up_as_mitmproxy_does(fields, name):
    """Folded, without regard to case, and whatever their bytes are."""
    headers = http.Headers(fields)
    try:
        expected = headers[name]
    except KeyError:
        expected = None
    assert tuning._get(headers, name) == tuning._get(headers, name.encode()) == expected
    assert tuning._get(headers, "absent", "default") == "default"


class Layer:
    """Top of a connection's layers that answers events with commands as it is told."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.seen = []

    def handle_event(self, event):
        self.seen.append(event)
        yield from self.answers.pop(0)


class Writer:
    def __init__(self):
        self.written = []
        self.closing = False

    def write(self, data):
        self.written.append(data)

    def is_closing(self):
        return self.closing


class Handler:
    """The part of mitmproxy's connection handler that a shortcut uses."""

    def __init__(self, layer):
        self.layer = layer
        self.writer = Writer()
        self.connection = SimpleNamespace()
        self.transports = _Anything(SimpleNamespace(writer=self.writer))
        self.timeout_watchdog = SimpleNamespace(disarm=contextlib.nullcontext)

    async def server_event(self, event):
        list(self.layer.handle_event(event))


class _Anything:
    def __init__(self, value):
        self._value = value

    def get(self, _):
        return self._value


def shortcut(layer, *addons):
    handler = Handler(layer)
    handler.layer = tuning.Shortcut(handler, tuning.Hooks(SimpleNamespace(chain=list(addons))))
    return handler


def send(data):
    return commands.SendData("the bot", data)


def test_what_belongs_together_is_sent_in_one_piece_and_before_a_connection_is_closed():
    """Head and body make one write; a command behind them finds them written."""
    handler = shortcut(Layer([send(b"head"), send(b"body"), commands.CloseConnection("the bot"), send(b"late")]))
    left = handler.layer.handle_event(events.Start())
    assert isinstance(next(left), commands.CloseConnection)
    assert handler.writer.written == [b"headbody"]
    handler.writer.closing = True
    assert list(left) == []
    assert handler.writer.written == [b"headbody"]


def test_addons_are_called_in_order_and_one_that_fails_stops_nobody(caplog):
    """What one raises is logged, as in stock mitmproxy; the layer goes on in the same step."""
    called = []

    def fail(_):
        raise ValueError("a bug")

    addons = [
        SimpleNamespace(response=lambda flow: called.append(("first", flow))),
        SimpleNamespace(response=fail),
        SimpleNamespace(other=None),
        SimpleNamespace(response=lambda flow: called.append(("last", flow))),
    ]
    hook = HttpResponseHook("a flow")
    layer = Layer([hook], [send(b"answer")])
    handler = shortcut(layer, *addons)
    with caplog.at_level(logging.ERROR, "mitmproxy"):
        assert list(handler.layer.handle_event(events.Start())) == []
    assert called == [("first", "a flow"), ("last", "a flow")]
    assert "a bug" in caplog.text
    assert handler.writer.written == [b"answer"]
    assert layer.seen[1].command is hook


def test_nothing_is_sent_before_an_addon_that_waits_has_come_to_its_end():
    """The layer goes on when the addon does, cancellation inside of it included; those behind it come later."""
    called = []

    async def scene():
        ready = asyncio.Event()

        async def waits(_):
            called.append("begins")
            await ready.wait()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.001):
                    await asyncio.Event().wait()
            await asyncio.sleep(0)
            called.append("ends")

        addons = [SimpleNamespace(response=waits), SimpleNamespace(response=lambda _: called.append("behind"))]
        handler = shortcut(Layer([HttpResponseHook("a flow")], [send(b"answer")]), *addons)
        assert list(handler.layer.handle_event(events.Start())) == []
        assert called == ["begins"]
        assert handler.writer.written == []
        ready.set()
        while not handler.writer.written:
            await asyncio.sleep(0.001)

    asyncio.run(asyncio.wait_for(scene(), 30))
    assert called == ["begins", "ends", "behind"]
