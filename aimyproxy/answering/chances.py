"""Dice that fall the same way in each run of the same seed."""

from __future__ import annotations

import hashlib
from random import Random
from typing import Final

MOST: Final = 1_000
"""How many events have dice of their own; those that come later share some, or a bot could fill the memory."""


class Chances:
    """For each event dice of its own, so that what it draws does not depend on when other events come.

    `purpose` keeps apart what is drawn for different reasons with one `seed`.
    """

    def __init__(self, seed: int, purpose: str) -> None:
        self._seed = seed
        self._purpose = purpose
        self._dice: dict[bytes, Random] = {}

    def of(self, event: str | None) -> Random:
        """The dice of this event; None is for requests that have none."""
        key = self._key(event)
        if key not in self._dice and len(self._dice) >= MOST:
            key = self._key(None)
        if key not in self._dice:
            self._dice[key] = Random(key)  # noqa: S311 - to be repeated, not to be secret
        return self._dice[key]

    def _key(self, event: str | None) -> bytes:
        # A digest, since an event may be as long as a bot likes.
        named = f"{self._seed} {self._purpose}" + ("" if event is None else f" {event}")
        return hashlib.sha256(named.encode("utf-8", "surrogatepass")).digest()
