"""Shadowing: a copy of each request goes to a candidate after the bot was served, and its answers to a recording."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from aimyproxy.diff.asking import ask, session_of
from aimyproxy.trust import SYSTEM

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    import aiohttp

    from aimyproxy.exchange import Exchange, Failure
    from aimyproxy.target import Target
    from aimyproxy.trust import Trust

_MOST: Final = 1_000
"""How many requests may wait for a candidate that is slower than the bot."""
_LANES: Final = 8
"""How many are under way at once; a conversation's requests go one after another, in their order."""

Copy = tuple[int, "Exchange"]


class Shadow:
    """Asks a candidate what a bot asks the webhook; in a thread of its own, so that nobody waits for it.

    What the candidate answers is given to `keep`, as made from the recording of the name `source`. `trouble` is told of
    what goes wrong, from that thread. Of the counters, `dropped` are copies for which there was no room or no time,
    `unsent` those that did not get through, `waiting` those that wait or are under way.
    """

    def __init__(
        self,
        target: Target,
        keep: Callable[[Exchange], Awaitable[int | None]],
        source: str,
        trouble: Callable[[str], None],
        *,
        mark: str | None = None,
        timeout: float = 30.0,
        trust: Trust = SYSTEM,
    ) -> None:
        self.sent = self.unsent = self.dropped = self.waiting = 0
        self._target = target
        self._keep = keep
        self._source = source
        self._trouble = trouble
        self._mark = mark
        self._timeout = timeout
        self._trust = trust
        self._loop = asyncio.new_event_loop()
        self._lanes: list[asyncio.Queue[Copy | None]] = []
        self._counting = threading.Lock()

    def put(self, identity: int, exchange: Exchange) -> None:
        """Let the candidate be asked what the exchange of this id asked; from any thread, at once."""
        with self._counting:
            if self.waiting >= _MOST:
                self.dropped += 1
                return
            self.waiting += 1
        lane = self._lanes[hash(exchange.conversation) % _LANES]
        self._loop.call_soon_threadsafe(lane.put_nowait, (identity, exchange))

    @contextmanager
    def running(self) -> Iterator[None]:
        """A context in which copies are sent; at its end, those that wait are given as long as one answer may take."""
        self._lanes = [asyncio.Queue() for _ in range(_LANES)]
        thread = threading.Thread(target=self._run, name="shadow", daemon=True)
        thread.start()
        try:
            yield
        finally:
            for lane in self._lanes:
                self._loop.call_soon_threadsafe(lane.put_nowait, None)
            thread.join(self._timeout + 1)
            if thread.is_alive():
                self.give_up()
                thread.join()
            self.dropped += self.waiting
            self._loop.close()

    def _run(self) -> None:
        with suppress(asyncio.CancelledError):
            self._loop.run_until_complete(self._work())

    def give_up(self) -> None:
        """Wait for no more answers; from any thread."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._cancel)

    def _cancel(self) -> None:
        for task in asyncio.all_tasks(self._loop):
            task.cancel()

    async def _work(self) -> None:
        async with session_of(self._timeout, self._trust) as session, asyncio.TaskGroup() as tasks:
            for lane in self._lanes:
                tasks.create_task(self._work_off(lane, session))

    async def _work_off(self, lane: asyncio.Queue[Copy | None], session: aiohttp.ClientSession) -> None:
        while copy := await lane.get():
            identity, exchange = copy
            answered, reached = await ask(session, self._target, exchange, self._mark)
            with self._counting:
                self.waiting -= 1
            if reached:
                self.sent += 1
                await self._keep(replace(answered, made_from=(self._source, identity)))
            else:
                self.unsent += 1
                self._trouble(f"The shadow {self._target.display} {_problem(answered.failure)}.")


def _problem(failure: Failure | None) -> str:
    if failure is None or failure.kind != "connect":
        return f"gets no copy: {failure.message if failure else 'nobody knows why'}"
    return f"can't be reached: {failure.message}"
