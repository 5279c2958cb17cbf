"""What the suite needs that is no part of this project, and whether this machine has it.

The load generator `wrk` and the web server `nginx` are packages of the operating system; `mitmdump` comes with
mitmproxy; WireMock (which needs Java) and mountebank (which needs Node.js) are installed by name from npm, once, into a
folder of the user's cache.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

WIREMOCK, MOUNTEBANK = "wiremock@3.13.2", "mountebank@2.9.1"
INSTALL_SECONDS = 180
_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "aimyproxy-bench"
DEFAULT_FOLDER, BYTE_CODE = _CACHE / "peers", _CACHE / "bytecode"


@dataclass
class Tools:
    """The commands that start each tool; `missing` says of each that is not there why."""

    commands: dict[str, list[str]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    def has(self, *names: str) -> bool:
        return all(name in self.commands for name in names)

    def why(self, *names: str) -> str:
        """Why these can't all be used; empty where they can."""
        return "; ".join(self.missing[name] for name in names if name in self.missing)


def found(folder: Path, *, install: bool) -> Tools:
    """The tools of this machine. With `install`, the peers that npm has are fetched where they are not there yet."""
    tools = Tools()
    for name, package in {"wrk": "wrk", "nginx": "nginx-light"}.items():
        path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
        _note(tools, name, [path] if path else None, f"{name} is not installed (Debian's package is {package})")
    script = Path(sys.executable).with_name("mitmdump")
    _note(tools, "mitmdump", [str(script)] if script.exists() else None, f"there is no {script}")
    _npm_peers(tools, folder, install=install)
    return tools


def _npm_peers(tools: Tools, folder: Path, *, install: bool) -> None:
    trouble = _install(folder) if install and not (_jar(folder) and _mountebank(folder).exists()) else ""
    java, node, jar, mountebank = shutil.which("java"), shutil.which("node"), _jar(folder), _mountebank(folder)
    absent = trouble or f"is not in {folder}"
    _note(
        tools,
        "wiremock",
        [java, "-jar", str(jar)] if java and jar else None,
        f"WireMock {absent}" if java else "WireMock needs Java, and there is none",
    )
    _note(
        tools,
        "mountebank",
        [node, str(mountebank)] if node and mountebank.exists() else None,
        f"mountebank {absent}" if node else "mountebank needs Node.js, and there is none",
    )


def _note(tools: Tools, name: str, command: list[str] | None, otherwise: str) -> None:
    if command:
        tools.commands[name] = command
    else:
        tools.missing[name] = otherwise


def _jar(folder: Path) -> Path | None:
    return next(iter(sorted((folder / "node_modules/wiremock/build").glob("*.jar"))), None)


def _mountebank(folder: Path) -> Path:
    return folder / "node_modules/mountebank/bin/mb"


def _install(folder: Path) -> str:
    """Install both by name; what went wrong, or nothing."""
    npm = shutil.which("npm")
    if npm is None:
        return "can't be installed: there is no npm"
    folder.mkdir(parents=True, exist_ok=True)
    command = [npm, "install", "--prefix", str(folder), "--no-audit", "--no-fund", "--ignore-scripts"]
    try:
        done = subprocess.run(
            [*command, WIREMOCK, MOUNTEBANK],
            capture_output=True,
            text=True,
            timeout=INSTALL_SECONDS,
            cwd=folder,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"could not be installed within {INSTALL_SECONDS} s"
    return "" if done.returncode == 0 else f"could not be installed: npm ended with {done.returncode}"


def versions(tools: Tools) -> dict[str, str]:
    """What each tool says of its version, on one line."""
    arguments = {
        "wrk": ["-v"],
        "nginx": ["-v"],
        "mitmdump": ["--version"],
        "wiremock": ["--version"],
        "mountebank": ["--version"],
    }
    return {name: _version([*command, *arguments[name]]) for name, command in tools.commands.items()}


def _version(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return "?"
    number = re.search(r"\d+\.\d+[\w.]*", done.stdout + done.stderr)
    return number.group() if number else "?"
