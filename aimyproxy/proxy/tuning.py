"""What makes mitmproxy quicker and changes nothing else; only with versions that it was measured and tested with.

Stock mitmproxy asks every addon at every hook, in a task of its own, sends the parts of a message one by one, and
checks the types of what it made itself. That is left out here; what mitmproxy's layers decide stays theirs.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import types
from collections import deque
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from mitmproxy import ctx, http
from mitmproxy.addonmanager import traverse
from mitmproxy.proxy import commands, events
from mitmproxy.proxy.layers.http import _hooks as http_hooks

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Generator

    from mitmproxy.addonmanager import AddonManager
    from mitmproxy.addons.proxyserver import Proxyserver
    from mitmproxy.connection import Client, Connection
    from mitmproxy.proxy.commands import StartHook
    from mitmproxy.proxy.layer import CommandGenerator
    from mitmproxy.proxy.server import ConnectionHandler

_OFTEN: Final[tuple[type[StartHook], ...]] = (
    http_hooks.HttpRequestHeadersHook,
    http_hooks.HttpRequestHook,
    http_hooks.HttpResponseHeadersHook,
)


class Tuning:
    """The addon that puts a shortcut on top of each connection's layers; to be added behind all others."""

    def __init__(self, proxyserver: Proxyserver, addons: AddonManager) -> None:
        self._proxyserver = proxyserver
        self._hooks = Hooks(addons)
        self._options = types.SimpleNamespace()

    def running(self) -> None:
        """All addons and their options are known now, and none will change."""
        self._options = types.SimpleNamespace(**{name: option.current() for name, option in ctx.options.items()})
        for kind in _OFTEN:
            # A layer has to wait only for an addon that waits itself.
            kind.blocking = self._hooks.may_wait(kind)
        spare_checks()

    def client_connected(self, client: Client) -> None:
        """A connection begins; its layers have seen no event yet."""
        handler = self._proxyserver.connections[client.id]
        # Asked for an option, the original copies its value each time.
        handler.layer.context.options = self._options  # type: ignore[assignment]
        handler.layer = Shortcut(handler, self._hooks)  # type: ignore[assignment]


def spare_checks() -> None:
    """Look headers up in one pass, and don't check the types of messages that were parsed a moment ago."""
    http.MessageData.__post_init__ = lambda _: None  # type: ignore[method-assign]
    http.Headers.get = _get  # type: ignore[method-assign]
    http.Headers.__contains__ = lambda headers, name: _get(headers, name) is not None  # type: ignore[method-assign]


def _get(headers: Any, name: Any, default: Any = None) -> Any:
    key = (name if isinstance(name, bytes) else name.encode("utf-8", "surrogateescape")).lower()
    found = [value for field, value in headers.fields if field.lower() == key]
    return b", ".join(found).decode("utf-8", "surrogateescape") if found else default


class _Callables(NamedTuple):
    argument: str
    calls: tuple[Callable[[Any], Any], ...]
    may_wait: bool


class Hooks:
    """Who has to be called at which hook, looked up once; an addon that waits has to be `async def`."""

    def __init__(self, addons: AddonManager) -> None:
        self._addons = addons
        self._known: dict[type[StartHook], _Callables] = {}

    def may_wait(self, kind: type[StartHook]) -> bool:
        """Whether one of this hook's addons is `async def`."""
        return self._of(kind).may_wait

    def call(self, hook: StartHook) -> Awaitable[None] | None:
        """Call the addons; what is left to be awaited where one of them could not go on at once, else None."""
        argument, calls, _ = self._of(type(hook))
        return _begun(_call_all(calls, getattr(hook, argument))) if calls else None

    def _of(self, kind: type[StartHook]) -> _Callables:
        if kind not in self._known:
            found = (getattr(addon, kind.name, None) for addon in traverse(self._addons.chain))
            calls = tuple(call for call in found if callable(call))
            may_wait = any(inspect.iscoroutinefunction(call) for call in calls)
            self._known[kind] = _Callables(fields(kind)[0].name, calls, may_wait)  # type: ignore[arg-type]
        return self._known[kind]


class Shortcut:
    """Stands on top of a connection's layers: calls hooks at once, and sends in one piece what belongs together."""

    def __init__(self, handler: ConnectionHandler, hooks: Hooks) -> None:
        self._handler = handler
        self._layer = handler.layer
        self._hooks = hooks
        self._unsent: dict[Connection, list[bytes]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def handle_event(self, event: events.Event) -> CommandGenerator[None]:
        """As a layer's: yields what is left of the layers' commands for mitmproxy to do."""
        pending = deque([event])
        try:
            while pending:
                for command in self._layer.handle_event(pending.popleft()):
                    if isinstance(command, commands.SendData):
                        self._unsent.setdefault(command.connection, []).append(command.data)
                    elif isinstance(command, commands.StartHook):
                        if self._called(command) and command.blocking:
                            pending.append(events.HookCompleted(command))
                    else:
                        # What was said before a connection is closed has to get out.
                        self._send()
                        yield command
        finally:
            self._send()

    def _send(self) -> None:
        for connection, parts in self._unsent.items():
            transport = self._handler.transports.get(connection)
            if transport and transport.writer and not transport.writer.is_closing():
                transport.writer.write(b"".join(parts))
        self._unsent.clear()

    def _called(self, hook: StartHook) -> bool:
        """Whether the hook is done already."""
        rest = self._hooks.call(hook)
        if rest is None:
            return True
        task = asyncio.create_task(self._finish(hook, rest))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return False

    async def _finish(self, hook: StartHook, rest: Awaitable[None]) -> None:
        with self._handler.timeout_watchdog.disarm():
            await rest
        if hook.blocking:
            await self._handler.server_event(events.HookCompleted(hook))


async def _call_all(calls: tuple[Callable[[Any], Any], ...], data: object) -> None:
    for call in calls:
        try:
            result = call(data)
            if result is not None:
                await result
        except Exception as error:  # as in stock mitmproxy: the traffic goes on
            logging.getLogger("mitmproxy.addonmanager").error(f"Addon error: {error}", exc_info=error)


def _begun(coroutine: Coroutine[Any, Any, None]) -> Awaitable[None] | None:
    """Run a coroutine as far as it gets without waiting; what is left of it, or None."""
    try:
        awaited = coroutine.send(None)
    except StopIteration:
        return None
    return _rest(coroutine, awaited)


@types.coroutine
def _rest(coroutine: Coroutine[Any, Any, None], awaited: object) -> Generator[Any, Any, None]:
    try:
        while True:
            try:
                value = yield awaited
            except BaseException as error:  # a cancelled task's, too
                awaited = coroutine.throw(error)
            else:
                awaited = coroutine.send(value)
    except StopIteration:
        return
