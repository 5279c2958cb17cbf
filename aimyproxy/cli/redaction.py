"""The options that say what is redacted, and what becomes of them in a recording that exists already."""

from __future__ import annotations

import functools
import shlex
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from aimyproxy.cli.output import counted, say
from aimyproxy.errors import InvalidDocument, InvalidOption

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aimyproxy.guard import Guard
    from aimyproxy.redaction.redactor import Redactor
    from aimyproxy.redaction.rules import Rules
    from aimyproxy.store.keyfile import KeyFile
    from aimyproxy.store.recording import Recording
    from aimyproxy.store.redacted import Standing
    from aimyproxy.store.redacting import Redacting
    from aimyproxy.target import Target


class Wanted:
    """What the options ask for: `rules` beyond secrets, or that nothing is redacted where `nothing` is true."""

    def __init__(self, given: tuple[str, ...], *, nothing: bool) -> None:
        self.rules = rules_of(given)
        self.nothing = nothing
        if nothing and given:
            raise click.UsageError("--redact and --no-redact contradict each other: give one of them.")

    def redactor(self, recording: Recording, like: Recording | None = None) -> Redactor | None:
        """What redacts that which is added to the recording; None where nothing does.

        `like` is the recording whose requests are sent again: its rules and its key are this one's, too.

        Raises:
            InvalidOption: the recording is redacted otherwise than the options want.
        """
        from aimyproxy.redaction.redactor import Redactor
        from aimyproxy.store.redacted import begin, key_of, standing_of

        rules = self.rules
        if like is not None and (original := standing_of(like).rules):
            if self.nothing:
                problem = f"Recording {like.name} is redacted, and so is what is made from it: no --no-redact."
                raise InvalidOption(problem)
            rules = original.with_more(rules)
        known, exchanges = standing_of(recording), any(True for _ in recording.documents())
        if known.rules is not None and (exchanges or self.nothing):
            self._check(recording, known.rules)
            rules = known.rules
        elif self.nothing:
            say(f"Nothing is redacted: {recording.name} keeps tokens and passwords as they come.", "yellow", "warning")
            return None
        elif exchanges:
            before = counted(len(recording), "exchange")
            say(f"What comes is redacted; the {before} from before can be: `aimyproxy redact {recording.name}`.")
        if exchanges and known.rules is not None:
            warn_of_key(key_of(recording), known)
        key = key_of(recording).made(key_of(like).read() if like is not None else None)
        return Redactor(key, begin(recording, rules, key).rules or rules)

    def redacting(self, recording: Recording, secrets: Sequence[str], like: Recording | None = None) -> Redacting:
        """As `redactor`, for a recording that others may redact while it grows; knows `secrets` from the beginning."""
        from aimyproxy.store.redacting import Redacting

        return Redacting(
            recording, self.redactor(recording, like), secrets, partial(say, colour="yellow", kind="warning")
        )

    def _check(self, recording: Recording, rules: Rules) -> None:
        name, how = recording.name, ", ".join(rules.document())
        if self.nothing:
            raise InvalidOption(
                f"Recording {name} is redacted ({how}); --no-redact would put secrets beside that. "
                "Record under another name."
            )
        if not rules.covers(self.rules):
            options = shlex.join(f"--redact={one}" for one in self.rules.spelled)
            raise InvalidOption(
                f"Recording {name} is redacted ({how}), and you ask for more. `aimyproxy redact {name} {options}` "
                "replaces that in what is there, too; then record again."
            )


def warn_of_key(file: KeyFile, known: Standing) -> None:
    """Say where the key is not the one that made the replacements so far; raises BrokenFile and StoreError."""
    key = file.read()
    if key is None:
        say(f"{file.path} is missing: a new key makes other replacements than before.", "yellow", "warning")
    elif known.other_key(key):
        say(f"{file.path} is not the key from before: it makes other replacements.", "yellow", "warning")


def secrets_told(guard: Guard | None, *targets: Target | None) -> list[str]:
    """What the options tell us that nobody may read in the recording or on the terminal."""
    known = list(guard.secrets) if guard else []
    for target in filter(None, targets):
        from aimyproxy.redaction.targets import secrets_of

        known += secrets_of(target)
    return known


def rules_of(given: tuple[str, ...]) -> Rules:
    """The rules that `--redact` names; raises InvalidOption."""
    from aimyproxy.redaction.rules import Rules

    try:
        return Rules.parse(given)
    except InvalidDocument as error:
        raise InvalidOption(f"--redact: {error}.") from None


def redact_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Pass what `--redact` names as `redact`, a tuple of strings."""
    return click.option(
        "--redact",
        multiple=True,
        metavar="personal|PATH",
        help="Replace what is personal, too, or what stands at this JSONPath of the variables; repeatable.",
    )(function)


def redaction_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Pass what these options ask for as `wanted`."""

    @redact_option
    @click.option("--no-redact", is_flag=True, help="Keep even secrets as they come.")
    @functools.wraps(function)
    def wrapped(*arguments: Any, **options: Any) -> Any:
        wanted = Wanted(options.pop("redact"), nothing=options.pop("no_redact"))
        return function(*arguments, wanted=wanted, **options)

    return wrapped
