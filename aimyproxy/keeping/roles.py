"""Who a keeper works with: it is told what becomes of exchanges, and asked what of them may be recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from aimyproxy.store.recording import stored

if TYPE_CHECKING:
    from aimyproxy.exchange import Exchange


class Observer(Protocol):
    """Who is told what becomes of exchanges; called from several threads."""

    def recorded(self, identity: int, exchange: Exchange) -> None:
        """An exchange is in the file."""

    def held(self, number: int, exchange: Exchange) -> None:
        """An exchange waits in memory, as the last of so many."""

    def lost(self, number: int, exchange: Exchange) -> None:
        """An exchange could be put nowhere, as the last of so many."""

    def trouble(self, message: str) -> None:
        """Exchanges can't be recorded, or not safely; told once, until there is news."""

    def news(self, message: str) -> None:
        """What was wrong is over."""


class Redaction(Protocol):
    """What makes of an exchange what may be recorded and shown; called from several threads."""

    @property
    def version(self) -> int:
        """Which of the rules that there were are in force; grows when they change."""

    def redacted(self, exchange: Exchange) -> tuple[Exchange, bytes, int]:
        """The exchange as it may be recorded, its stored form, and the version of the rules that made it so."""

    def renewed(self, document: bytes, version: int) -> bytes:
        """A stored form of an earlier version, as it may be recorded now."""

    def take_up(self) -> None:
        """Redact by the rules that the recording has now, after its file has said that they are others."""


class AsItComes:
    """Nothing is redacted."""

    version = 0

    def redacted(self, exchange: Exchange) -> tuple[Exchange, bytes, int]:
        """The exchange itself."""
        return exchange, stored(exchange), 0

    def renewed(self, document: bytes, _version: int) -> bytes:
        """The document itself."""
        return document

    def take_up(self) -> None:
        """There are no rules."""
