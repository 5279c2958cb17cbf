"""The options of `aimyproxy diff`, by what they are about."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final

import click

from aimyproxy.cli.options import HeaderName, Number, Typed, Url, check_not_given, trust_options
from aimyproxy.diff.gate import CAUSES, SLOWER, Gate
from aimyproxy.target import REPLAY_HEADER, Target

if TYPE_CHECKING:
    from collections.abc import Callable

    Command = Callable[..., Any]

_LIVE: Final = (
    "save",
    "concurrency",
    "timeout",
    "rate",
    "repeat",
    "replay_header",
    "against",
    "chain",
    "ca",
    "insecure",
    "dry_run",
)
_RULES: Final = ("ignore", "only", "tolerance", "key", "set")


class Share(Typed):
    """A share of all, as `10%` or `0.1`: a number above 0, up to 1."""

    name = "share"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        text = str(value)
        try:
            share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
        except ValueError:
            share = 0
        if not 0 < share <= 1:
            self.fail(f"{text}: write a share above 0, up to all, as 10% or 0.1", param, ctx)
        return share


class Causes(Typed):
    """Some of the causes that may fail a diff, with commas between them."""

    name = "causes"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> frozenset[str]:
        if isinstance(value, frozenset):
            return value
        chosen = frozenset(one.strip() for one in str(value).split(","))
        if unknown := chosen - {*CAUSES}:
            self.fail(f"{', '.join(map(repr, sorted(unknown)))}: choose among {', '.join(CAUSES)}", param, ctx)
        return chosen


def live_options(command: Command) -> Command:
    """How a live candidate is asked: becomes the parameters `live` and `dry_run`."""

    @click.option("--save", metavar="NAME", help="With --target: keep what came back as a recording of this name.")
    @click.option(
        "--concurrency",
        type=click.IntRange(1, 1000),
        default=8,
        show_default=True,
        help="With --target: conversations side by side.",
    )
    @click.option(
        "--timeout",
        type=Number(0, min_open=True),
        default=30.0,
        show_default=True,
        help="With --target: seconds to wait for each answer.",
    )
    @click.option("--rate", type=Number(0, min_open=True), help="With --target: at most so many requests a second.")
    @click.option(
        "--repeat",
        type=click.IntRange(1, 100),
        default=1,
        show_default=True,
        help="With --target: ask so many times in a row; what differs from itself is noise.",
    )
    @click.option(
        "--replay-header",
        type=HeaderName(),
        metavar="NAME",
        default=REPLAY_HEADER,
        show_default=True,
        help="With --target: the header that marks these requests; '' for none.",
    )
    @click.option(
        "--baseline",
        "against",
        type=Url(),
        envvar="AIMYPROXY_DIFF_BASELINE",
        help="With --target: ask this webhook, too, and compare with its answers instead of the recorded ones.",
    )
    @click.option(
        "--chain",
        is_flag=True,
        help="With --target: what it answers otherwise goes into the conversation's later requests, sent twice.",
    )
    @trust_options
    @click.option("--dry-run", is_flag=True, help="With --target: say what would be sent, and send nothing.")
    @functools.wraps(command)
    def wrapped(*arguments: Any, **options: Any) -> Any:
        from aimyproxy.diff.live import LiveOptions

        save, repeat, mark = options.pop("save"), options.pop("repeat"), options.pop("replay_header")
        against, chain = options.pop("against"), options.pop("chain")
        live = LiveOptions(
            options.pop("concurrency"),
            options.pop("timeout"),
            save,
            repeat,
            options.pop("rate"),
            mark or None,
            Target.parse(against) if against else None,
            chain,
            options.pop("trust"),
        )
        if options["target"] is None:
            check_not_given("is about how a webhook is asked: it needs --target URL.", *_LIVE)
        if save is None:
            check_not_given("is about what is saved: it needs --save NAME.", "redact", "no_redact")
        return command(*arguments, live=live, **options)

    return wrapped


def rule_options(command: Command) -> Command:
    """What a person knows of paths: becomes the parameter `rules`, the values of each option."""

    @click.option("--ignore", metavar="PATH", multiple=True, help="Leave this out, as $.order.id or $..id; repeatable.")
    @click.option("--only", metavar="PATH", multiple=True, help="Look at this alone; repeatable.")
    @click.option(
        "--tolerance",
        metavar="PATH=AMOUNT",
        multiple=True,
        help="Let numbers differ by 0.01, or times by 1s; repeatable.",
    )
    @click.option(
        "--key", metavar="PATH=MEMBER", multiple=True, help="Tell an array's elements apart by this member; repeatable."
    )
    @click.option(
        "--set",
        metavar="PATH",
        multiple=True,
        envvar="AIMYPROXY_DIFF_SET",
        help="Take an array for a set; repeatable.",
    )
    @functools.wraps(command)
    def wrapped(*arguments: Any, **options: Any) -> Any:
        return command(*arguments, rules={name: options.pop(name) for name in _RULES}, **options)

    return wrapped


def gate_options(command: Command) -> Command:
    """Which differences make the exit status 1: becomes the parameter `gate`."""

    @click.option(
        "--fail-on",
        type=Causes(),
        metavar="CAUSES",
        help=f"Exit with 1 at these alone, as added,status; among {', '.join(CAUSES)}. By default all but {SLOWER}.",
    )
    @click.option(
        "--max-changes",
        type=click.IntRange(0),
        default=0,
        show_default=True,
        help="Exit with 1 only if there are more changes than this, the lines of the report.",
    )
    @functools.wraps(command)
    def wrapped(*arguments: Any, **options: Any) -> Any:
        causes, most = options.pop("fail_on"), options.pop("max_changes")
        return command(*arguments, gate=Gate(causes, most) if causes else Gate(most=most), **options)

    return wrapped


def scope_options(command: Command) -> Command:
    """What of the answers is compared: becomes the parameter `scope`."""

    @click.option("--full", is_flag=True, help="Compare whole bodies, and not only what they do to the variables.")
    @click.option(
        "--header",
        "headers",
        type=HeaderName(),
        metavar="NAME",
        multiple=True,
        envvar="AIMYPROXY_DIFF_HEADER",
        help="Compare this response header, too; repeatable.",
    )
    @click.option(
        "--verbose",
        is_flag=True,
        help="Show each pair that differs, too: as text with what was asked, as JSON with its patch.",
    )
    @functools.wraps(command)
    def wrapped(*arguments: Any, **options: Any) -> Any:
        from aimyproxy.diff.answers import Scope

        scope = Scope(options.pop("full"), options.pop("headers"), options.pop("verbose"))
        return command(*arguments, scope=scope, **options)

    return wrapped
