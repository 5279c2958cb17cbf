"""A subject that runs: started, asked until it answers, and asked whether it answers right."""

from __future__ import annotations

import http.client
import tempfile
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.suite import traffic
from tests.bench.suite.groups import Group, running
from tests.bench.suite.subjects import Place, Subject
from tests.bench.suite.traffic import HEADERS
from tests.processes import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHECKED = 10
_POLL_SECONDS = 0.002
_SETTLE_SECONDS = 60.0


class Unfit(Exception):
    """A subject that can't do what is asked of it, within its bounds; says why."""


@dataclass
class Served:
    """A subject that answers: `start` and `start_cpu` seconds to its first answer, `answered` requests up to now.

    `open` requests were sent, and nobody waited for their answers to the end.
    """

    subject: Subject
    place: Place
    group: Group
    start: float
    start_cpu: float
    answered: int = 1
    open: int = 0

    @property
    def requests(self) -> Path:
        """The file with the bodies of its load."""
        return self.place.folder / "requests"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.place.port}/"


@dataclass(frozen=True)
class Bounds:
    """Seconds that a subject has until its first answer, and for some answers before it is put under load."""

    start: float
    answer: float


@contextmanager
def served(subject: Subject, bounds: Bounds, webhook: str = "") -> Iterator[Served]:
    """The subject, running and found to answer right; killed in the end.

    Raises:
        Unfit: it is missing, too slow, or wrong.
    """
    if subject.missing:
        raise Unfit(subject.missing)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="aimyproxy-bench-")))
        place = Place(folder, free_port(), free_port(), webhook)
        group = stack.enter_context(running(subject.command(place), folder))
        start = _first_answer(group, place, subject.asked[0].request, bounds.start)
        one = Served(subject, place, group, start, group.cpu())
        try:
            subject.prepared(place)
        except OSError as error:
            raise Unfit(f"can't be prepared: {error}") from None
        traffic.write_requests(one.requests, subject.asked)
        check(one, bounds.answer)
        yield one


def _first_answer(group: Group, place: Place, body: bytes, seconds: float) -> float:
    """Seconds from the start until any answer came."""
    deadline = group.started + seconds
    while (now := time.perf_counter()) < deadline:
        try:
            post(place.port, body, deadline - now)
        except OSError:
            if not group.running:
                raise Unfit(f"ended at once: {group.said()}") from None
            time.sleep(_POLL_SECONDS)
        else:
            return time.perf_counter() - group.started
    raise Unfit(f"no answer within {seconds:g} s of its start")


def check(one: Served, seconds: float) -> None:
    """Ask it some requests, one after the other, as many as can be answered in that time.

    Raises:
        Unfit: an answer is wrong, or not even one came in time.
    """
    deadline = time.perf_counter() + seconds
    for number, pair in enumerate(one.subject.asked[:_CHECKED]):
        if number and time.perf_counter() > deadline - seconds / 2:
            return
        try:
            status, body = post(one.place.port, pair.request, seconds)
        except TimeoutError:
            raise Unfit(f"takes more than {seconds:g} s for an answer") from None
        except OSError as error:
            raise Unfit(f"breaks off: {error}") from None
        if not one.subject.right(pair, status, body):
            raise Unfit(f"answers wrong: {status} {body[:80].decode(errors='replace')}")
        one.answered += 1


def lost(one: Served) -> int:
    """Ends the subject in order; how many answers are not on its disk.

    Raises:
        Unfit: it ended with another status than 0, or has on its disk what it can't have been asked.
    """
    assert one.subject.kept
    status = one.group.stop()
    on_disk = one.subject.kept(one.place.folder)
    if status != 0:
        raise Unfit(f"ended with {status}: {one.group.said()}")
    if on_disk > one.answered + one.open:
        raise Unfit(f"answered {one.answered:,}, but has {on_disk:,} on disk")
    return max(0, one.answered - on_disk)


def settled(group: Group) -> None:
    """Return when it has nothing more to do, what it does in the background included; after some time in any case."""
    deadline = time.monotonic() + _SETTLE_SECONDS
    used = -1.0
    while (now := group.cpu()) > used + 0.01 and time.monotonic() < deadline:
        used = now
        time.sleep(0.3)


def post(port: int, body: bytes, seconds: float) -> tuple[int, bytes]:
    """Status and body of the answer to one POST on a connection of its own; OSError where there is none."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=max(seconds, 0.001))
    try:
        connection.request("POST", "/", body, dict(HEADERS))
        response = connection.getresponse()
        return response.status, response.read()
    except http.client.HTTPException as error:
        raise ConnectionError(f"no HTTP: {error!r}") from None
    finally:
        connection.close()
