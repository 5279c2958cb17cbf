"""The recording proxy: the only place that imports mitmproxy. Measured with 11.0.2, 12.2 and 12.3."""

import sys
from importlib.util import find_spec, module_from_spec
from typing import Final

from mitmproxy import version

MEASURED: Final = ("11.0.", "12.2.", "12.3.")
"""How the versions of mitmproxy begin that all of our tuning holds for."""


def fits(found: str = version.VERSION) -> bool:
    """Whether this mitmproxy may be tuned; another one works as it is, only slower."""
    return found.startswith(MEASURED)


def _spare_addons() -> None:
    """Let single addons be imported without all the others, and their web servers and directory services."""
    name = "mitmproxy.addons"
    if name not in sys.modules and (spec := find_spec(name)):
        sys.modules[name] = module_from_spec(spec)


if fits():
    _spare_addons()
