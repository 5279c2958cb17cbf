"""Runs the README's console blocks as a person would type them, and says what they really print.

A line that begins with `$ ` is a command; one that ends in ` &` runs in the background until a line `^C` interrupts
it; all other lines are the output. `uv run python -m tests.readme` writes the real output into the page.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.processes import Running, free_port

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
EXAMPLE = ROOT / "tests" / "readme_example.py"
"""The test that the page shows as test_orders.py."""

_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.M | re.S)
# What differs from run to run.
_VARYING = (
    (re.compile(r"\d\d\d\d-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?Z?"), "TIME"),
    (re.compile(r"\d\d:\d\d:\d\d"), "TIME"),
    (re.compile(r" +[\d.,]+ ms"), " N ms"),
    (re.compile(r"[\d.]+ (kB|B)\b"), "SIZE"),
    (re.compile(r"(?<=passed in )[\d.]+s"), "TIME"),
    (re.compile(r"Date: .*"), "Date: TIME"),
)


def blocks() -> list[list[str]]:
    """The console blocks, as lists of lines."""
    return [found.split("\n")[:-1] for found in _BLOCK.findall(README.read_text())]


def alike(text: str) -> str:
    """The text without what differs from run to run."""
    for pattern, name in _VARYING:
        text = pattern.sub(name, text)
    return text.rstrip()


class Shell:
    """A folder with the sample recording in it, and the commands that run there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        shutil.copytree(ROOT / "recordings" / "pizza", folder / "recordings" / "pizza")
        shutil.copy(EXAMPLE, folder / "test_orders.py")
        self._ports = {port: str(free_port()) for port in ("5000", "8080", "9090")}
        self._background: list[Running] = []
        bin_folder = str(Path(sys.executable).parent)
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("AIMYPROXY", "PYTEST"))},
            "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}",
            "TZ": "UTC",
            "EDITOR": "true",
            "COLUMNS": "120",
        }

    def run(self, block: list[str]) -> list[str]:
        """The block as it really goes: its commands, each with what it printed."""
        shown: list[str] = []
        for line in block:
            if line == "^C":
                shown += [line, *self._interrupt()]
            elif line.startswith("$ ") and line.endswith(" &"):
                shown += [line, *self._start(line[2:-2])]
            elif line.startswith("$ "):
                shown += [line, *self._call(line[2:])]
        return shown

    def close(self) -> None:
        """End what still runs."""
        for process in self._background:
            process.stop(signal.SIGKILL)

    def _call(self, command: str) -> list[str]:
        done = subprocess.run(
            ["bash", "-c", self._there(command) + " 2>&1"],
            cwd=self._folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            timeout=60,
            check=False,
        )
        return self._here(done.stdout.decode()).rstrip("\n").split("\n") if done.stdout else []

    def _start(self, command: str) -> list[str]:
        process = Running(shlex.split(self._there(command)), cwd=self._folder, env=self._environment)
        self._background.append(process)
        process.wait_for(r"https?://[\w.]+:\d+")
        self._seen = len(process.stderr)
        return [self._here(line) for line in process.stdout + process.stderr]

    def _interrupt(self) -> list[str]:
        process = self._background.pop()
        process.stop(signal.SIGINT)
        return [self._here(line) for line in process.stderr[self._seen :]]

    def _there(self, command: str) -> str:
        for shown, real in self._ports.items():
            command = re.sub(rf"(?<=[: ]){shown}\b", real, command)
        if "aimyproxy record" in command or "aimyproxy replay" in command:
            command += f" --listen 127.0.0.1:{self._ports['8080']}"
        return command

    def _here(self, text: str) -> str:
        for shown, real in self._ports.items():
            text = text.replace(real, shown)
        return text


def really(folder: Path) -> list[list[str]]:
    """All blocks, run one after the other in one folder."""
    shell = Shell(folder)
    try:
        return [shell.run(block) for block in blocks()]
    finally:
        shell.close()


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        new = iter(really(Path(folder)))
    text = _BLOCK.sub(lambda _: "\n".join(["```console", *next(new), "```"]), README.read_text())
    README.write_text(text)


if __name__ == "__main__":
    main()
