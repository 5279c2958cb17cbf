"""What continuous integration makes of an audit of the dependencies."""

from __future__ import annotations

import importlib.util
from pathlib import Path

PATH = Path(__file__).parent.parent / ".ci" / "audit.py"
SKIPPED = {"name": "idna", "skip_reason": "Dependency not found on PyPI and could not be audited: idna (3.10)"}
FINE = {"name": "click", "version": "8.1.8", "vulns": []}
BAD = {
    "name": "jinja2",
    "version": "2.10",
    "vulns": [{"id": "PYSEC-2019-217", "fix_versions": ["2.10.1"]}, {"id": "GHSA-x", "fix_versions": []}],
}


def verdict(*dependencies, made=True):
    spec = importlib.util.spec_from_file_location("audit", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.verdict({"dependencies": list(dependencies), "fixes": []} if made else None)


def test_known_vulnerabilities_fail():
    """Each with its name, and the version that is without it."""
    assert verdict(FINE, BAD, SKIPPED) == (
        1,
        [
            "2 dependencies audited; not known: idna",
            "jinja2 2.10: PYSEC-2019-217, repaired in 2.10.1",
            "jinja2 2.10: GHSA-x, repaired in no version yet",
        ],
    )


def test_none_known_is_fine():
    """Of those that were audited."""
    assert verdict(FINE) == (0, ["1 dependencies audited"])


def test_what_nobody_looked_at_is_skipped_and_not_fine():
    """No report, an empty one, or one in which all is unknown."""
    for status, lines in (verdict(made=False), verdict(), verdict(SKIPPED, SKIPPED)):
        assert status == 0
        assert lines[0].startswith("skipped: ")
