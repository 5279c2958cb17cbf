"""Finding out what a value depends on: the smallest set of deciding paths under which the recorded values agree.

A set of paths cuts the recorded rows into cells; a cell is explained where one expression gives all of its values.
What counts is how many rows would have been right if only the others were known: so a path that is unique to each
request explains nothing, and noise can't be explained by chance.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING, Final

from aimyproxy import aimylogic, jsonvalue
from aimyproxy.answering.background import Background, Hints
from aimyproxy.answering.candidates import Row, candidates, holds
from aimyproxy.answering.evidence import Evidence
from aimyproxy.answering.expressions import ABSENT, Constant, Echo, Expression, Linear, Text, Unknown, Value
from aimyproxy.answering.lots import drawn
from aimyproxy.answering.privacy import is_shared
from aimyproxy.answering.recognising import counts, recognised

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aimyproxy.answering.features import Situation
    from aimyproxy.answering.fresh import Kind
    from aimyproxy.jsonvalue import JSON, Path

_SAMPLE: Final = 240
_MOST_KEYS: Final = 3
_BEST_SINGLES: Final = 10
_TELLING: Final = 3
_PROBES: Final = 20
_FEW: Final = 3
_NOISY: Final = 0.5
"""Above this share of distinct values among unexplained ones they are noise, below they are a choice we don't know."""
_TRUSTED: Final = 0.8
"""From this share of rows on that the others would have got right, an explanation is one."""
_HARDLY_CONTRADICTED: Final = 0.9
"""From this share of a cell's rows on, the others are exceptions; below it, something decides that was not found."""


@dataclass(frozen=True, slots=True)
class Decision:
    """How a value is decided: the deciding paths, the expression for each of their recorded values, and what else.

    `right` of `rows` recorded values follow from the others. `fallback` stands in for what was not recorded.
    `noise` means that the value differs without a reason; where its kind is plain, `kind` makes new ones.
    `chance` means that this is proven, so that any value will do; what only looks like noise may follow from the
    request in a way that nobody found. Of a value that is no noise, `contradicted` are the cells in which too many
    recorded rows had another one, or a single one that is not made as the others are.
    """

    keys: tuple[Path, ...]
    table: Mapping[bytes, Expression]
    fallback: Expression
    right: int
    rows: int
    noise: bool = False
    kind: Kind | None = None
    chance: bool = False
    contradicted: frozenset[bytes] = field(default=frozenset(), repr=False)

    @property
    def trusted(self) -> bool:
        """Whether the recording proves the explanation."""
        return self.right >= _TRUSTED * self.rows

    @property
    def complete(self) -> bool:
        """Whether it explains every row."""
        return self.right == self.rows

    def value(self, situation: Situation) -> tuple[Value, bool]:
        """The value in a situation, and whether it is known and not guessed."""
        cell = cell_key(situation, self.keys)
        expression = self.table.get(cell)
        proven = self.trusted or self.chance
        known = expression is not None and proven and cell not in self.contradicted
        try:
            return (expression or self.fallback).value(situation), known
        except Unknown:
            return ABSENT, False


def cell_key(situation: Situation, keys: tuple[Path, ...]) -> bytes:
    """The cell that a situation belongs to."""
    if not keys:
        return b""
    values = situation.values
    return jsonvalue.canonical([[values[key]] if key in values else None for key in keys])


def fit(rows: Sequence[Row], path: Path | None = None, background: Background | None = None) -> Decision:
    """The best explanation of these rows' values; `path` is where they stand in the answer, if they may be echoes."""
    background = background or Background()
    evidence = _evidence([rows[number] for number in drawn(len(rows), _SAMPLE)], path, background)
    keys = _deciding(evidence, background.hints)
    return _decision(evidence, rows, keys, background)


def _evidence(rows: Sequence[Row], path: Path | None, background: Background) -> Evidence:
    constants: dict[bytes, int] = {}
    numbers: dict[bytes, int] = {}
    value_of = []
    for index, (_, value) in enumerate(rows):
        spelled = b"" if value is ABSENT else jsonvalue.canonical(value)
        constants[spelled] = constants.get(spelled, 0) | 1 << index
        value_of.append(numbers.setdefault(spelled, len(numbers)))
    evidence = Evidence(rows, {}, constants, value_of, background.grouped(rows))
    if len(constants) > 1 or path is not None:
        for expression in candidates(rows, path):
            held = [index for index, row in enumerate(rows) if holds(expression, row)]
            bits = sum(1 << index for index in held)
            if _proven(expression, bits, evidence) and not _tells(expression, [rows[at][0] for at in held], background):
                evidence.generic[expression] = bits
    return evidence


def _proven(expression: Expression, bits: int, evidence: Evidence) -> bool:
    """Whether it holds for so many different values that it is no coincidence; short ones coincide more easily."""
    if isinstance(expression, Echo):
        return bits > 0
    held = [spelled.strip(b'"').decode(errors="replace") for spelled, rows in evidence.constants.items() if rows & bits]
    values = [value for value in held if value]
    telling = sum(len(value) >= _TELLING for value in values)
    return (telling >= 1 and len(values) >= 2) or len(values) >= 3 or (len(values) == 2 and bits.bit_count() >= 6)


def _tells(expression: Expression, situations: Sequence[Situation], background: Background) -> bool:
    """Whether what an expression adds of itself to the values of a request is somebody's own."""
    literals: list[JSON] = []
    if isinstance(expression, Text):
        literals = [part for part in expression.parts if isinstance(part, str)]
    elif isinstance(expression, Linear):
        literals = [abs(expression.factor), abs(expression.offset)]
    return any(background.reveals(situations, literal) for literal in literals)


def _deciding(evidence: Evidence, hints: Hints) -> tuple[Path, ...]:
    count = len(evidence.rows)
    if evidence.right(()) == count:
        return ()
    best, right = hints.pinned, evidence.right(hints.pinned)
    if right == count:
        return best
    features = [key for key in _features(evidence) if key not in hints.forbidden and key not in best]
    short_list = _best_singles(evidence, best, features)
    base = hints.pinned
    for size in range(1, _MOST_KEYS + 1):
        # Each further path has to earn its place: two rows at least, and a twentieth of all.
        least = right + max(2, count // 20)
        for chosen in combinations(short_list, size):
            option = (*base, *chosen)
            score = evidence.right(option, least)
            if score >= least:
                right, best, least = score, option, score + 1
        if right == count:
            break
    return best


def _best_singles(evidence: Evidence, base: tuple[Path, ...], features: Sequence[Path]) -> list[Path]:
    """The features that explain most together with those of the base, each for itself; in their order."""
    best: list[tuple[int, int]] = []
    for index, key in enumerate(features):
        least = best[-1][0] if len(best) == _BEST_SINGLES else 0
        best = sorted([*best, (evidence.right((*base, key), least), -index)], reverse=True)[:_BEST_SINGLES]
    return [features[index] for index in sorted(-index for _, index in best)]


def _features(evidence: Evidence) -> list[Path]:
    """The paths that could decide, preferred ones first: neither the same in all rows nor unique in each."""
    paths: dict[Path, None] = {}
    for situation, _ in evidence.rows:
        paths |= dict.fromkeys(situation.values)
    fullest: dict[Path, JSON] = max((situation.values for situation, _ in evidence.rows), key=len)
    order = {path: index for index, path in enumerate(fullest)}
    deciding = [path for path in paths if 1 < len(evidence.by(path)) < len(evidence.rows)]
    return sorted(deciding, key=lambda path: order.get(path, len(order)))


def _decision(evidence: Evidence, rows: Sequence[Row], keys: tuple[Path, ...], background: Background) -> Decision:
    right, count = evidence.right(keys), len(evidence.rows)
    distinct = len(evidence.constants)
    noise = right < _TRUSTED * count and distinct > max(_FEW, _NOISY * count) and b"" not in evidence.constants
    # What keys explain half of is no chance, though the rest of it was not found.
    unexplained = noise and right < count / 2
    kind = recognised([value for _, value in rows], [asked.moment for asked, _ in rows]) if unexplained else None
    # What looks like a random number may be computed from the request, by a formula that nobody found.
    chance = unexplained and ((kind is not None and not kind.computable) or _is_chance(rows))
    words = None if not keys and (kind or chance) else background.shared(rows)
    cells: dict[bytes, list[Row]] = {}
    for row in rows:
        cells.setdefault(cell_key(row[0], keys), []).append(row)
    table = {}
    for cell, members in cells.items():
        if expression := _of_cell(members, list(evidence.generic), background, keys, None if keys else words):
            table[cell] = expression
    generic = sorted(evidence.generic, key=lambda expression: -evidence.generic[expression].bit_count())
    # One that held only once is no more likely than any value.
    best = generic[0] if generic and evidence.generic[generic[0]].bit_count() > 1 else None
    fallback = best or _of_cell(rows, [], background, (), words) or Constant(ABSENT)
    contradicted = frozenset() if noise else _contradicted(cells, table)
    return Decision(keys, table, fallback, right, count, noise, kind, chance, contradicted)


def _is_chance(rows: Sequence[Row]) -> bool:
    """Whether values can't follow from their requests: a count over all users, or two for one user's same request."""
    if counts([value for _, value in rows]):
        return True
    seen: dict[bytes, JSON] = {}
    for situation, value in rows:
        own = {name: held for name, held in situation.variables.items() if name not in aimylogic.SYSTEM_VARIABLES}
        asked = jsonvalue.canonical([situation.conversation, own])
        if not jsonvalue.same(seen.setdefault(asked, value), value):
            return True
    return False


def _contradicted(cells: Mapping[bytes, Sequence[Row]], table: Mapping[bytes, Expression]) -> frozenset[bytes]:
    """The cells whose expression too few of their rows follow, or that are an exception to what the others follow."""
    made = sum(len(cells[cell]) for cell, expression in table.items() if not isinstance(expression, Constant))
    # Where most values are made from the request, one that was seen once is likely made in a way that nobody found.
    exceptions = made > sum(map(len, cells.values())) / 2
    return frozenset(
        cell
        for cell, expression in table.items()
        if sum(holds(expression, row) for row in cells[cell]) < _HARDLY_CONTRADICTED * len(cells[cell])
        or (exceptions and len(cells[cell]) == 1 and isinstance(expression, Constant))
    )


def _of_cell(
    members: Sequence[Row],
    generic: list[Expression],
    background: Background,
    keys: tuple[Path, ...],
    words: frozenset[str] | None,
) -> Expression | None:
    """The expression of a cell: one that is proven and holds for all, else the value seen most that is nobody's own.

    Where they are given, all that such a value says of anybody is among the `words`.
    """
    by_value: dict[bytes, list[Row]] = {}
    for row in members:
        by_value.setdefault(b"" if row[1] is ABSENT else jsonvalue.canonical(row[1]), []).append(row)
    groups = sorted(by_value.values(), key=len, reverse=True)
    # Several rows of one value: that is a constant, unless there is no value, which an echo explains better.
    if len(groups) > 1 or len(members) == 1 or b"" in by_value:
        covers = [(sum(len(group) for group in groups if _holds_for(one, group)), one) for one in generic]
        most, best = max(covers, key=lambda cover: cover[0], default=(0, None))
        if best is not None and (most > len(groups[0]) or most == len(members)):
            return best
    for group in groups:
        value = group[0][1]
        if value is ABSENT or _is_nobodys(value, [situation for situation, _ in group], background, keys, words):
            return Constant(value)
    return None


def _is_nobodys(
    value: JSON,
    situations: Sequence[Situation],
    background: Background,
    keys: tuple[Path, ...],
    words: frozenset[str] | None,
) -> bool:
    return (words is None or is_shared(value, words)) and not background.reveals(situations, value, keys)


def _holds_for(expression: Expression, group: Sequence[Row]) -> bool:
    """Whether it holds for these rows, which have the same value: an echo of nothing may in one and not in another."""
    return all(holds(expression, row) for row in group[:_PROBES])
