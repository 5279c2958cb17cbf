"""The command line: one module a command, a plain function behind each; errors become text and exit codes here."""

from __future__ import annotations

import importlib
import sys
from traceback import format_exc
from typing import TYPE_CHECKING

import click

from aimyproxy.cli.options import log_format_of
from aimyproxy.cli.output import lines_are_json, say, spell_lines
from aimyproxy.errors import EXIT_INTERRUPTED, EXIT_OK, EXIT_TROUBLE, AimyproxyError, described

if TYPE_CHECKING:
    from collections.abc import Sequence

_COMMANDS = ("demo", "record", "replay", "diff", "list", "show", "edit", "mock", "explain", "check", "redact", "rm")


class _Commands(click.Group):
    """The commands in the order in which a user meets them; a command's module is imported when it is wanted."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"aimyproxy.cli.{cmd_name}_command")
        command: click.Command = module.command
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "AIMYPROXY"})
@click.version_option(package_name="aimyproxy", allow_from_autoenv=False)
def cli() -> None:
    """Record, replay and diff the webhook of an Aimylogic bot.

    \b
    Exit status: 0 fine, 1 differences found or a check failed, 2 wrong usage or trouble, 130 interrupted.
    Every option can be set by an environment variable too: --listen of record by AIMYPROXY_RECORD_LISTEN.
    """


def main() -> None:
    """Run the command that the arguments name and exit with its status."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command; returns the exit status. The only place where errors become text and statuses."""
    spell_lines(log_format_of(arguments))
    try:
        return _outcome(arguments)
    except Exception as error:  # our own mistake
        if not lines_are_json():
            raise
        _say_error(f"Error: {described(error)}", EXIT_TROUBLE, format_exc().splitlines())
        return EXIT_TROUBLE


def _outcome(arguments: list[str]) -> int:
    try:
        status = cli.main(arguments, prog_name="aimyproxy", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        _say_usage(error)
        return EXIT_TROUBLE
    except AimyproxyError as error:
        _say_error(f"Error: {error}", error.exit_status)
        return error.exit_status
    except (KeyboardInterrupt, click.Abort):
        say("Interrupted.", "yellow", "error", lambda: {"status": EXIT_INTERRUPTED})
        return EXIT_INTERRUPTED
    except (BrokenPipeError, SystemExit):
        # Whoever read our output has read enough; click says so by leaving.
        return EXIT_OK
    return status if isinstance(status, int) else EXIT_OK


def _say_usage(error: click.ClickException) -> None:
    if lines_are_json():
        _say_error(f"Error: {error.format_message()}", EXIT_TROUBLE)
    else:
        error.show()


def _say_error(text: str, status: int, details: Sequence[str] = ()) -> None:
    say(text, "red", "error", lambda: {"status": status}, details)
