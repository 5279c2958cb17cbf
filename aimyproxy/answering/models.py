"""What a recording teaches about one event: how its answers follow from its requests."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from aimyproxy import aimylogic, jsonvalue
from aimyproxy.answering.answers import served_headers
from aimyproxy.answering.background import Background, Hints
from aimyproxy.answering.expressions import ABSENT, Value
from aimyproxy.answering.features import ANSWER
from aimyproxy.answering.fitting import Decision, fit
from aimyproxy.answering.nodes import Leaf, Node, learn, learn_member
from aimyproxy.answering.privacy import ENCODINGS, Owners, Privacy

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from aimyproxy.answering.candidates import Row
    from aimyproxy.answering.features import Situation
    from aimyproxy.exchange import Headers, Request, Response
    from aimyproxy.jsonvalue import JSON, Path


@dataclass(frozen=True, slots=True)
class Lesson:
    """A recorded exchange as the learner sees it: what was asked in which situation, and what came back."""

    identity: int
    situation: Situation
    request: Request
    response: Response


@dataclass(frozen=True, slots=True)
class Outcome:
    """One kind of answer that the event gets: a status and a kind of body, and how that body is made.

    `members` are the variables that the answer sets, in the order in which they are made; `order` the one in which
    they are sent. `echoes_all` means that all other variables of the request come back, too. Where the answer is no
    object, `body` makes it, as plain text where `text` says so; `raw` stands for bytes, `known` where they are the
    same each time. `exchange` is the latest one of its kind, whose status and headers it has.
    """

    exchange: int
    status: int
    headers: Headers
    members: Mapping[str, Node]
    order: Sequence[str]
    echoes_all: bool
    body: Node | None = None
    text: bool = False
    raw: bytes | None = None
    known: bool = True

    def made(self, situation: Situation) -> tuple[bytes, bool]:
        """The body in a situation, and whether it is known and not guessed."""
        if self.raw is not None:
            return self.raw, self.known
        if self.body is not None:
            value, known = self.body.value(situation)
            return _bytes(value, self.text), known
        made, known = self._members(situation)
        result: dict[str, JSON] = dict(situation.variables) if self.echoes_all else {}
        for name in self.order:
            if made[name] is not ABSENT:
                result[name] = made[name]
            else:
                result.pop(name, None)
        return jsonvalue.dumps(result), known

    def _members(self, situation: Situation) -> tuple[dict[str, Value], bool]:
        made: dict[str, Value] = {}
        known = True
        growing = situation.widened({})
        for name, node in self.members.items():
            made[name], certain = node.value(growing)
            known = known and certain
            growing.values.update(_scalars((ANSWER, name), made[name]))
        return made, known


@dataclass(frozen=True, slots=True)
class EventModel:
    """How an event is answered: which outcome, and how each outcome's answer is made."""

    outcome: Decision
    outcomes: Mapping[str, Outcome]
    lessons: int

    @classmethod
    def of(cls, lessons: Sequence[Lesson], hints: Hints, owners: Owners) -> EventModel:
        """What these exchanges (all with a response, of one event, at least one) teach; `owners` heard them."""
        answered = [(lesson.situation, lesson.response.body.variables() or {}) for lesson in lessons]
        background = Background(hints, Privacy.of(answered, owners))
        kinds = [(lesson.situation, _kind(lesson.response)) for lesson in lessons]
        by_kind: dict[str, list[Lesson]] = {}
        for lesson, (_, kind) in zip(lessons, kinds, strict=True):
            by_kind.setdefault(kind, []).append(lesson)
        outcomes = {kind: _outcome(members, background) for kind, members in by_kind.items()}
        return cls(fit(kinds, None, replace(background, privacy=None)), outcomes, len(lessons))

    def answer(self, situation: Situation) -> tuple[bytes, Outcome, bool]:
        """The body, the outcome it belongs to, and whether they are known and not guessed."""
        kind, sure = self.outcome.value(situation)
        outcome = self.outcomes.get(str(kind))
        if outcome is None:
            # An expression made of the request a kind that was never recorded: any is better than none.
            outcome, sure = next(iter(self.outcomes.values())), False
        body, known = outcome.made(situation)
        return body, outcome, sure and known

    def decisions(self) -> Iterator[tuple[Path, Decision]]:
        """Every decision behind the answers, by the path in the answer; the empty one is which outcome it is."""
        yield (), self.outcome
        for outcome in self.outcomes.values():
            for name, node in outcome.members.items():
                yield from node.decisions((name,))
            if outcome.body is not None:
                yield from outcome.body.decisions(())

    def deciding(self) -> tuple[Path, ...]:
        """All deciding paths of the request."""
        paths = dict.fromkeys(key for _, decision in self.decisions() for key in decision.keys)
        return tuple(path for path in paths if path[0] != ANSWER)

    def origins(self) -> tuple[Path, ...] | None:
        """All paths of the request that an answer follows from, noise aside: what decides, and what it is made of.

        None where the recording doesn't explain the answers.
        """
        decisions = [decision for _, decision in self.decisions() if not decision.noise]
        if not all(decision.trusted for decision in decisions):
            return None
        made_of = (path for decision in decisions for made in decision.table.values() for path in made.paths)
        paths = dict.fromkeys([*self.deciding(), *made_of])
        return tuple(path for path in paths if path[0] != ANSWER)


def _kind(response: Response) -> str:
    is_object = response.body.variables() is not None
    return f"{response.status} {'object' if is_object else response.body.kind}"


def _outcome(lessons: Sequence[Lesson], background: Background) -> Outcome:
    # The latest: what the webhook does now.
    latest = lessons[-1]
    frame = (latest.identity, latest.response.status, _headers(lessons, background))
    bodies = [lesson.response.body for lesson in lessons]
    sent = [variables for body in bodies if (variables := body.variables()) is not None]
    if sent:
        names = _set_by_the_webhook(lessons)
        members = _learned_members(lessons, sent, names, background)
        echoing = sum(
            lesson.situation.variables.keys() <= value.keys() for lesson, value in zip(lessons, sent, strict=True)
        )
        return Outcome(*frame, members, names, echoes_all=2 * echoing > len(lessons))
    if bodies[0].kind in ("json", "text"):
        rows: list[Row] = [(lesson.situation, lesson.response.body.value) for lesson in lessons]
        node, text = learn(rows, None, background), bodies[0].kind == "text"
        return Outcome(*frame, {}, (), echoes_all=False, body=node, text=text)
    raw, known = _raw(lessons, background)
    return Outcome(*frame, {}, (), echoes_all=False, raw=raw, known=known)


def _headers(lessons: Sequence[Lesson], background: Background) -> Headers:
    """The latest one's, less those that some had not: a session's cookie is its user's; the content type always."""
    latest = lessons[-1].response
    situations = [lesson.situation for lesson in lessons]
    common = set.intersection(*(set(lesson.response.headers) for lesson in lessons))
    return tuple(
        (name, value)
        for name, value in served_headers(latest.headers, latest.body)
        if name.lower() == "content-type" or ((name, value) in common and not background.reveals(situations, value))
    )


def _raw(lessons: Sequence[Lesson], background: Background) -> tuple[bytes, bool]:
    """The latest one's bytes, none where they tell of somebody; and whether all had the same."""
    raw = lessons[-1].response.body.raw
    same = [lesson.situation for lesson in lessons if lesson.response.body.raw == raw]
    if any(background.reveals(same, raw.decode(encoding, "ignore")) for encoding in ENCODINGS):
        return b"", False
    return raw, len(same) == len(lessons)


def _set_by_the_webhook(lessons: Sequence[Lesson]) -> list[str]:
    """The variables that any of the responses set or changed, or left out though others echo them, by first sight."""
    names: dict[str, None] = {}
    for lesson in lessons:
        names |= dict.fromkeys(aimylogic.effect_of(lesson.request, lesson.response).value)
    return list(names)


def _learned_members(
    lessons: Sequence[Lesson], sent: Sequence[Mapping[str, JSON]], names: Sequence[str], background: Background
) -> dict[str, Node]:
    """A node for each variable, in the order in which they are to be made: first those of which others are made."""
    plain = [lesson.situation for lesson in lessons]
    columns: dict[str, list[Value]] = {name: [value.get(name, ABSENT) for value in sent] for name in names}
    found = {
        name: learn_member(name, list(zip(plain, columns[name], strict=True)), (name,), background) for name in names
    }
    made = {name: node for name, node in found.items() if _settled(node)}
    widened = plain
    for name in made:
        widened = _widened(widened, name, columns[name])
    # Numbers before texts: a text tells the sum, not the other way round.
    for name in sorted(found.keys() - made.keys(), key=lambda name: (_is_text(columns[name]), names.index(name))):
        made[name] = learn_member(name, list(zip(widened, columns[name], strict=True)), (name,), background)
        widened = _widened(widened, name, columns[name])
    return made


def _widened(situations: Sequence[Situation], name: str, values: Sequence[Value]) -> list[Situation]:
    return [
        situation.widened(dict(_scalars((ANSWER, name), value)))
        for situation, value in zip(situations, values, strict=True)
    ]


def _scalars(path: Path, value: Value) -> Iterator[tuple[Path, JSON]]:
    if isinstance(value, dict):
        for key, member in value.items():
            yield from _scalars((*path, key), member)
    elif value is not ABSENT and not isinstance(value, list):
        yield path, value


def _is_text(values: Sequence[Value]) -> bool:
    return any(isinstance(value, str) for value in values)


def _settled(node: Node) -> bool:
    return not isinstance(node, Leaf) or (node.decision.complete and not node.decision.keys)


def _bytes(value: Value, text: bool) -> bytes:
    if value is ABSENT:
        return b""
    return str(value).encode() if text else jsonvalue.dumps(value)
