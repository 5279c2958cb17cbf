"""Rebasing: what a recorded response echoed from its request is taken from the new request instead.

Webhooks in the manner of the official templates return every variable that they received; to serve that as recorded
would overwrite one user's variables with another's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aimyproxy import jsonvalue

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aimyproxy.jsonvalue import JSON


class _Echo:
    """The mark of a member whose value the response took over from the request."""

    __slots__ = ()


_ECHO: Final = _Echo()


@dataclass(frozen=True, slots=True)
class Plan:
    """How to build a response object for any request, learned from one request and its response.

    `members`, in the response's order: an echo, the plan of a nested object, or the recorded value. `echoes_all` is
    true where the response repeated every member of its request, so that it would repeat others too.
    """

    members: Mapping[str, JSON | Plan | _Echo]
    echoes_all: bool

    @classmethod
    def of(cls, request: Mapping[str, JSON], response: Mapping[str, JSON]) -> Plan:
        """The plan that explains this response to a request of these variables."""
        members: dict[str, JSON | Plan | _Echo] = dict(response)
        for name in request.keys() & response.keys():
            members[name] = _member(request[name], response[name])
        return cls(members, bool(request) and request.keys() <= response.keys())

    @property
    def constant(self) -> bool:
        """Whether every request gets the very same response."""
        return not self.echoes_all and not any(isinstance(member, _Echo | Plan) for member in self.members.values())

    def rebased(self, request: Mapping[str, JSON]) -> dict[str, JSON]:
        """The response to a request of these variables; what was echoed and isn't in this request is left out.

        Values are shared with the request and with the plan: the result is for serialising, not for changing.
        """
        result: dict[str, JSON] = {}
        for name, member in self.members.items():
            if isinstance(member, _Echo):
                if name in request:
                    result[name] = request[name]
            elif isinstance(member, Plan):
                inner = request.get(name)
                result[name] = member.rebased(inner if isinstance(inner, dict) else {})
            else:
                result[name] = member
        if self.echoes_all:
            result.update((name, value) for name, value in request.items() if name not in self.members)
        return result


def _member(before: JSON, value: JSON) -> JSON | Plan | _Echo:
    # Most values are texts, which are the same where they are equal.
    if before == value and (isinstance(value, str) or jsonvalue.same(before, value)):
        return _ECHO
    if isinstance(before, dict) and isinstance(value, dict):
        plan = Plan.of(before, value)
        return value if plan.constant else plan
    return value
