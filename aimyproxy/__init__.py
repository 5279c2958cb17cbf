"""Records, replays and diffs the webhooks of Aimylogic bots.

For tests in Python there is `aimyproxy.replay`, described in `aimyproxy.testing`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aimyproxy.testing import MockWebhook as MockWebhook
    from aimyproxy.testing import replay as replay

__all__ = ["MockWebhook", "replay"]


def __getattr__(name: str) -> object:
    # The command line pays for no import that it doesn't need.
    if name not in __all__:
        raise AttributeError(f"module 'aimyproxy' has no attribute {name!r}")
    from aimyproxy import testing

    return getattr(testing, name)
