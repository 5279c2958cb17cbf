"""The options that say who is let in: to the bot's side, and to the admin surface."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from aimyproxy.cli.exposure import warn_of_admin
from aimyproxy.cli.options import Address, Typed, check_not_given
from aimyproxy.cli.output import lines_are_json, say
from aimyproxy.errors import InvalidOption

if TYPE_CHECKING:
    from collections.abc import Callable

    from aimyproxy.guard import Guard

    Command = Callable[..., Any]


_TOKEN: Final = re.compile(r"[!-~]{1,1000}")


class Secret(Typed):
    """A text that no error repeats; `@FILE` stands for what the file holds."""

    name = "secret"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = str(value)
        if text.startswith("@"):
            try:
                text = Path(text[1:]).read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8"
                self.fail(f"{text[1:]} can't be read: {reason}.", param, ctx)
        # Blanks around it can't travel in a header, and come easily with a variable or a file.
        return text.strip()


class Token(Secret):
    """A secret that any client can send in a header."""

    name = "token"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        token = super().convert(value, param, ctx)
        if not _TOKEN.fullmatch(token):
            self.fail(
                "a token is 1 to 1,000 letters, digits and signs of ASCII without spaces, since it has to travel in a "
                "header; `openssl rand -hex 24` makes one.",
                param,
                ctx,
            )
        return token


def guard_options(command: Command) -> Command:
    """Pass who is let in to the bot's side as `guard`, None for everybody."""

    @click.option(
        "--require-header",
        type=Secret(),
        metavar="'NAME: VALUE'",
        help="Refuse requests without this header; it is neither forwarded nor recorded. @FILE reads it from a file.",
    )
    @click.option(
        "--secret-path",
        type=Secret(),
        metavar="PATH",
        help="Refuse requests that don't begin with this path; it is taken away before anything is forwarded or "
        "recorded. @FILE reads it from a file.",
    )
    @click.option(
        "--rate-limit",
        metavar="COUNT/s",
        help="Refuse what exceeds this from one address, as 100/s, 30/m or 5/h; so many may come at once.",
    )
    @functools.wraps(command)
    def wrapped(*arguments: Any, **options: Any) -> Any:
        given = (options.pop("require_header"), options.pop("secret_path"), options.pop("rate_limit"))
        return command(*arguments, guard=None if given == (None, None, None) else _guard(*given), **options)

    return wrapped


def _guard(header: str | None, path: str | None, rate: str | None) -> Guard:
    from aimyproxy.guard import Guard, SecretHeader, parse_path
    from aimyproxy.limiter import Rate

    return Guard(
        None if header is None else _parsed("--require-header", SecretHeader.parse, header),
        "" if path is None else _parsed("--secret-path", parse_path, path),
        None if rate is None else _parsed("--rate-limit", Rate.parse, rate),
    )


def _parsed(option: str, parse: Callable[[str], Any], text: str) -> Any:
    try:
        return parse(text)
    except InvalidOption as error:
        raise InvalidOption(f"{option}: {error}.") from None


@dataclass(frozen=True, slots=True)
class AdminOptions:
    """Where the admin surface listens, and which token it asks for; one that was made up has to be told."""

    address: tuple[str, int]
    token: str = field(repr=False)
    made_up: bool

    def tell(self, url: str) -> None:
        """Say where the surface is."""
        if self.made_up and lines_are_json():
            # Logs are collected, and read by many.
            text = f"Admin surface on {url}, for GET /health alone: a log is no place for a token, give --admin-token."
        else:
            # The token ends the line: whoever copies it must not catch a full stop.
            text = f"Admin surface on {url}" + (f", token {self.token}" if self.made_up else ".")
        say(text, kind="admin", about=lambda: {"url": url})
        warn_of_admin(url)


def admin_options(command: Command) -> Command:
    """Pass the admin surface's options as `admin`, None where there shall be none."""

    @click.option(
        "--admin",
        type=Address(),
        help="Listen there for the admin surface: health, metrics, …; port 0 picks one.",
    )
    @click.option(
        "--admin-token",
        type=Token(),
        metavar="TOKEN",
        help="What the admin surface asks for; made up unless given. @FILE reads it from a file.",
    )
    @functools.wraps(command)
    def wrapped(*arguments: Any, **options: Any) -> Any:
        import secrets

        address, token = options.pop("admin"), options.pop("admin_token")
        if address is None:
            check_not_given("is for --admin: give that, too, or leave it out.", "admin_token")
        admin = address and AdminOptions(address, token or secrets.token_urlsafe(), made_up=token is None)
        return command(*arguments, admin=admin, **options)

    return wrapped
