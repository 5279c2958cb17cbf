"""What is redacted in a recording: secrets, personal values, paths of one's own; and how that is kept."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from aimyproxy.errors import InvalidDocument
from aimyproxy.selectors import Selector

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aimyproxy.jsonvalue import JSON

PERSONAL: Final = "personal"
"""The word that stands for all that is known to be personal, among paths."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What to redact, beside secrets, which always are: what is `personal`, and what stands at these `paths`."""

    personal: bool = False
    paths: tuple[Selector, ...] = ()

    @classmethod
    def parse(cls, wanted: Iterable[str]) -> Rules:
        """The rules of what a user names: `personal`, and JSONPaths that begin at the variables.

        Raises:
            InvalidDocument: one of them is neither.
        """
        rules = cls()
        for one in wanted:
            if one == PERSONAL:
                rules = replace(rules, personal=True)
            elif one.startswith("$"):
                if one not in rules.spelled:
                    rules = replace(rules, paths=(*rules.paths, Selector.parse(one)))
            else:
                raise InvalidDocument(
                    f"{one!r} is neither `personal` nor a JSONPath: paths begin with $, for example $.order.card"
                )
        return rules

    @classmethod
    def from_document(cls, document: JSON) -> Rules:
        """The rules that a recording keeps, as `document` spells them; raises InvalidDocument."""
        if not isinstance(document, list) or not all(isinstance(one, str) for one in document):
            raise InvalidDocument('the recording\'s "redacted" has to be a list such as ["secrets", "personal"]')
        return cls.parse(one for one in document if one != "secrets")

    def document(self) -> list[str]:
        """The rules as they are kept: `["secrets", "personal", "$.order.card"]`."""
        return ["secrets", *self.spelled]

    @property
    def spelled(self) -> tuple[str, ...]:
        """What a user would name to get these rules."""
        return (*((PERSONAL,) if self.personal else ()), *(path.spelled for path in self.paths))

    def with_more(self, others: Rules) -> Rules:
        """These rules and the others."""
        return Rules.parse((*self.spelled, *others.spelled))

    def covers(self, others: Rules) -> bool:
        """Whether nothing is redacted by the others that isn't by these."""
        return set(others.spelled) <= set(self.spelled)


SECRETS: Final = Rules()
"""Secrets alone."""
