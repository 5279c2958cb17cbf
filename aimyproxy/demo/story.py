"""The story that `aimyproxy demo` tells: record a bot, replay it, compare two versions of its webhook, all for real."""

from __future__ import annotations

import os
import shlex
import time
from collections import Counter
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from aimyproxy import aimylogic
from aimyproxy.demo import bot
from aimyproxy.demo.channels import CHANNELS
from aimyproxy.demo.processes import Server, StepFailed, ended_by_signals, free_port, run_command
from aimyproxy.errors import EXIT_DIFFERENT, EXIT_OK, StoreError
from aimyproxy.store.atomic import make_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aimyproxy.exchange import Exchange
    from aimyproxy.jsonvalue import JSON
    from aimyproxy.store.folder import RecordingsFolder

NAME: Final = "demo"
_ANSWER_HEADER: Final = "aimyproxy-answer"
_EXAMPLES: Final = (("Мария", "start"), ("Мария", "choose"), ("Олег", "start"))


class Teller(Protocol):
    """Who shows the story to the user."""

    def step(self, title: str) -> None:
        """Begin the next numbered step."""

    def text(self, sentences: str) -> None:
        """Tell something."""

    def command(self, spelled: str) -> None:
        """Show a command as the user would type it."""

    def output(self, text: str) -> None:
        """Show what a command printed."""

    def table(self, rows: list[tuple[str, ...]]) -> None:
        """Show rows of cells, in aligned columns."""


@dataclass(frozen=True, slots=True)
class _Stage:
    """What all steps share: who tells, where the recording lies, and where the sample webhook listens."""

    teller: Teller
    folder: RecordingsFolder
    name: str
    webhook_port: int

    @property
    def webhook_url(self) -> str:
        return f"http://127.0.0.1:{self.webhook_port}"

    def spelled(self, *arguments: str) -> str:
        """An aimyproxy command as the user would type it here."""
        return f"{_prefix()}aimyproxy {shlex.join([*arguments, *self._shown_recordings()])}"

    def webhook(self, version: int) -> Server:
        """The sample webhook of that version, not yet running; tells its command."""
        arguments = [*_webhook_arguments(version), "--port", str(self.webhook_port)]
        command = f"{_prefix()}python {shlex.join(arguments)}"
        self.teller.command(command)
        return Server(command, arguments, self.webhook_port)

    def listening(self, verb: str, *options: str) -> tuple[Server, str]:
        """An aimyproxy command that listens, not yet running, and its URL; tells the command."""
        port = free_port()
        arguments = [verb, self.name, *options, "--listen", f"127.0.0.1:{port}"]
        command = self.spelled(*arguments)
        self.teller.command(command)
        return Server(command, self._arguments(arguments), port), f"http://127.0.0.1:{port}"

    def run(self, *arguments: str, expected_status: int) -> None:
        """Run an aimyproxy command to its end; tells the command and what it printed."""
        command = self.spelled(*arguments)
        self.teller.command(command)
        self.teller.output(run_command(command, self._arguments(list(arguments)), expected_status))

    def _arguments(self, arguments: list[str]) -> list[str]:
        return ["-m", "aimyproxy", *arguments, "--recordings", str(self.folder.root)]

    def _shown_recordings(self) -> list[str]:
        usual = Path(os.environ.get("AIMYPROXY_RECORDINGS") or "recordings")
        return [] if self.folder.root == usual else ["--recordings", str(self.folder.root)]


def tell(folder: RecordingsFolder, teller: Teller) -> str:
    """Play the whole story and leave its recording in the folder; returns the recording's name.

    Raises:
        StepFailed: naming the command that failed, with what it printed.
        StoreError: the folder can't be written to.
    """
    started = time.monotonic()
    with ended_by_signals(), _reserved_name(folder) as name:
        stage = _Stage(teller, folder, name, free_port())
        teller.text("A sample webhook (a pizza shop's), a simulated bot, and aimyproxy between them, on this machine.")
        recorded = _record(stage)
        _replay(stage, recorded)
        _diff_same_version(stage)
        _diff_new_version(stage)
        _what_next(stage, time.monotonic() - started)
    return name


def _record(stage: _Stage) -> list[Exchange]:
    stage.teller.step("Record")
    stage.teller.text("The bot calls aimyproxy; aimyproxy calls the webhook and writes down what passes.")
    with stage.webhook(version=1):
        proxy, url = stage.listening("record", "--target", stage.webhook_url)
        with proxy:
            talking = bot.conversations()
            exchanges = bot.run(url, talking)
            _check_statuses(proxy.command, exchanges)
    seen = stage.folder.overview(stage.name)
    if seen.exchanges != len(exchanges):
        problem = f"recorded {seen.exchanges} of {len(exchanges)} exchanges"
        raise StepFailed(proxy.command, problem, "")
    user = talking[0].user
    stage.teller.text(
        f"{seen.conversations} users over {len(CHANNELS)} channels talked to the bot at the same time: all "
        f"{seen.exchanges} exchanges are recorded. {user.name}, on {user.channel_type}, got (+ new, ~ changed):"
    )
    stage.teller.table([_what_came_back(one) for one in exchanges if _variables(one).get("userId") == user.user_id])
    return exchanges


def _replay(stage: _Stage, recorded: list[Exchange]) -> None:
    stage.teller.step("Replay")
    stage.teller.text("The webhook is stopped; the recording answers in its place.")
    mock, url = stage.listening("replay")
    with mock:
        again = bot.run(url, bot.conversations())
        new = bot.run(url, bot.newcomers())
    same = sum(_effect(one).same_as(_effect(other)) for one, other in zip(recorded, again, strict=True))
    stage.teller.text(f"The same users come again: {same} of {len(again)} answers as recorded ({_sources(again)}).")
    answered = sum(one.response is not None and one.response.status == 200 for one in new)
    stage.teller.text(
        "New users come, none of them recorded, with names that the webhook never saw: "
        f"{answered} of {len(new)} requests answered ({_sources(new)}). For example:"
    )
    examples = [found for name, event in _EXAMPLES if (found := _first(new, name, event))]
    stage.teller.table([_row(exchange) for exchange in examples])


def _diff_same_version(stage: _Stage) -> None:
    stage.teller.step("Compare with the same version")
    stage.teller.text("The webhook is started again, and all recorded requests are sent to it.")
    with stage.webhook(version=1):
        stage.run("diff", stage.name, "--target", stage.webhook_url, expected_status=EXIT_OK)
    stage.teller.text(
        "Exit status 0: nothing changes for the bot's users. Order numbers are random, so they don't count."
    )


def _diff_new_version(stage: _Stage) -> None:
    stage.teller.step("Compare with the next version")
    stage.teller.text("Version 2 of the webhook: what would this release change for the bot's users?")
    with stage.webhook(version=2):
        stage.run("diff", stage.name, "--target", stage.webhook_url, expected_status=EXIT_DIFFERENT)
    stage.teller.text("Exit status 1: differences found, so a build could stop here.")


def _what_next(stage: _Stage, seconds: float) -> None:
    stage.teller.step("Your turn")
    stage.teller.text(f"That took {seconds:.1f} s. The recording stays in {stage.folder.path(stage.name)}; try:")
    for arguments in (
        ("list",),
        ("show", stage.name),
        ("show", stage.name, "1"),
        ("mock", stage.name, "start", "--answer", '{"greeting": "Добрый вечер!"}'),
        ("replay", stage.name),
    ):
        stage.teller.command(stage.spelled(*arguments))
    webhook = shlex.join([*_webhook_arguments(2), "--port", "5050"])
    stage.teller.command(f"{_prefix()}python {webhook} &")
    stage.teller.command(stage.spelled("diff", stage.name, "--target", "http://127.0.0.1:5050"))


@contextmanager
def _reserved_name(folder: RecordingsFolder) -> Iterator[str]:
    """The first of demo, demo-2, … that is free, as an empty folder, which goes if it is still empty afterwards."""
    number, name = 1, NAME
    while not _made(folder.path(name)):
        number += 1
        name = f"{NAME}-{number}"
    try:
        yield name
    finally:
        with suppress(OSError):
            folder.path(name).rmdir()


def _made(path: Path) -> bool:
    try:
        make_folder(path.parent)
        path.mkdir(mode=0o700)
    except FileExistsError:
        if not path.parent.is_dir():
            raise StoreError(f"{path.parent} is no folder.") from None
        return False
    except OSError as error:
        raise StoreError(f"{path} can't be created: {error.strerror}.") from None
    return True


def _check_statuses(command: str, exchanges: list[Exchange]) -> None:
    for exchange in exchanges:
        if exchange.response and exchange.response.status != 200:
            problem = f"gave the bot status {exchange.response.status} for {exchange.event}"
            raise StepFailed(command, problem, exchange.response.body.raw.decode(errors="replace"))


def _first(exchanges: list[Exchange], name: str, event: str) -> Exchange | None:
    matching = (one for one in exchanges if one.event == event and _variables(one).get("name") == name)
    return next(matching, None)


def _row(exchange: Exchange) -> tuple[str, ...]:
    """Channel, name, event, what the user said, what the bot says to that, and where the answer came from."""
    variables = _variables(exchange)
    _, _, said = _what_came_back(exchange)
    asked = f"«{variables['queryText']}»"
    return variables["channelType"], variables["name"], variables["action"], asked, f"→ {said}", _source(exchange)


def _what_came_back(exchange: Exchange) -> tuple[str, str, str]:
    """Event, effect in short, and the words that the answer puts into the bot's mouth."""
    effect = _effect(exchange)
    variables = effect.value if effect.kind == "variables" else {}
    said = variables.get("greeting") or variables.get("text")
    summary = aimylogic.effect_summary(exchange.request, exchange.response)
    return exchange.event or "", summary, f"«{said}»" if said else ""


def _effect(exchange: Exchange) -> aimylogic.Effect:
    return aimylogic.effect_of(exchange.request, exchange.response)


def _sources(exchanges: list[Exchange]) -> str:
    """Where the answers came from, counted: `45 usual, 3 miss`."""
    sources = Counter(_source(exchange).partition(";")[0] for exchange in exchanges)
    return ", ".join(f"{count} {source}" for source, count in sources.most_common())


def _source(exchange: Exchange) -> str:
    """Where replay says that the answer came from."""
    headers = exchange.response.headers if exchange.response else ()
    return next((value for name, value in headers if name.lower() == _ANSWER_HEADER), "unknown")


def _variables(exchange: Exchange) -> dict[str, JSON]:
    return exchange.request.body.variables() or {}


def _webhook_arguments(version: int) -> list[str]:
    return ["-m", "aimyproxy.demo.webhook", "--version", str(version)]


def _prefix() -> str:
    # uv sets this for what `uv run` runs; its commands are then not on the user's own PATH.
    return "uv run " if "UV_RUN_RECURSION_DEPTH" in os.environ else ""
