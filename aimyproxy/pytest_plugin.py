"""The pytest plugin: replayed webhooks as fixtures, and in the report of a failed test what they were asked.

It is loaded in every run of pytest, so that whatever it needs is imported only when a test uses it.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path
    from typing import Any

    from aimyproxy.testing import MockWebhook

_TESTING = "aimyproxy.testing"
_TOTALS = pytest.StashKey[dict[int, int]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option and the ini value that name the folder of recordings."""
    explanation = "The folder of aimyproxy's recordings, from the rootdir"
    parser.addini("aimyproxy_recordings", f"{explanation}.", default="recordings")
    parser.getgroup("aimyproxy").addoption(
        "--aimyproxy-recordings", metavar="DIR", help=f"{explanation}; wins over the ini value aimyproxy_recordings."
    )


@pytest.fixture(scope="session")
def aimyproxy_recordings(pytestconfig: pytest.Config) -> Path:
    """The folder of recordings: `--aimyproxy-recordings`, or the ini value `aimyproxy_recordings`."""
    option = pytestconfig.getoption("aimyproxy_recordings") or pytestconfig.getini("aimyproxy_recordings")
    return pytestconfig.rootpath / str(option)


@pytest.fixture
def aimyproxy_replay(aimyproxy_recordings: Path) -> Iterator[Callable[..., MockWebhook]]:
    """Replay recordings until the test ends: `mock = aimyproxy_replay("shop")`, with the options of `aimyproxy.replay`.

    A recording that takes long to load is better replayed once, by a fixture of wider scope that enters
    `aimyproxy.replay("shop", recordings=aimyproxy_recordings)`, with a `reset()` before each test.
    """
    from contextlib import ExitStack

    import aimyproxy

    with ExitStack() as running:

        def start(name: str, **options: Any) -> MockWebhook:
            return running.enter_context(aimyproxy.replay(name, **{"recordings": aimyproxy_recordings, **options}))

        yield start


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Note what was asked before the test, which is none of its business."""
    if _TESTING in sys.modules:
        item.stash[_TOTALS] = sys.modules[_TESTING].totals()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add to the report of a failed test what each mock webhook was asked and answered."""
    report = yield
    if report.failed and _TESTING in sys.modules:
        for name, text in sys.modules[_TESTING].reports(item.stash.get(_TOTALS, {})):
            report.sections.append((f"aimyproxy replay {name}", text))
    return report
