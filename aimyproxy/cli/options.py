"""Options and arguments that several commands share."""

from __future__ import annotations

import functools
import math
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from click.core import ParameterSource

from aimyproxy.errors import InvalidOption

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from aimyproxy.store.folder import RecordingsFolder
    from aimyproxy.target import Target


_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class Typed(click.ParamType):  # type: ignore[type-arg]  # generic in the newer ones of click's versions only
    """What options of a type of our own begin with."""


class Address(Typed):
    """HOST:PORT, `[::1]:PORT`, `:PORT` (every interface) or PORT (loopback), as a pair of host and port."""

    name = "host:port"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, int]:
        if isinstance(value, tuple):
            return value
        host, colon, port = value.rpartition(":")
        if not port.isdecimal() or int(port) > 65535:
            self.fail(f"{value!r} is no address: write HOST:PORT, for example 127.0.0.1:8080.", param, ctx)
        host = host.strip("[]")
        return (host or ("0.0.0.0" if colon else "127.0.0.1")), int(port)  # noqa: S104 - as the user says, who is warned


class Number(click.FloatRange):
    """A number in a range; neither `nan`, which passes every range, nor `inf`."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value} is no number that can be used here.", param, ctx)
        return number


class Url(Typed):
    """An absolute http or https URL."""

    name = "url"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from aimyproxy.target import Target

        try:
            Target.parse(value)
        except InvalidOption as error:
            self.fail(str(error), param, ctx)
        return str(value)


class HeaderName(Typed):
    """A header's name (RFC 9110), or nothing for no header."""

    name = "header"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = str(value)
        if text and not _HEADER_NAME.fullmatch(text):
            self.fail(f"{text}: that is no header's name", param, ctx)
        return text


def given(name: str) -> bool:
    """Whether the user gave this parameter of the running command, on the command line or by its variable."""
    return click.get_current_context().get_parameter_source(name) not in (None, ParameterSource.DEFAULT)


def check_not_given(why: str, *names: str) -> None:
    """See that the user gave none of these parameters, which would do nothing; `why` follows the option in the error.

    Raises:
        UsageError: one was given.
    """
    for parameter in click.get_current_context().command.params:
        if parameter.name in names and given(parameter.name):
            raise click.UsageError(f"{parameter.opts[0]} {why}")


def check_elsewhere(listen: tuple[str, int], targets: Mapping[str, Target | None]) -> None:
    """See that none of these options' targets is we ourselves, who would ask each other for ever; raises UsageError."""
    from aimyproxy.sockets import leads_to

    for option, target in targets.items():
        if target and leads_to(listen, target.host, target.port):
            raise click.UsageError(
                f"{option} {target.display} is where aimyproxy itself listens: name the webhook, or another --listen."
            )


def check_alone(workers: int, whys: Mapping[str, str]) -> None:
    """See that several workers are asked for nothing that one process has to do alone, and why; raises UsageError."""
    for name, why in whys.items() if workers > 1 else ():
        check_not_given(f"needs a single worker, since {why}: leave out --workers, or it.", name)


def default_address() -> str:
    """Where to listen unless told: a hosting platform's PORT on every interface, else port 8080 on loopback."""
    port = os.environ.get("PORT")
    if port and not (port.isdecimal() and int(port) <= 65535):
        raise click.UsageError(
            f"The environment variable PORT is {port!r}, which is no port: set a number, or unset it."
        )
    return f"0.0.0.0:{port}" if port else "127.0.0.1:8080"


def _folder(_ctx: click.Context, _param: click.Parameter, value: Path) -> RecordingsFolder:
    from aimyproxy.store.folder import RecordingsFolder

    return RecordingsFolder(value)


def recordings_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Pass the folder of recordings as `folder`."""
    return click.option(
        "--recordings",
        "folder",
        type=click.Path(file_okay=False, path_type=Path),
        default=Path("recordings"),
        envvar="AIMYPROXY_RECORDINGS",
        show_default=True,
        callback=_folder,
        help="The folder of recordings.",
    )(function)


def listen_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Pass the address to listen on as `listen`, a pair of host and port."""
    return click.option(
        "--listen",
        type=Address(),
        default=default_address,
        show_default="127.0.0.1:8080, or 0.0.0.0:$PORT where PORT is set",
        help="Where the bot connects to; port 0 picks a free one.",
    )(function)


def tls_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Pass the certificate and key for HTTPS as `cert` and `key`, two paths or None."""
    file = click.Path(exists=True, dir_okay=False, path_type=Path)

    @click.option("--cert", type=file, help="Listen with HTTPS: the certificate chain (PEM).")
    @click.option("--key", type=file, help="Its private key (PEM), where it is in a file of its own.")
    @functools.wraps(function)
    def wrapped(*arguments: Any, **options: Any) -> Any:
        if options["cert"] is None:
            check_not_given("needs --cert, the certificate that belongs to it.", "key")
        return function(*arguments, **options)

    return wrapped


def trust_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Pass whose certificates are accepted as `trust`."""

    @click.option(
        "--ca",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="Trust these certificates (PEM) of a webhook, in the place of the system's.",
    )
    @click.option("--insecure", is_flag=True, help="Accept any certificate of a webhook, whoever it may be.")
    @functools.wraps(function)
    def wrapped(*arguments: Any, **options: Any) -> Any:
        from aimyproxy.trust import Trust

        trust = Trust(options.pop("ca"), options.pop("insecure"))
        if trust.ca and trust.insecure:
            raise click.UsageError("--insecure verifies nothing: leave it out, or --ca.")
        if trust.ca:
            # Now, before anything else is begun.
            trust.context()
        return function(*arguments, trust=trust, **options)

    return wrapped


def log_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let the user choose who reads what is said; nothing is passed: `log_format_of` has looked before all else."""
    return click.option(
        "--log-format",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        expose_value=False,
        help="What is said on standard error: lines for people, or a JSON object a line for log collectors.",
    )(function)


def log_format_of(arguments: Sequence[str]) -> str:
    """What `--log-format` says in a command line, or its variable: what is wrong with the rest is said like that."""
    option, found = "--log-format", ""
    for one, following in zip(arguments, [*arguments[1:], ""], strict=True):
        name, equals, value = one.partition("=")
        if name == option:
            found = value if equals else following
    command = next((one for one in arguments if not one.startswith("-")), "")
    return found or os.environ.get(f"AIMYPROXY_{command.upper()}_LOG_FORMAT", "")
