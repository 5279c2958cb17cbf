"""What differs between two answers: their effects, statuses and failures."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from aimyproxy.diff.rules import NO_RULES, Rules
from aimyproxy.diff.structure import Difference, differences

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aimyproxy.aimylogic import Effect
    from aimyproxy.diff.answers import Answer
    from aimyproxy.jsonvalue import JSON

Aspect: TypeAlias = Literal["effect", "header", "status", "failure"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference between two answers, and in what they differ.

    aspect "effect": the path begins at the variables (`$.name`), or at the body where that is no object. "header": the
    path is the header's name in small letters. "status":
    two numbers at `$`. "failure": at `$`, why there was no answer, and None on the side that has one.
    """

    aspect: Aspect
    difference: Difference


def compare(baseline: Answer, candidate: Answer, rules: Rules = NO_RULES) -> list[Finding]:
    """All that differs between two answers; failures first, then the status, the headers, and the effect.

    Where one side has no answer there is nothing else to compare. The rules are about effects only.
    """
    if baseline.failure or candidate.failure:
        return list(_changed("failure", baseline.failure, candidate.failure))
    status = _changed("status", baseline.status, candidate.status)
    effect = effect_differences(baseline.effect, candidate.effect, rules)
    headers = differences(dict(baseline.headers), dict(candidate.headers))
    return [
        *status,
        *(Finding("header", difference) for difference in headers),
        *(Finding("effect", difference) for difference in effect),
    ]


def effect_differences(before: Effect, after: Effect, rules: Rules = NO_RULES) -> list[Difference]:
    """The structural difference of two effects, as far as the rules let it count.

    An object answer against any other body is one difference at the root: the bot takes variables from the one and
    nothing from the other.
    """
    if before.kind != after.kind:
        return [Difference((), "type", comparable(before), comparable(after))]
    return rules.differences(comparable(before), comparable(after))


def comparable(effect: Effect) -> JSON:
    """The effect's value as JSON; bytes are an object with the one member `base64`."""
    if isinstance(effect.value, bytes):
        return {"base64": base64.b64encode(effect.value).decode()}
    return effect.value


def _changed(aspect: Aspect, before: JSON, after: JSON) -> Iterator[Finding]:
    if before != after:
        yield Finding(aspect, Difference((), "changed", before, after))
