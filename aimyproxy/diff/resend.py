"""Sending a recording's requests to a live candidate. The only place that imports aiohttp."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from dataclasses import dataclass, replace
from time import perf_counter
from typing import TYPE_CHECKING, Final

import aiohttp
from yarl import URL

from aimyproxy.content import ACCEPTED, body_of
from aimyproxy.diff.chain import Drift
from aimyproxy.errors import TargetError
from aimyproxy.exchange import HOP_BY_HOP, Exchange, Failure, Response, Timing
from aimyproxy.store.recording import now
from aimyproxy.trust import SYSTEM

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from aimyproxy.exchange import FailureKind, Request
    from aimyproxy.target import Target
    from aimyproxy.trust import Trust

# How many requests may wait for their conversation's turn: bounds memory, whatever the recording's length.
_READ_AHEAD: Final = 1000
_LONGEST_HEADER: Final = 64 * 1024
_NOT_RESENT: Final = HOP_BY_HOP | {"accept-encoding", "content-encoding", "expect", "host"}


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


def session_of(timeout: float, trust: Trust) -> aiohttp.ClientSession:
    """A session in which each answer may take so many seconds; raises InvalidOption."""
    return aiohttp.ClientSession(
        # A connection of its own for each request: one that was kept alive may be closed by the webhook just as we
        # use it, and that would look like a difference.
        connector=aiohttp.TCPConnector(limit=0, force_close=True, ssl=trust.context()),
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=timeout, sock_connect=timeout),
        skip_auto_headers=("Accept", "Content-Type", "User-Agent"),
        max_line_size=_LONGEST_HEADER,
        max_field_size=_LONGEST_HEADER,
    )


async def ask(
    session: aiohttp.ClientSession, target: Target, exchange: Exchange, mark: str | None
) -> tuple[Exchange, bool]:
    """The exchange with the candidate, and whether the request got through."""
    at, started = now(), perf_counter()
    response: Response | None = None
    failure: Failure | None = None
    reached = True
    try:
        response = await _response(session, target, exchange.request, mark)
    except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
        failure, reached = _failure(error)
    waited = round((perf_counter() - started) * 1000, 3)
    timing = Timing(waited if reached else None, waited)
    return replace(exchange, at=at, response=response, failure=failure, timing=timing), reached


async def _response(session: aiohttp.ClientSession, target: Target, request: Request, mark: str | None) -> Response:
    url = URL(target.origin + target.joined(request.path), encoded=True)
    headers = headers_to_send(request, target, mark)
    sent = request.body.raw or None
    async with session.request(request.method, url, headers=headers, data=sent, allow_redirects=False) as answer:
        content = await answer.read()
        answered = tuple((_text(name), _text(value)) for name, value in answer.raw_headers)
        body = body_of(content, ",".join(answer.headers.getall("Content-Encoding", [])))
        return Response(answer.status, answered, body)


def headers_to_send(request: Request, target: Target, mark: str | None) -> list[tuple[str, str]]:
    """The recorded headers less those of one connection only, and the one of this name that marks a replay."""
    named = {
        name.strip().lower()
        for header, value in request.headers
        if header.lower() == "connection"
        for name in value.split(",")
    }
    dropped = _NOT_RESENT | named | ({mark.lower()} if mark else set())
    if request.body.encoded:
        # The body could not be decoded when it was recorded: it is sent as it came.
        dropped -= {"content-encoding"}
    if target.authorization:
        dropped |= {"authorization"}
    headers = [(name, value) for name, value in request.headers if name.lower() not in dropped]
    if target.authorization:
        headers.append(("Authorization", target.authorization))
    return [*headers, ("Accept-Encoding", ACCEPTED), *([(mark, "1")] if mark else [])]


def _failure(error: Exception) -> tuple[Failure, bool]:
    """The failure that an error means, and whether the request got through."""
    message = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, aiohttp.ClientConnectorError):
        return Failure("connect", connection_problem(error) or message), False
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return Failure("connect", "no connection in time"), False
    if isinstance(error, TimeoutError):
        return Failure("timeout", "no complete answer in time"), True
    if isinstance(error, aiohttp.ClientError | OSError) and not isinstance(error, aiohttp.InvalidURL):
        return Failure(_kind(error), message), True
    # What is left never left this machine: a method, path or header that HTTP has no form for.
    return Failure("protocol", f"the recorded request can't be sent: {message}"), False


def _kind(error: aiohttp.ClientError | OSError) -> FailureKind:
    return "protocol" if isinstance(error, aiohttp.ClientResponseError) else "disconnect"


def connection_problem(error: aiohttp.ClientConnectorError) -> str:
    """The system's word for why there is no connection, "" where there is none."""
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"the name {error.host} can't be resolved"
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        why = getattr(error.certificate_error, "verify_message", "")
        return f"its certificate can't be verified ({why or 'it is not trusted'}; see --ca)"
    # aiohttp's own text repeats the address, and speaks of ssl where there is none.
    if isinstance(error, aiohttp.ClientSSLError):
        reason = str(getattr(error.os_error, "reason", None) or error.os_error.strerror or "it hangs up")
        return f"it speaks no TLS, or not ours ({reason.replace('_', ' ').lower()})"
    code = error.os_error.errno
    return os.strerror(code) if code and code > 0 else ""


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")
