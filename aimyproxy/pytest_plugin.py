"""Fixtures for pytest: mock webhooks for a test, stopped at its end, with a report of what they were asked if it fails.

Registered as an entry point, so that every pytest run of whoever has aimyproxy installed imports it: only what is used
costs an import.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from aimyproxy.testing import MockWebhook

_MOCKS: Final = pytest.StashKey["list[MockWebhook]"]()
_MOST_LINES: Final = 50


def pytest_addoption(parser: pytest.Parser) -> None:
    """The folder of recordings may be set in pytest's configuration."""
    parser.addini("aimyproxy_recordings", "The folder of aimyproxy's recordings.", default="recordings")


@pytest.fixture
def aimyproxy_replay(request: pytest.FixtureRequest) -> Iterator[Callable[..., MockWebhook]]:
    """A function that starts mock webhooks: `mock = aimyproxy_replay("shop")`, with the options of aimyproxy.replay.

    Recordings are looked for in pytest's root folder, in `recordings` or what the setting `aimyproxy_recordings` says.
    """
    from aimyproxy.testing import replay

    mocks: list[MockWebhook] = []
    request.node.stash[_MOCKS] = mocks
    folder = request.config.rootpath / request.config.getini("aimyproxy_recordings")
    with ExitStack() as running:

        def start(name: str, **options: Any) -> MockWebhook:
            mock = running.enter_context(replay(name, **{"recordings": folder, **options}))
            mocks.append(mock)
            return mock

        yield start


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add to the report of a failed test what its mock webhooks were asked."""
    report = yield
    if report.when == "call" and report.failed:
        for mock in item.stash.get(_MOCKS, []):
            report.sections.append((f"aimyproxy replay {mock.name}", "\n".join(_lines(mock))))
    return report


def _lines(mock: MockWebhook) -> Iterator[str]:
    requests = mock.requests()
    if not requests:
        yield "(no requests)"
    if len(requests) > _MOST_LINES:
        yield f"({len(requests) - _MOST_LINES} requests before)"
    for entry in requests[-_MOST_LINES:]:
        asked = entry.event if entry.event is not None else f"{entry.request.method} {entry.request.path}"
        yield f"{entry.number}. {asked}: {entry.status or 'no answer'}, {entry.source}"
        yield from (f"   {line}" for line in (entry.miss.lines() if entry.miss else ()))
