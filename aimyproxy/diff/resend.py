"""Sending a recording's requests to a live candidate: side by side, in each conversation's order, at a pace."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aimyproxy.diff.asking import ask, session_of
from aimyproxy.diff.chain import Drift
from aimyproxy.errors import TargetError
from aimyproxy.trust import SYSTEM

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    import aiohttp

    from aimyproxy.exchange import Exchange
    from aimyproxy.target import Target
    from aimyproxy.trust import Trust

# How many requests may wait for their conversation's turn: bounds memory, whatever the recording's length.
_READ_AHEAD: Final = 1000


@dataclass(frozen=True, slots=True)
class Resent:
    """What became of one request: the baseline's exchange and its id, and the exchange with the candidate.

    `reached` is False where the request did not get through, so that the failure tells nothing of how it is answered.
    `repeats` are exchanges of the same side and request, in pairs of one and the next. `altered` are the variables
    of which the request said what the candidate's earlier answers had made of them; where there are some, `unaltered`
    is the exchange of the request as it was recorded.
    """

    id: int
    baseline: Exchange
    candidate: Exchange
    reached: bool
    repeats: tuple[tuple[Exchange, Exchange], ...] = ()
    altered: frozenset[str] = frozenset()
    unaltered: Exchange | None = None


@dataclass(frozen=True, slots=True)
class Pace:
    """How requests are sent: at most so many at once, each for at most `timeout` seconds, `repeat` times in a row.

    `rate` is the most requests a second; `mark` the name of the header that says `1` in all of them, None for no such;
    `trust` says whose certificates are accepted.
    """

    concurrency: int = 8
    timeout: float = 30.0
    repeat: int = 1
    rate: float | None = None
    mark: str | None = None
    trust: Trust = SYSTEM


def resend(
    exchanges: Iterable[tuple[int, Exchange]],
    target: Target,
    on_result: Callable[[Resent], None],
    pace: Pace,
    *,
    against: Target | None = None,
    chain: bool = False,
) -> None:
    """Send all requests, each conversation in its recorded order and the conversations side by side.

    Requests without a conversation go one after another, as one conversation. `on_result` is called for each as its
    answer comes, in whatever order that is. Exchanges are read as they are needed.

    Where there is another target to compare `against`, it is asked before, and what it answers takes the place of what
    was recorded. In a `chain`, variables that the candidate answered otherwise go into the conversation's later
    requests.

    Raises:
        TargetError: the target could not be reached at all: none of the first requests got through.
        KeyboardInterrupt: from the keyboard; what was under way is given up.
    """
    try:
        asyncio.run(_Run(target, on_result, pace, against, chain=chain).send(exchanges))
    except BaseExceptionGroup as several:
        # A lane's error arrives wrapped by its task group; the first one stopped the run.
        raise several.exceptions[0] from None


class _Run:
    """One re-sending: a lane for each conversation that has requests waiting, in a task of its own."""

    def __init__(
        self,
        target: Target,
        on_result: Callable[[Resent], None],
        pace: Pace,
        against: Target | None,
        *,
        chain: bool,
    ) -> None:
        self._target = target
        self._against = against
        self._chain = chain
        self._on_result = on_result
        self._pace = pace
        self._next = 0.0
        self._lanes: dict[Hashable, deque[tuple[int, Exchange]]] = {}
        self._under_way = asyncio.Semaphore(pace.concurrency)
        self._read_ahead = asyncio.Semaphore(max(_READ_AHEAD, pace.concurrency))
        self._reached_once = False
        self._unreached = 0
        self._last_problem = ""

    async def send(self, exchanges: Iterable[tuple[int, Exchange]]) -> None:
        async with session_of(self._pace.timeout, self._pace.trust) as session, asyncio.TaskGroup() as tasks:
            for identity, exchange in exchanges:
                await self._read_ahead.acquire()
                lane = self._lanes.get(exchange.conversation)
                if lane is None:
                    lane = self._lanes[exchange.conversation] = deque()
                    tasks.create_task(self._work_off(lane, exchange.conversation, session))
                lane.append((identity, exchange))
        if self._unreached and not self._reached_once:
            raise self._unreachable()

    async def _work_off(
        self, lane: deque[tuple[int, Exchange]], conversation: Hashable, session: aiohttp.ClientSession
    ) -> None:
        drift = Drift() if self._chain and conversation else None
        while lane:
            identity, exchange = lane.popleft()
            async with self._under_way:
                resent = await self._resent(identity, exchange, session, drift)
            self._read_ahead.release()
            self._watch(resent.candidate, reached=resent.reached)
            self._on_result(resent)
        del self._lanes[conversation]

    async def _resent(
        self, identity: int, exchange: Exchange, session: aiohttp.ClientSession, drift: Drift | None
    ) -> Resent:
        """Ask both sides, or the candidate alone."""
        repeats: list[tuple[Exchange, Exchange]] = []
        baseline = exchange
        if self._against:
            baseline, reached = await self._ask(session, self._against, exchange, repeats)
            if not reached:
                return Resent(identity, exchange, baseline, reached)
        asked, altered = drift.followed(exchange) if drift else (exchange, frozenset[str]())
        answered, reached = await self._ask(session, self._target, asked, repeats)
        if drift:
            drift.add(baseline, answered)
        unaltered = None
        if altered and reached:
            unaltered, _ = await self._ask_once(session, self._target, exchange)
        return Resent(identity, baseline, answered, reached, tuple(repeats), altered, unaltered)

    async def _ask(
        self,
        session: aiohttp.ClientSession,
        target: Target,
        exchange: Exchange,
        repeats: list[tuple[Exchange, Exchange]],
    ) -> tuple[Exchange, bool]:
        """Ask a target, as often as wanted; the first exchange counts, and whether it got through."""
        first, reached = await self._ask_once(session, target, exchange)
        before = first
        for _ in range(1, self._pace.repeat if reached else 1):
            again, _ = await self._ask_once(session, target, exchange)
            repeats.append((before, again))
            before = again
        return first, reached

    async def _ask_once(
        self, session: aiohttp.ClientSession, target: Target, exchange: Exchange
    ) -> tuple[Exchange, bool]:
        if self._pace.rate:
            moment = asyncio.get_running_loop().time()
            # Each takes its turn before it waits, so that all of them together keep the rate.
            turn = self._next = max(moment, self._next)
            self._next += 1 / self._pace.rate
            await asyncio.sleep(turn - moment)
        return await ask(session, target, exchange, self._pace.mark)

    def _watch(self, answered: Exchange, *, reached: bool) -> None:
        """Stop early where nothing at all gets through: five hundred times "refused" would tell no more than one."""
        self._reached_once = self._reached_once or reached
        if not reached and answered.failure and answered.failure.kind == "connect":
            self._unreached += 1
            self._last_problem = answered.failure.message
        if not self._reached_once and self._unreached >= self._pace.concurrency:
            raise self._unreachable()

    def _unreachable(self) -> TargetError:
        names = self._target.display if self._against is None else "One of the two webhooks"
        return TargetError(
            f"{names} can't be reached: {self._last_problem}. Is the webhook running, and is its URL right?"
        )
