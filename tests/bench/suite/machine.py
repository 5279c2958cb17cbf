"""On which machine, with which versions, the figures were measured."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.bench.suite import tools

if TYPE_CHECKING:
    from tests.bench.suite.tools import Tools


def described(found: Tools) -> dict[str, Any]:
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "python": platform.python_version(),
        "mitmproxy": version("mitmproxy"),
        "tools": tools.versions(found),
        "missing": found.missing,
    }


def sentence(machine: dict[str, Any]) -> str:
    """The machine in one line, for people."""
    versions = {"Python": machine["python"], "mitmproxy": machine["mitmproxy"], **machine["tools"]}
    versions.pop("mitmdump", None)
    told = ", ".join(f"{name} {number}" for name, number in versions.items())
    return f"{machine['cpu']}, {machine['cores']} cores, {machine['system']}, {told}; {machine['date']}"


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
