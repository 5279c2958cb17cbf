"""Records, replays and diffs the webhooks of Aimylogic bots.

For tests in Python there is `aimyproxy.replay`, described in `aimyproxy.testing`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aimyproxy.answering.journal import Entry as Entry
    from aimyproxy.errors import AimyproxyError as AimyproxyError
    from aimyproxy.testing import AddedMock as AddedMock
    from aimyproxy.testing import MockWebhook as MockWebhook
    from aimyproxy.testing import replay as replay
else:
    # Not for type checkers, which would take any misspelled name for one of these.
    def __getattr__(name):
        # The command line pays for no import that it doesn't need.
        if name not in _PLACES:
            raise AttributeError(f"module 'aimyproxy' has no attribute {name!r}")

        from importlib import import_module

        return getattr(import_module(_PLACES[name]), name)


__all__ = ["AddedMock", "AimyproxyError", "Entry", "MockWebhook", "replay"]

_PLACES = {
    "AddedMock": "aimyproxy.testing",
    "AimyproxyError": "aimyproxy.errors",
    "Entry": "aimyproxy.answering.journal",
    "MockWebhook": "aimyproxy.testing",
    "replay": "aimyproxy.testing",
}
