"""`aimyproxy show`: a recording as a table, or one exchange whole."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from aimyproxy.cli.options import Typed, check_not_given, recordings_option
from aimyproxy.cli.output import counted, exchange_line, local_time, say
from aimyproxy.errors import EXIT_OK
from aimyproxy.wording import printable, printable_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aimyproxy.exchange import Body, Exchange, Headers
    from aimyproxy.store.folder import RecordingsFolder
    from aimyproxy.store.recording import Recording

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class Moment(Typed):
    """A moment, or how long ago it was (`90s`, `30m`, `2h`, `3d`, `1w`), as ISO 8601 in UTC with a `Z`."""

    name = "moment"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if ago := re.fullmatch(r"(\d+)([smhdw])", value):
            span = {_UNITS[ago[2]]: int(ago[1])}
        try:
            moment = datetime.now(UTC) - timedelta(**span) if ago else datetime.fromisoformat(value).astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is no moment: write 2026-11-22, 2026-11-22T10:15 or 2h (ago).", param, ctx)
        return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@dataclass(frozen=True, slots=True)
class Filters:
    """Which exchanges are wanted; what is None or False doesn't matter."""

    event: str | None = None
    user: str | None = None
    channel: str | None = None
    failed: bool = False
    since: str | None = None

    def pass_(self, exchange: Exchange) -> bool:
        """Whether the exchange is wanted. A user is named by the `userId` or a part of it."""
        channel, _, user = exchange.conversation or (None, None, "")
        return (
            (self.event is None or exchange.event == self.event)
            and (self.user is None or self.user in user)
            and (self.channel is None or channel == self.channel)
            and (not self.failed or _failed(exchange))
            and (self.since is None or exchange.at >= self.since)
        )


def _failed(exchange: Exchange) -> bool:
    return exchange.failure is not None or (exchange.response is not None and exchange.response.status >= 400)


@click.command("show")
@click.argument("name")
@click.argument("identity", metavar="[ID]", type=int, required=False)
@click.option("--event", help="Only exchanges of this event.")
@click.option("--user", help="Only exchanges whose userId contains this.")
@click.option("--channel", help="Only exchanges of this channelType.")
@click.option("--failed", is_flag=True, help="Only exchanges that failed or have a status of 400 or more.")
@click.option("--since", type=Moment(), help="Only exchanges from this moment on, or since so long ago (2h, 3d).")
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    envvar="AIMYPROXY_SHOW_JSON",
    help="Print JSON: one exchange a line, or the one exchange indented.",
)
@recordings_option
def command(
    name: str,
    identity: int | None,
    event: str | None,
    user: str | None,
    channel: str | None,
    failed: bool,
    since: str | None,
    as_json: bool,
    folder: RecordingsFolder,
) -> int:
    """Show the recording NAME as a table, or its exchange ID whole."""
    recording = folder.open(name)
    if identity is not None:
        why = "chooses among all exchanges: leave it out, or the ID."
        check_not_given(why, "event", "user", "channel", "failed", "since")
        show_exchange(recording, identity, as_json=as_json)
    else:
        show_recording(recording, Filters(event, user, channel, failed, since), as_json=as_json)
    return EXIT_OK


def show_recording(recording: Recording, filters: Filters, *, as_json: bool) -> None:
    """Print the exchanges that pass, one a line."""
    from aimyproxy import jsonvalue
    from aimyproxy.documents import to_document

    if torn := recording.torn_bytes():
        text = f"{recording.path} ends in an unfinished line of {torn} bytes, which is left out here."
        say(text, "yellow", "warning")
    shown = total = 0
    for identity, exchange in recording:
        total += 1
        if not filters.pass_(exchange):
            continue
        if as_json:
            click.echo(printable(jsonvalue.dumps({"id": identity, **to_document(exchange)}).decode()))
        else:
            if not shown:
                click.echo(_headings())
            click.echo(f"{identity:>6}  {exchange_line(exchange, '%Y-%m-%d %H:%M:%S')}")
        shown += 1
    if not as_json:
        say(counted(total, "exchange") + (f", {shown:,} shown." if shown < total else "."))


def _headings() -> str:
    columns = f"{'TIME':<19}  {'CHANNEL':<10}  {'USER':<28}  {'EVENT':<20}  {'':>3}  {'WAITED':>10}  EFFECT"
    return f"{'ID':>6}  {columns}"


def show_exchange(recording: Recording, identity: int, *, as_json: bool) -> None:
    """Print one exchange: request, response, effect; highlighted on a terminal."""
    from aimyproxy import jsonvalue
    from aimyproxy.documents import to_document

    exchange = recording.get(identity)
    if as_json:
        click.echo(printable_lines(jsonvalue.pretty({"id": identity, **to_document(exchange)})))
        return
    for heading, lines in _sections(exchange):
        click.secho(printable(heading), bold=True)
        for text in lines:
            click.echo(text)
        click.echo()


def _sections(exchange: Exchange) -> Iterator[tuple[str, Iterator[str]]]:
    request, response, timing = exchange.request, exchange.response, exchange.timing
    moment = local_time(exchange.at, "%Y-%m-%d %H:%M:%S.%f")
    yield f"{request.method} {request.path}  at {moment}", _message(request.headers, request.body)
    if exchange.failure:
        yield f"Failure: {exchange.failure.kind}", iter([printable(exchange.failure.message)])
    if response:
        spent = f"{timing.upstream_ms:.1f} ms of them the webhook's" if timing.upstream_ms is not None else "mock"
        yield f"{response.status}  after {timing.total_ms:.1f} ms ({spent})", _message(response.headers, response.body)
        yield "Effect", _effect(exchange)


def _message(headers: Headers, body: Body) -> Iterator[str]:
    for name, value in headers:
        yield click.style(f"{printable(name)}: {printable(value)}", dim=True)
    yield _body(body)


def _body(body: Body) -> str:
    from aimyproxy import jsonvalue

    if body.kind == "json":
        return _highlighted(printable_lines(jsonvalue.pretty(body.value)))
    if body.kind == "text":
        return printable_lines(body.value)
    return f"({counted(len(body.raw), 'byte')} that are no text)" if body.raw else "(no body)"


def _highlighted(text: str) -> str:
    if not sys.stdout.isatty():
        return text
    from rich.console import Console
    from rich.json import JSON

    console = Console()
    with console.capture() as capture:
        console.print(JSON(text), soft_wrap=True)
    return capture.get().rstrip("\n")


def _effect(exchange: Exchange) -> Iterator[str]:
    from aimyproxy import aimylogic, jsonvalue

    effect = aimylogic.effect_of(exchange.request, exchange.response)
    if effect.kind != "variables":
        yield "The response is no JSON object."
        return
    before = exchange.request.body.variables() or {}
    if not effect.value:
        yield "None: the response changes nothing."
    for name, value in effect.value.items():
        after = jsonvalue.dumps(value).decode()
        if name in before:
            yield printable(f"~ {name}: {jsonvalue.dumps(before[name]).decode()} → {after}")
        else:
            yield printable(f"+ {name}: {after}")
