"""Fail where what aimyproxy depends on has known vulnerabilities; where nobody can tell, say so and go on."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

_SECONDS = 60
_EXPORT = ("uv", "export", "--quiet", "--no-dev", "--no-emit-project", "--no-hashes", "--output-file")
_AUDIT = ("uvx", "--quiet", "pip-audit", "--no-deps", "--disable-pip", "--timeout", "5", "--progress-spinner", "off")


def main() -> int:
    """Audit the locked dependencies; the exit status."""
    with tempfile.TemporaryDirectory() as folder:
        requirements, report = Path(folder, "requirements.txt"), Path(folder, "report.json")
        subprocess.run([*_EXPORT, requirements], check=True, stdout=subprocess.DEVNULL)
        command = [*_AUDIT, "--requirement", requirements, "--format", "json", "--output", report]
        with contextlib.suppress(subprocess.TimeoutExpired):
            subprocess.run(command, check=False, timeout=_SECONDS, capture_output=True)
        found = json.loads(report.read_bytes()) if report.exists() else None
    status, lines = verdict(found)
    print("\n".join(lines))
    return status


def verdict(report: dict[str, Any] | None) -> tuple[int, list[str]]:
    """The exit status and what to say of pip-audit's report, None where it made none.

    Where its database answers but knows nothing, as a mirror may, pip-audit calls that no known vulnerabilities.
    """
    dependencies = report["dependencies"] if report else []
    audited = [one for one in dependencies if "skip_reason" not in one]
    if not audited:
        return 0, ["skipped: the database of vulnerabilities can't be reached, so nothing was audited"]
    unknown = [one["name"] for one in dependencies if "skip_reason" in one]
    lines = [f"{len(audited)} dependencies audited" + (f"; not known: {', '.join(unknown)}" if unknown else "")]
    for one in audited:
        for vulnerability in one["vulns"]:
            repaired = ", ".join(vulnerability["fix_versions"]) or "no version yet"
            lines.append(f"{one['name']} {one['version']}: {vulnerability['id']}, repaired in {repaired}")
    return int(len(lines) > 1), lines


if __name__ == "__main__":
    sys.exit(main())
