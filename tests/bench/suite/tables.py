"""The results as tables, for a terminal and for a Markdown page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.bench.suite.targets import OURS, REPLAY, TARGETS
from tests.bench.suite.throughput import WEBHOOK

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.bench.suite.figures import Figures, Row


_LONGEST = 60
BEGIN, END = "<!-- figures -->", "<!-- /figures -->"
"""What stands before and behind the tables in a page that has other things, too."""


@dataclass(frozen=True)
class Table:
    """A heading, column titles, and rows of as many texts; `brief` ones are for the Markdown page, too."""

    heading: str
    titles: Sequence[str]
    rows: Sequence[Sequence[str]]
    brief: bool = True


@dataclass(frozen=True)
class Column:
    title: str
    shown: Callable[[Row], str]


def number(value: float | None, digits: int = 0) -> str:
    """With separators, and an en dash for what was not measured."""
    return "–" if value is None else f"{value:,.{digits}f}"


def shortened(trouble: str) -> str:
    """So much of it as goes into a table; the JSON report has all."""
    return trouble if len(trouble) <= _LONGEST else trouble[: _LONGEST - 1] + "…"


def measured(value: float | None) -> str:
    """Three digits that count, as figures of a benchmark have no more."""
    if value is None or value >= 100 or value == 0:
        return number(value)
    return number(value, 1 if value >= 10 else 2 if value >= 0.1 else 3)


def quotient(value: float | None) -> str:
    return "–" if value is None else f"{measured(value)} ×"


def _of(key: str, digits: int = 0) -> Callable[[Row], str]:
    return lambda row: number(row.get(key), digits)


def _three(key: str) -> Callable[[Row], str]:
    return lambda row: measured(row.get(key))


def _text(key: str) -> Callable[[Row], str]:
    return lambda row: str(row.get(key) or "")


_LOAD = (
    Column("requests/s", _three("requests_per_second")),
    Column("CPU µs", _of("cpu_us")),
    Column("median ms", _three("median_ms")),
    Column("p99 ms", _three("p99_ms")),
    Column("start s", _of("start_s", 2)),
    Column("peak MB", _of("peak_mb")),
)
_TROUBLE = Column("", lambda row: shortened(row["trouble"]))
_PAIRS = Column("pairs", _of("size"))


def tables(figures: Figures) -> list[Table]:
    """A table for each part that was measured."""
    makers = {
        "record": _record,
        "replay": _replay,
        "latency": _latency,
        "start": _start,
        "append": _append,
        "index": _index,
        "diff": _diff,
    }
    made = [table for part, make in makers.items() if figures.parts.get(part) for table in make(figures)]
    return [*made, *_targets(figures)]


def _made(heading: str, columns: Sequence[Column], rows: Sequence[Row], *, brief: bool = True) -> Table:
    return Table(heading, [one.title for one in columns], [[one.shown(row) for one in columns] for row in rows], brief)


def _record(figures: Figures) -> list[Table]:
    def times(row: Row) -> str:
        return quotient(figures.quotient("record", {"subject": OURS}, {"subject": row["subject"]}))

    columns = [Column("recording", _text("subject")), *_LOAD, Column("lost", _of("lost")), Column("ours is", times)]
    return [_made("Recording", [*columns, _TROUBLE], figures.parts["record"])]


def _replay(figures: Figures) -> list[Table]:
    def times(row: Row) -> str:
        ours = {"subject": REPLAY, "size": row["size"]}
        return quotient(figures.quotient("replay", ours, {"subject": row["subject"], "size": row["size"]}))

    rows = figures.parts["replay"]
    columns = [Column("replaying", _text("subject")), _PAIRS, *_LOAD, Column("ours is", times), _TROUBLE]
    return [_made("Replaying, in detail", columns, rows, brief=False), _pivot(rows)]


def _pivot(rows: Sequence[Row]) -> Table:
    """Requests a second by subject and size."""
    sizes = sorted({row["size"] for row in rows})
    subjects = dict.fromkeys(row["subject"] for row in rows)
    cells = {(row["subject"], row["size"]): _rate(row) for row in rows}
    body = [[subject, *(cells.get((subject, size), "–") for size in sizes)] for subject in subjects]
    return Table("Replaying", ["requests/s of", *(f"{size:,} pairs" if size > 1 else "1 pair" for size in sizes)], body)


def _rate(row: Row) -> str:
    return shortened(row["trouble"]) or measured(row["requests_per_second"])


def _latency(figures: Figures) -> list[Table]:
    """What each adds to the webhook's latency, by its number of connections; for the webhook, all of it."""
    rows = figures.parts["latency"]
    counts = sorted({row["connections"] for row in rows})
    cells = {(row["subject"], row["connections"]): _milliseconds(row) for row in rows}
    titles = [f"added ms at {rows[0]['rate']} requests/s, median / p99", *(_connections(count) for count in counts)]
    body = [
        [subject, *(cells[subject, count] for count in counts)] for subject in dict.fromkeys(one for one, _ in cells)
    ]
    return [Table("Latency", titles, body)]


def _connections(count: int) -> str:
    return "1 connection" if count == 1 else f"{count} connections"


def _milliseconds(row: Row) -> str:
    if row["trouble"]:
        return shortened(row["trouble"])
    median, p99 = (
        (row["median_ms"], row["p99_ms"])
        if row["subject"] == WEBHOOK
        else (row["added_median_ms"], row["added_p99_ms"])
    )
    return f"{measured(median)} / {measured(p99)}" + (" in all" if row["subject"] == WEBHOOK else "")


def _start(figures: Figures) -> list[Table]:
    columns = [
        Column("start to first answer, or to the end", _text("what")),
        Column("median s", _of("median_s", 2)),
        Column("best s", _of("best_s", 2)),
        Column("CPU s", _of("cpu_s", 2)),
        Column("peak MB", _of("peak_mb")),
        Column("file MB", _of("file_mb", 1)),
        _TROUBLE,
    ]
    return [_made("Starting", columns, figures.parts["start"])]


def _append(figures: Figures) -> list[Table]:
    columns = [
        Column("exchanges before", _of("exchanges")),
        Column("file MB", _of("file_mb", 1)),
        Column("µs an append", _of("median_us", 1)),
        Column("best", _of("best_us", 1)),
    ]
    return [_made("Appending", columns, figures.parts["append"])]


def _index(figures: Figures) -> list[Table]:
    columns = [
        Column("exchanges", _of("exchanges")),
        Column("file MB", _of("file_mb", 1)),
        Column("build s", _of("build_s", 2)),
    ]
    return [_made("Building replay's index", columns, figures.parts["index"])]


def _diff(figures: Figures) -> list[Table]:
    columns = [
        Column("diff of two recordings", _text("what")),
        Column("pairs/s", _of("pairs_per_second")),
        Column("peak MB", _of("peak_mb")),
    ]
    return [_made("Comparing", columns, figures.parts["diff"])]


_VERDICTS = {None: "not measured", True: "met", False: "NOT MET"}


def _targets(figures: Figures) -> list[Table]:
    asked = figures.parts.keys() | figures.missing.keys()
    columns = [
        Column("target", _text("target")),
        Column("wanted", _text("wanted")),
        Column(
            "measured", lambda row: measured(row["measured"]) + (row["unit"] if row["measured"] is not None else "")
        ),
        Column("", lambda row: _VERDICTS[row["met"]]),
    ]
    rows = [one.verdict(figures) for one in TARGETS if one.part in asked]
    return [_made("Targets", columns, rows)] if rows else []


def as_text(table: Table) -> str:
    """Columns side by side, figures to the right, what has no title to the left."""
    cells = [list(table.titles), *map(list, table.rows)]
    widths = [max(len(row[index]) for row in cells) for index in range(len(table.titles))]
    aligned = [str.ljust, *(str.rjust if title else str.ljust for title in table.titles[1:])]
    lines = ["  ".join(put(*pair) for put, *pair in zip(aligned, row, widths, strict=True)).rstrip() for row in cells]
    return "\n".join([table.heading, *(f"  {line}" for line in lines)])


def as_markdown(table: Table) -> str:
    """A Markdown table, figures to the right; columns without any text are left out."""
    kept = [index for index, title in enumerate(table.titles) if title or any(row[index] for row in table.rows)]
    lines = [[row[index].replace("|", "\\|") for index in kept] for row in [table.titles, *table.rows]]
    ruler = ["---", *("---:" for _ in kept[1:])]
    return "\n".join(f"| {' | '.join(line)} |" for line in [lines[0], ruler, *lines[1:]])


def page(old: str, about: str, made: Sequence[Table]) -> str:
    """The brief tables as Markdown, with the machine named: in the place of the old ones, if the page has the marks."""
    text = "\n\n".join([f"Measured on {about}.", *(as_markdown(table) for table in made if table.brief)])
    before, begin, rest = old.partition(BEGIN)
    _, end, after = rest.partition(END)
    return f"{before}{begin}\n\n{text}\n\n{end}{after}" if begin and end else f"{text}\n"
