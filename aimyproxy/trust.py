"""Whose certificates are accepted where we are the client of a TLS connection."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aimyproxy.errors import InvalidOption

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Trust:
    """The system's authorities are trusted, or in their place those in the PEM file `ca`; or, `insecure`, anybody."""

    ca: Path | None = None
    insecure: bool = False

    def context(self) -> ssl.SSLContext:
        """What a client verifies with, TLS 1.2 or newer; raises InvalidOption where `ca` can't be used."""
        try:
            context = ssl.create_default_context(cafile=self.ca)
        except OSError:
            raise InvalidOption(f"--ca {self.ca} holds no certificates that can be used. Give a PEM file.") from None
        if self.insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


SYSTEM: Final = Trust()
"""The system's authorities are trusted."""
