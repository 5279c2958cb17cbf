from __future__ import annotations

import os
import signal

import pytest
from hypothesis import settings

from tests import forkserver

# HYPOTHESIS_PROFILE=thorough looks for long, where there is time.
settings.register_profile("quick", deadline=None, max_examples=50, print_blob=True)
settings.register_profile("thorough", deadline=None, max_examples=2000, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

# Under `nohup`, commands leave a hangup to it that the signal is ignored; what they do with one is tested all the same.
signal.signal(signal.SIGHUP, signal.SIG_DFL)

_MOST_WORKERS = 8


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One more than there are processors, since many tests wait for processes; none where only some files are meant."""
    if all(".py" in argument for argument in config.args):
        return 0
    return min((os.cpu_count() or 1) + 1, _MOST_WORKERS)


@pytest.fixture(scope="session", autouse=True)
def _fork_server():
    """Ended before the coverage of its imports is wanted."""
    yield
    forkserver.stop()
